/** One request that is over, as far as a log may know: nothing of what was asked or answered. */
export interface LogEntry {
  /** When it began, as ISO 8601. */
  time: string;
  level: 'info' | 'warn' | 'error';
  /** Also in the header X-Request-Id. */
  id: string;
  method: string;
  /** The route, not the whole address. */
  route: string;
  status: number;
  /** Name of the key. */
  caller?: string;
  model?: string;
  /** From the beginning to the last byte. */
  ms: number;
  /** To the first text; missing where there was none. */
  firstMs?: number;
  promptTokens?: number;
  tokens?: number;
  nudgedTokens?: number;
  /** Of each answer. */
  stopReasons?: string[];
  /** Whether the client left before the end. */
  left?: true;
  code?: string;
  /** For whoever runs the server: may name files. */
  error?: string;
}

/** A log entry as one line of JSON. */
export function logLine(entry: object): string {
  return `${JSON.stringify(entry)}\n`;
}
