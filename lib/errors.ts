/**
 * Stable codes of {@link NudgingError}.
 *
 * From options and input: `ERR_INVALID_OPTION` (a value of the wrong type or range), `ERR_PAIR_INVALID` (a manifest that is no pair),
 * `ERR_PROMPT_EMPTY`, `ERR_PROMPT_TOO_LONG`, `ERR_TEMPLATE_MISSING`, `ERR_TEMPLATE_FAILED`, `ERR_TOKEN_UNKNOWN` (`logitBias` names a token
 * id or a text that is no token of the model's vocabulary), `ERR_VOCABULARIES_DIFFER` (a mode that goes token by token, and models that do
 * not have the same tokens). From loading: `ERR_NATIVE_LOAD` (no native addon for this platform),
 * `ERR_MODEL_UNREADABLE`, `ERR_MODEL_INVALID`, `ERR_MODEL_UNSUPPORTED`, `ERR_LOAD_ABORTED`, `ERR_OUT_OF_MEMORY` (with `needed` and
 * `available` where they are known), `ERR_CONTEXT_TOO_LARGE`, `ERR_KV_CACHE_UNSUPPORTED` (the model cannot have a KV cache of this type),
 * `ERR_NOT_DETERMINISTIC` (`deterministic: true` where it cannot be had), `ERR_DEVICE_UNSUITABLE` (`devices` and the like ask for a GPU
 * that is not there, or for what it cannot do). From running: `ERR_CLOSED`, `ERR_BUSY` (`maxQueue` requests wait
 * already), `ERR_DECODE_FAILED`, `ERR_DEVICE_FAILED` (the GPU failed: this process cannot use it again, and loads nothing more),
 * `ERR_ENGINE_CRASHED` (with `isolate`: the engine's process crashed or could not be started), `ERR_INTERNAL`. With `rpcServers`, when a
 * process with the engine starts: `ERR_RPC_UNREACHABLE` (a server is not there, does not answer, or serves somebody else) and
 * `ERR_RPC_VERSION` (it speaks another protocol than this build). From models behind servers, at load and while running:
 * `ERR_REMOTE_UNREACHABLE` (no answer, or only that it cannot now, after several tries), `ERR_REMOTE_REFUSED` (a wrong key, no such model,
 * a request that it does not take), `ERR_REMOTE_PROTOCOL` (an answer that is not what the `api` promises, or another tokenizer),
 * `ERR_REMOTE_TIMEOUT`. From models by name: {@link HubErrorCode}.
 */
export type ErrorCode =
  | 'ERR_INVALID_OPTION'
  | 'ERR_PAIR_INVALID'
  | 'ERR_NATIVE_LOAD'
  | 'ERR_CLOSED'
  | 'ERR_BUSY'
  | 'ERR_ENGINE_CRASHED'
  | 'ERR_RPC_UNREACHABLE'
  | 'ERR_RPC_VERSION'
  | HubErrorCode
  | NativeErrorCode;

/**
 * Codes of {@link pull} and of loading a model by its name. `ERR_HUB_NOT_FOUND` (no such repository, revision, quantisation or file, with
 * names that are near), `ERR_HUB_GATED` (its licence has to be accepted on its page first), `ERR_HUB_UNAUTHORIZED` (no token, or one that
 * may not read it), `ERR_HUB_OFFLINE` (not in the cache, and HF_HUB_OFFLINE forbids to ask), `ERR_HUB_RATE_LIMITED` (still so after
 * waiting), `ERR_HUB_UNREACHABLE` (no answer, or one that makes no sense, after several tries), `ERR_HUB_DAMAGED` (what came is not what
 * the hub says the file is), `ERR_HUB_NO_SPACE` (with `needed` and `available` where they are known), `ERR_HUB_CACHE` (the cache's folder
 * cannot be written).
 */
export type HubErrorCode =
  | 'ERR_HUB_NOT_FOUND'
  | 'ERR_HUB_GATED'
  | 'ERR_HUB_UNAUTHORIZED'
  | 'ERR_HUB_OFFLINE'
  | 'ERR_HUB_RATE_LIMITED'
  | 'ERR_HUB_UNREACHABLE'
  | 'ERR_HUB_DAMAGED'
  | 'ERR_HUB_NO_SPACE'
  | 'ERR_HUB_CACHE';

/** The codes that come from the native engine; native/basics/failure.h holds their table. */
export type NativeErrorCode =
  | 'ERR_MODEL_UNREADABLE'
  | 'ERR_MODEL_INVALID'
  | 'ERR_MODEL_UNSUPPORTED'
  | 'ERR_LOAD_ABORTED'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_CONTEXT_TOO_LARGE'
  | 'ERR_KV_CACHE_UNSUPPORTED'
  | 'ERR_NOT_DETERMINISTIC'
  | 'ERR_DEVICE_UNSUITABLE'
  | 'ERR_PROMPT_EMPTY'
  | 'ERR_PROMPT_TOO_LONG'
  | 'ERR_TEMPLATE_MISSING'
  | 'ERR_TEMPLATE_FAILED'
  | 'ERR_TOKEN_UNKNOWN'
  | 'ERR_VOCABULARIES_DIFFER'
  | 'ERR_DECODE_FAILED'
  | 'ERR_DEVICE_FAILED'
  | 'ERR_REMOTE_UNREACHABLE'
  | 'ERR_REMOTE_REFUSED'
  | 'ERR_REMOTE_PROTOCOL'
  | 'ERR_REMOTE_TIMEOUT'
  | 'ERR_INTERNAL';

/** Every error that this package throws or rejects with. */
export class NudgingError extends Error {
  override readonly name = 'NudgingError';
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** The option that was wrong, if one was. */
  readonly option?: string;
  /** The value that was wrong, if one was. */
  readonly value?: unknown;
  /** Of ERR_OUT_OF_MEMORY and ERR_HUB_NO_SPACE: the bytes that it would have taken, and those that were free where they are short. */
  readonly needed?: number;
  readonly available?: number;

  constructor(
    code: ErrorCode,
    message: string,
    details: { option?: string; value?: unknown; cause?: unknown; needed?: number; available?: number } = {},
  ) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.option !== undefined) this.option = details.option;
    if ('value' in details) this.value = details.value;
    if (details.needed !== undefined) this.needed = details.needed;
    if (details.available !== undefined) this.available = details.available;
  }
}

/**
 * Remembers where a call was made, so that an error that arrives later from another thread still says so.
 *
 * @param from the function above which the stack is of interest
 */
export function rememberCaller(
  from: (...args: never[]) => unknown,
): (code: ErrorCode, message: string, details?: { needed?: number; available?: number }) => NudgingError {
  const place: { stack?: string } = {};
  Error.captureStackTrace(place, from);
  // As text, at once: until a stack is looked at it holds the objects whose methods are on it, and one that keeps its stream would never be
  // collected, because the stream's own end would hold it.
  const { stack } = place;
  return (code, message, details) => {
    const error = new NudgingError(code, message, details);
    const frames = stack?.split('\n').slice(1).join('\n') ?? '';
    error.stack = `${error.name}: ${message}\n${frames}`;
    return error;
  };
}
