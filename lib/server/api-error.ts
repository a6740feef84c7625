import { NudgingError, type ErrorCode } from '../errors.ts';

/** What the server itself refuses; the codes of the library's errors come on top (docs/serving.md lists all). */
export type ServerErrorCode =
  | 'ERR_BODY_INVALID'
  | 'ERR_BODY_TOO_LARGE'
  | 'ERR_BODY_TYPE'
  | 'ERR_FIELD_INVALID'
  | 'ERR_FIELD_UNSUPPORTED'
  | 'ERR_HOST_FORBIDDEN'
  | 'ERR_METHOD'
  | 'ERR_NOT_FOUND'
  | 'ERR_NOT_READY'
  | 'ERR_ORIGIN_FORBIDDEN'
  // Where OpenAI has a code that clients look for, it is that one.
  | 'context_length_exceeded'
  | 'invalid_api_key'
  | 'model_not_found'
  | 'rate_limit_exceeded';

export interface ApiErrorDetails {
  /** The field of the request that is to blame. */
  param?: string | undefined;
  /** Seconds after which it may be tried again. */
  retryAfter?: number | undefined;
  headers?: Record<string, string>;
  /** What a log may know, where the message quotes the request. */
  logged?: string;
  cause?: unknown;
}

/** A request that was refused or has failed. The message is for whoever sent it: it holds no path and nothing of other requests. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: ServerErrorCode | ErrorCode;
  readonly param: string | null;
  readonly headers: Record<string, string>;
  readonly logged: string | undefined;

  constructor(status: number, code: ServerErrorCode | ErrorCode, message: string, details: ApiErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    const { param, retryAfter, headers = {}, logged } = details;
    this.status = status;
    this.code = code;
    this.param = param ?? null;
    this.logged = logged;
    this.headers = retryAfter === undefined ? headers : { ...headers, 'Retry-After': String(Math.max(1, Math.ceil(retryAfter))) };
  }

  /** OpenAI's shape. */
  body(): { error: { message: string; type: string; param: string | null; code: string } } {
    return { error: { message: this.message, type: typeOf(this.status), param: this.param, code: this.code } };
  }

  response(): Response {
    return new Response(JSON.stringify(this.body()), {
      status: this.status,
      headers: { 'Content-Type': 'application/json', ...this.headers },
    });
  }
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

/** Whoever asked can mend these. */
const requestCodes: ReadonlySet<ErrorCode> = new Set([
  'ERR_INVALID_OPTION',
  'ERR_PROMPT_EMPTY',
  'ERR_TEMPLATE_MISSING',
  'ERR_TEMPLATE_FAILED',
  'ERR_TOKEN_UNKNOWN',
  'ERR_VOCABULARIES_DIFFER',
]);

/** What is gone with the next try, or soon. */
const passingCodes: Partial<Record<ErrorCode, string>> = {
  ERR_ENGINE_CRASHED: "the engine's process crashed: the next request starts another one",
  ERR_RPC_UNREACHABLE: 'a machine that the engine needs cannot be reached',
  ERR_RPC_VERSION: 'a machine that the engine needs has another version of it',
  ERR_CLOSED: 'the engine is closed',
  ERR_DEVICE_FAILED: 'the GPU failed',
  ERR_OUT_OF_MEMORY: 'memory ran out',
  ERR_REMOTE_UNREACHABLE: 'the server that has one of the models does not answer',
  ERR_REMOTE_TIMEOUT: 'the server that has one of the models does not answer in time',
};

/**
 * Any failure as an answer. What the library says of a request is passed on; what it says of this machine (paths, the last words of a
 * process) is for the log alone.
 *
 * @param retryAfter seconds, for what may be tried again
 */
export function asApiError(error: unknown, retryAfter = 1): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof NudgingError)) return new ApiError(500, 'ERR_INTERNAL', 'something went wrong here', { cause: error });
  const { code, message, option } = error;
  if (code === 'ERR_PROMPT_TOO_LONG') return new ApiError(400, 'context_length_exceeded', message, { param: 'messages', cause: error });
  if (code === 'ERR_BUSY') return tooBusy(retryAfter, error);
  if (requestCodes.has(code)) return new ApiError(400, code, message, { param: fieldOf[option ?? ''] ?? option, cause: error });
  const passing = passingCodes[code];
  if (passing !== undefined) return new ApiError(503, code, passing, { retryAfter, cause: error });
  return new ApiError(500, code, 'the engine could not answer this request', { cause: error });
}

/** Every place is taken, and as many requests wait as may. */
export function tooBusy(retryAfter: number, cause?: unknown): ApiError {
  const seconds = Math.max(1, Math.ceil(retryAfter));
  return new ApiError(429, 'ERR_BUSY', `all places are taken and the queue is full: try again in ${seconds} s`, { retryAfter, cause });
}

/** The library's options by the names that requests have for them. */
const fieldOf: Partial<Record<string, string>> = {
  input: 'messages',
  messages: 'messages',
  prefill: 'messages',
  maxTokens: 'max_completion_tokens',
  topP: 'top_p',
  topK: 'top_k',
  minP: 'min_p',
  repeatPenalty: 'repetition_penalty',
  gamma: 'nudging.gamma',
  rule: 'nudging.rule',
  mode: 'nudging.mode',
  lookahead: 'nudging.lookahead',
};
