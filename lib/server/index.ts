/**
 * A pair behind OpenAI's protocol, as a handler from `Request` to `Response` (docs/serving.md).
 *
 * @module nudging/server
 */

export { createHandler, type Handler } from './handler.ts';
export type { ApiKey } from './auth.ts';
export type { LogEntry } from './log.ts';
export { defaultLimits, type HandlerOptions, type Limits } from './options.ts';
