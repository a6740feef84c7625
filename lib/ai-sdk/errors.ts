import { APICallError } from 'ai';
import type { ErrorCode, NudgingError } from '../errors.ts';

/** Errors that another try may not meet, and the HTTP status that says the same. */
const passing: Partial<Record<ErrorCode, number>> = { ERR_BUSY: 429, ERR_ENGINE_CRASHED: 503, ERR_RPC_UNREACHABLE: 503 };

/** By what it says: where a bundle holds this file and not the engine, there are two of the class. */
export function isNudgingError(error: unknown): error is NudgingError {
  const { name, code } = (error ?? {}) as Partial<NudgingError>;
  return name === 'NudgingError' && typeof code === 'string';
}

/**
 * What the SDK should see. It tries again (`maxRetries`) only after an APICallError that calls itself retryable; of every other error of
 * ours it is enough to be a NudgingError. The prompt is not in it, because such errors end up in logs.
 */
export function asSdkError(error: unknown, modelId: string): unknown {
  const statusCode = isNudgingError(error) ? passing[error.code] : undefined;
  if (statusCode === undefined) return error;
  const { message, code } = error as NudgingError;
  const call = { url: `nudging:${modelId}`, requestBodyValues: {}, statusCode, isRetryable: true };
  return new APICallError({ message, ...call, data: { code }, cause: error });
}
