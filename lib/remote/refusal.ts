/** An answer with a status that says no, or an error in the middle of a stream. */
export class Refusal extends Error {
  readonly status: number;
  readonly words: string;

  constructor(status: number, words: string) {
    super(`HTTP ${status}`);
    this.status = status;
    this.words = words;
  }
}

/** An answer, or a part of a stream, that cannot be read. */
export class NotJson extends Error {}

/** What whoever set the model up can do about a status. */
export function remedyFor(status: number): string {
  if (status === 401 || status === 403) return 'check `headers` of the model, which carry its key';
  if (status === 404) return 'check `url`, `api` and `model` of the model';
  if (status >= 300 && status < 400) return 'it redirects elsewhere: give `url` of where it leads';
  if (status === 413) return 'whatever is in front of the server takes no bodies of this size';
  return 'look at the words, and at the versions that docs/remote.md names';
}

/** @throws NotJson */
export function asJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new NotJson(`${what} that is no JSON (${JSON.stringify(text.slice(0, 60))})`);
  }
}

/** What a server says in place of the next event. */
export function errorIn(value: unknown): string | undefined {
  const error = (value as { error?: unknown } | null)?.error;
  return error === undefined || error === null ? undefined : wordsIn(error);
}

function wordsIn(error: unknown): string {
  const { message } = (typeof error === 'object' && error !== null ? error : { message: error }) as { message?: unknown };
  return String(message ?? JSON.stringify(error)).slice(0, 300);
}

/** What the server says beside a status. */
export async function wordsOf(response: Response): Promise<string> {
  const text = (await response.text()).slice(0, 10_000);
  try {
    const value = JSON.parse(text) as { error?: unknown; message?: unknown; detail?: unknown };
    return wordsIn(value.error ?? value.message ?? value.detail ?? value);
  } catch {
    // A page of whatever is in front of the server.
    return text.trim().startsWith('<') ? '' : text.trim().slice(0, 300);
  }
}
