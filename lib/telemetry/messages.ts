import type { Answer, AnswerStats, GenerateOptions, Mode, ModelInfo } from '../types.ts';

/** Which engine a message is about. */
export interface ObservedEngine {
  /** Counts the engines that this process has begun to load, from 1. */
  readonly id: number;
  /** The names of both models' files, without folders and ending: `base+aligned`. Empty until it is known which they are. */
  model: string;
}

/** Loading. The message of `nudging:load:end` is the object of `nudging:load:start`, with more in it. */
export interface LoadMessage {
  readonly engine: ObservedEngine;
  /** At the end: milliseconds that it took, downloads included. */
  ms?: number;
  /** At a good end: requests that decode together. */
  parallel?: number;
  deterministic?: boolean;
  /** By `base`, `aligned`, and the names of the others. Their paths tell of a machine and are left out. */
  models?: Record<string, Omit<ModelInfo, 'path'>>;
  /** At a bad end: what `load` rejects with. */
  error?: unknown;
}

/** What of a request's settings a message tells: all that are plain values and no text of anybody's. */
export type ObservedSettings = Pick<
  GenerateOptions,
  'gamma' | 'lookahead' | 'maxTokens' | 'temperature' | 'topK' | 'topP' | 'minP' | 'timeout' | 'thinking'
>;

/** A generation. All three channels publish the same object, with more in it each time. Neither prompts nor answers are in it. */
export interface RequestMessage {
  readonly engine: ObservedEngine;
  /** Counts the requests that were observed in this process, from 1. */
  readonly id: number;
  readonly mode: Mode;
  /** `chat`: a question or messages. `raw`: prompts for each model as they are. */
  readonly kind: 'chat' | 'raw';
  /** Whether the pieces are read as they come. */
  readonly streams: boolean;
  readonly settings: Readonly<ObservedSettings>;
  /** From the first piece on: milliseconds from the call to its arrival in JavaScript. */
  firstPieceMs?: number;
  /** At the end: milliseconds from the call. */
  ms?: number;
  /** At a good end, which `aborted` and `timeout` are too. */
  answer?: Pick<Answer, 'stopReason' | 'endedBy' | 'ties' | 'seed' | 'droppedMessages'> & { stats: AnswerStats };
  /** At a bad end: what the request rejects with. */
  error?: unknown;
}

/** One delivery of the engine's events to JavaScript: at most one in a turn of the event loop. */
export interface TickMessage {
  readonly engine: ObservedEngine;
  /** Requests that have not ended, those that wait for a place included. */
  readonly requests: number;
  /** Pieces that came in it, and requests that ended in it, well or badly. */
  readonly pieces: number;
  readonly ended: number;
}

/** What was thrown or rejected with. */
export interface ErrorMessage {
  readonly engine: ObservedEngine;
  /** `request` includes those that were refused before they began, for their options or for want of room. */
  readonly during: 'load' | 'request';
  readonly error: unknown;
}

/** What is published, by the name of its channel in `node:diagnostics_channel`. */
export interface TelemetryMessages {
  'nudging:load:start': LoadMessage;
  'nudging:load:end': LoadMessage;
  'nudging:request:start': RequestMessage;
  'nudging:request:first': RequestMessage;
  'nudging:request:end': RequestMessage;
  'nudging:tick': TickMessage;
  'nudging:error': ErrorMessage;
}
