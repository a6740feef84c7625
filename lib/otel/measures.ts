import { ValueType, type Meter } from '@opentelemetry/api';
import { readingLane } from '../lanes.ts';
import { observe } from '../telemetry/channels.ts';
import type { RequestMessage } from '../telemetry/messages.ts';
import { commonAttributes } from './attributes.ts';
import { attributes as names, buckets, instruments } from './names.ts';

/** Records how requests go. @returns a function that ends it */
export function measureWith(meter: Meter): () => void {
  const histogram = (name: string, description: string, unit: string, bounds: readonly number[]) =>
    meter.createHistogram(name, { description, unit, advice: { explicitBucketBoundaries: [...bounds] } });
  const tokens = histogram(instruments.tokens, 'Tokens of prompts and answers.', '{token}', buckets.tokens);
  const duration = histogram(instruments.duration, 'From the call to the end of the answer.', 's', buckets.seconds);
  const firstChunk = histogram(instruments.firstChunk, 'From the call to the first piece of a stream.', 's', buckets.firstChunk);
  const perToken = histogram(instruments.perToken, 'For each token after the first piece.', 's', buckets.perToken);
  const queued = histogram(instruments.queued, 'Waiting for a place.', 's', buckets.seconds);
  const nudgeRatio = histogram(instruments.nudgeRatio, 'Share of nudged tokens in an answer.', '1', buckets.ratio);
  const active = meter.createUpDownCounter(instruments.active, {
    description: 'Requests that have not ended.',
    unit: '{request}',
    valueType: ValueType.INT,
  });
  /** By what they were counted as active with. */
  const counted = new Map<RequestMessage, ReturnType<typeof commonAttributes>>();
  const uncount = (message: RequestMessage) => {
    const attributes = counted.get(message);
    if (attributes && counted.delete(message)) active.add(-1, attributes);
  };

  const forget = [
    observe('nudging:request:start', (message) => {
      const attributes = commonAttributes(message);
      counted.set(message, attributes);
      active.add(1, attributes);
    }),
    observe('nudging:request:first', (message) => {
      if (message.streams) firstChunk.record((message.firstPieceMs ?? 0) / 1000, commonAttributes(message));
    }),
    observe('nudging:request:end', (message) => {
      uncount(message);
      const attributes = commonAttributes(message);
      duration.record((message.ms ?? 0) / 1000, attributes);
      if (!message.answer) return;
      const { stats } = message.answer;
      const { times } = stats;
      tokens.record(stats[readingLane(stats)].promptTokens, { ...attributes, [names.tokenType]: 'input' });
      tokens.record(stats.tokens, { ...attributes, [names.tokenType]: 'output' });
      queued.record(times.queued / 1000, attributes);
      if (stats.tokens > 0) nudgeRatio.record(stats.nudgeRatio, attributes);
      if (stats.tokens > 1) perToken.record((times.total - times.firstPiece) / (stats.tokens - 1) / 1000, attributes);
    }),
  ];
  return () => {
    for (const each of forget) each();
    for (const message of [...counted.keys()]) uncount(message);
  };
}
