import type { Nudging } from '../engine.ts';
import type { AbortSignalLike, Answer, GenerateOptions, Mode } from '../types.ts';
import type { ApiError } from './api-error.ts';
import type { Arrival, Wish } from './generation.ts';
import type { Limits } from './options.ts';
import type { Telling } from './settings.ts';

/** A way to ask for answers. It knows the shape of requests and answers, and nothing of HTTP or of engines. */
export interface Route {
  /** Its path. */
  name: string;
  /** Reads a request's body. `mode` is what the model's name says. @throws ApiError 400 */
  read(body: unknown, limits: Limits, mode?: Mode): Wanted;
}

/** What a request wants. */
export interface Wanted {
  telling: Telling;
  /** What has to be known beside the answers, if anything. It may take a place. @throws ApiError 400 */
  prepare?(engine: Nudging, signal: AbortSignalLike): Promise<unknown>;
  /** The answers to be made. `defaults` are the engine's. @throws ApiError 400 for what the two together do not allow */
  wishes(defaults: GenerateOptions): Wish[];
  /** Puts answers into the shape that was asked for. */
  shape(about: { model: string; mode: Mode | undefined; prepared?: unknown }): Shape;
}

export interface Shape {
  /** All at once. */
  whole(answers: readonly Answer[]): object;
  /** Frames of a stream. */
  frameOf(arrival: Arrival): string;
  /** What stands behind the last one; may be empty. */
  closing(answers: readonly Answer[]): string;
  /** What stands before the first one, and is sent with it. */
  opening?(): string;
  /** What says that no more comes; else the error in OpenAI's shape. */
  failed?(error: ApiError): string;
}
