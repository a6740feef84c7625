import { check, flag, integer, listOf, nonEmptyText, number, text, callback, type Rule } from '../options.ts';
import type { ApiKey } from './auth.ts';
import type { LogEntry } from './log.ts';

/** What bounds one request, with the defaults of `nudging serve`. */
export interface Limits {
  /** Bytes of a request's body. */
  mostBytes: number;
  /** Tokens that one answer may ask for, and that `/tokenize` and `/detokenize` take at once. */
  mostTokens: number;
  /** Answers (`n`) to one prompt, and prompts of one request. */
  mostChoices: number;
  /** Seconds that a request may take, waiting included. */
  timeout: number;
}

/** The limits that hold where none is given: 1 MiB a body, 16,384 tokens and 8 choices an answer, 600 seconds. */
export const defaultLimits: Limits = { mostBytes: 1_048_576, mostTokens: 16_384, mostChoices: 8, timeout: 600 };

/** Options of {@link createHandler}. */
export interface HandlerOptions extends Partial<Limits> {
  /** Name of the model, for one engine. Default `nudging`. */
  model?: string;
  /** What stands before the routes, such as `/api`, where the handler is not at the top of an address. Default: nothing. */
  basePath?: string;
  /** Who may ask; without any key, everybody. A string is a key by the name `default`. */
  apiKeys?: readonly (string | ApiKey)[];
  /** Requests a minute for each key, or for all together where there are none; 0 (default): no limit. */
  rateLimit?: number;
  /**
   * Values of the Host header that are answered, without ports; IP addresses and localhost always are. Default: all, which is for servers
   * that check it themselves.
   */
  allowedHosts?: readonly string[];
  /** Origins of pages that may ask (`https://example.org`); `*`: all. Default: pages of the same host alone. */
  allowedOrigins?: readonly string[];
  /** Seconds of silence after which a stream gets a comment, so that nothing on the way takes it for dead. Default 10. */
  keepAlive?: number;
  /** Whether a page to ask and watch is at `/`, with what it loads below `/assets/`. Default false. */
  playground?: boolean;
  /** Called once for each request when it is over. It is not told what was asked or answered. Default: nobody is. */
  onRequest?: (entry: LogEntry) => void;
}

const key: Rule = {
  check: (value) =>
    nonEmptyText.check(value) ||
    (typeof value === 'object' &&
      value !== null &&
      nonEmptyText.check((value as ApiKey).key) &&
      ((value as ApiKey).name === undefined || nonEmptyText.check((value as ApiKey).name)) &&
      ((value as ApiKey).rateLimit === undefined || number(0, 1e9).check((value as ApiKey).rateLimit))),
  expected: 'a non-empty string or { key, name, rateLimit }',
};

/** What each option of the handler must be. */
export const handlerRules: Record<string, Rule> = {
  model: nonEmptyText,
  basePath: {
    check: (value) => typeof value === 'string' && /^(\/[\w.~-]+)*$/.test(value),
    expected: 'a path such as "/api", without a slash at its end',
  },
  apiKeys: listOf(key),
  rateLimit: number(0, 1e9),
  allowedHosts: listOf(text),
  allowedOrigins: listOf(text),
  keepAlive: number(0.01, 3600),
  mostBytes: integer(1, 2 ** 30),
  mostTokens: integer(1, 1_000_000),
  mostChoices: integer(1, 256),
  timeout: number(0.001, 2_000_000),
  playground: flag,
  onRequest: callback,
};

/** @throws NudgingError ERR_INVALID_OPTION */
export function checkHandlerOptions(options: unknown): asserts options is HandlerOptions {
  check(options, handlerRules);
}
