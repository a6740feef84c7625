import type { RemoteModel } from '../types.ts';

/** What a server is asked in one call, as the engine asks it. */
export interface Question {
  tokens: readonly number[];
  /** What follows so many of the beginnings of `tokens`, the longest being all of them. At least 1. */
  asked: number;
  /** How many tokens more may be said. */
  run: number;
  /** It is only asked because the server left out what it said there ({@link LeftOut}): of one place, and without a run. */
  again?: boolean;
}

/** What the model says at one place. */
export interface Said {
  /** The likeliest token, the natural logarithm of its probability, and that of the next one; NaN if the server did not say. */
  token: number;
  logprob: number;
  next: number;
  /** What it goes on with. Another token than the likeliest where two are equally likely, or where it was told to. */
  goesOn: number;
}

/** An answer that is not what the protocol promises. Becomes ERR_REMOTE_PROTOCOL. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** The server has said a token, and not how probable it was. What it says from there on is not read. */
export class LeftOut extends Error {
  override readonly name = 'LeftOut';
}

/** A request as it is sent: JSON to a path. */
export interface Sent {
  path: string;
  body: object;
}

/** Reads what comes back of one question, in order. */
export interface Reader {
  /** Answers in one JSON text: an event of a stream, or the whole. @throws ProtocolError, LeftOut */
  read(value: unknown): Said[];
}

/** What a server says of itself; what it does not say is missing. */
export interface ServerFacts {
  /** Names of its models. */
  models?: string[];
  /** Tokens of prompt and answer together. */
  context?: number;
  vocabulary?: number;
}

/** How one kind of server is spoken to. docs/remote.md says from which documentation each is. */
export interface Protocol {
  /** How the question is asked. A stream of events comes back, or one JSON text: the answer's content type tells. */
  ask(question: Question, model: string | undefined): Sent;
  reader(question: Question): Reader;
  /** Asked to find out whether the server is there. */
  health: string;
  /** What it says of itself at these paths, in their order; undefined: it does not know the path. */
  about: readonly string[];
  facts(said: readonly unknown[]): ServerFacts;
  /** How a text is tokenised there: plain, with nothing in front of it. */
  tokenize(text: string, model: string | undefined): Sent;
  tokens(said: unknown): number[];
}

export type Api = RemoteModel['api'];

// To read JSON of which nothing is known.

type Json = Record<string, unknown>;

export function objectIn(value: unknown, what: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new ProtocolError(`${what} is ${shown(value)} where an object was expected`);
}

export function listIn(value: unknown, what: string): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ProtocolError(`${what} is ${shown(value)} where a list was expected`);
}

export function tokenIn(value: unknown, what: string): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 31) return value as number;
  throw new ProtocolError(`${what} is ${shown(value)} where a token's id was expected`);
}

/** What is impossible comes as -9999, as the lowest number that there is, or as null, because JSON has no infinity. */
export function logprobIn(value: unknown, what: string): number {
  if (value === null) return Number.NEGATIVE_INFINITY;
  if (typeof value === 'number' && value <= 1e-3) return Math.min(value, 0);
  throw new ProtocolError(`${what} is ${shown(value)} where the logarithm of a probability was expected`);
}

/** What is first of some tokens with their logarithms, the likeliest first. `goesOn` wins where two are equally likely. */
export function likeliest(choices: readonly { token: number; logprob: number }[], goesOn: number, what: string): Said {
  const sorted = [...choices].sort(
    (one, other) => other.logprob - one.logprob || Number(other.token === goesOn) - Number(one.token === goesOn),
  );
  const [first, second] = sorted;
  if (!first) throw new ProtocolError(`${what} is empty`);
  return { token: first.token, logprob: first.logprob, next: second?.logprob ?? Number.NaN, goesOn };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
