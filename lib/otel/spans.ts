import { SpanKind, SpanStatusCode, type Span, type Tracer } from '@opentelemetry/api';
import { defined } from '../options.ts';
import { observe } from '../telemetry/channels.ts';
import type { LoadMessage, RequestMessage } from '../telemetry/messages.ts';
import { answerAttributes, errorType, requestAttributes } from './attributes.ts';
import { attributes as names, operations } from './names.ts';

/** A span for each loading and each request, under the span that is active where it was asked for. @returns a function that ends it */
export function traceWith(tracer: Tracer): () => void {
  const open = new Map<LoadMessage | RequestMessage, Span>();
  const end = (message: LoadMessage | RequestMessage) => {
    const span = open.get(message);
    open.delete(message);
    if (message.error !== undefined) {
      span?.setAttribute(names.errorType, errorType(message.error));
      span?.setStatus({ code: SpanStatusCode.ERROR, message: String((message.error as Error | null)?.message ?? message.error) });
    }
    span?.end();
  };
  const forget = [
    observe('nudging:load:start', (message) => {
      open.set(message, tracer.startSpan('load', { kind: SpanKind.INTERNAL }));
    }),
    observe('nudging:load:end', (message) => {
      const { engine, parallel, deterministic } = message;
      const loaded = defined({ [names.requestModel]: engine.model, [names.parallel]: parallel, [names.deterministic]: deterministic });
      open.get(message)?.updateName(`load ${engine.model}`.trimEnd()).setAttributes(loaded);
      end(message);
    }),
    observe('nudging:request:start', (message) => {
      const name = `${operations[message.kind]} ${message.engine.model}`;
      open.set(message, tracer.startSpan(name, { kind: SpanKind.INTERNAL, attributes: requestAttributes(message) }));
    }),
    observe('nudging:request:end', (message) => {
      open.get(message)?.setAttributes(answerAttributes(message));
      end(message);
    }),
  ];
  return () => {
    for (const each of forget) each();
    // What goes on goes on unseen, and an open span would never be exported.
    for (const span of open.values()) span.end();
    open.clear();
  };
}
