import { NudgingError } from '../errors.ts';
import { jsonOf } from './body.ts';
import type { Exchange } from './exchange.ts';
import { fieldsOf } from './fields.ts';
import { Generation } from './generation.ts';
import { checkLengths } from './lengths.ts';
import type { Route, Shape } from './route.ts';
import { eventStream, frame } from './sse.ts';

/**
 * Answers a request for text. All that can be known to be wrong with it is known before the first byte: fields, the model, the queue, and
 * how long the prompt is.
 *
 * @throws ApiError
 */
export async function answer(exchange: Exchange, route: Route): Promise<Response> {
  const { models, limits } = exchange.server;
  exchange.mayAsk();
  const body = await jsonOf(exchange.request, limits.mostBytes);
  const { id, served, mode } = models.named(fieldsOf(body)['model']);
  exchange.asks(served, id);
  const engine = served.ready();
  const wanted = route.read(body, limits, mode);
  const { telling } = wanted;
  const timeout = Math.ceil(limits.timeout * 1000);
  const wishes = wanted.wishes(engine.settings).map(({ input, options }) => ({ input, options: { ...options, timeout } }));
  const waits = served.active + wishes.length > served.parallel;
  if (waits) await checkLengths(engine, wishes, exchange.gone.signal);
  const prepared = wanted.prepare && (await served.while(() => wanted.prepare?.(engine, exchange.gone.signal)));
  const shape = wanted.shape({ model: id, mode: mode ?? engine.settings.mode, prepared });
  const generation = new Generation(served, wishes, exchange.gone.signal);
  exchange.generating(generation);
  if (!telling.streams) return Response.json(shape.whole(await generation.whole()));
  const response = await eventStream({
    frames: frames(generation, shape),
    keepAlive: exchange.server.keepAlive,
    // Somebody else may have taken the places of the engine.
    late: async () => {
      if (!waits) await checkLengths(engine, wishes, exchange.gone.signal).catch(unlessBusy);
    },
    failed: (error) => {
      const failure = exchange.fail(error);
      return shape.failed?.(failure) ?? frame(failure.body());
    },
    ended: () => exchange.finish(),
    left: () => exchange.leave(),
  });
  exchange.streaming();
  return response;
}

/** Then it has its place among those that wait, and cannot be counted on top. */
function unlessBusy(error: unknown): void {
  if (!(error instanceof NudgingError && error.code === 'ERR_BUSY')) throw error;
}

async function* frames(generation: Generation, shape: Shape): AsyncGenerator<string, void, undefined> {
  // Not sooner: whoever has got something can be told of no status any more.
  let opening = shape.opening;
  for await (const arrival of generation.arrivals()) {
    const begun = opening?.call(shape) ?? '';
    opening = undefined;
    const text = begun + shape.frameOf(arrival);
    if (text !== '') yield text;
  }
  const closing = shape.closing(generation.tally.answers);
  if (closing !== '') yield closing;
}
