/** What arrives; ends if nothing does for a while. */
export async function* chunksOf({ body }: Response, silenceMs: number): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const timer = setTimeout(() => void reader.cancel().catch(() => {}), silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** How many bytes the whole file has, as far as an answer says. */
export function totalOf({ status, headers }: Response): number | undefined {
  const text = status === 206 ? /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1] : (headers.get('content-length') ?? undefined);
  return text === undefined || headers.get('content-encoding') !== null ? undefined : Number(text);
}

/** Where the part of a file begins that an answer holds. */
export function startOf({ headers }: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}
