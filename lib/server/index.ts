/**
 * OpenAI's protocol over a loaded engine, as a `fetch` handler (docs/serving.md).
 *
 * @module nudging/server
 */
export { createHandler, type Handler } from './handler.ts';
export type { ApiKey } from './auth.ts';
export type { LogEntry } from './log.ts';
export { defaultLimits, type HandlerOptions, type Limits } from './options.ts';
