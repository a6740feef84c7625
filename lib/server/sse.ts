/** Frames of server-sent events. */
export const frame = (data: object, event?: string): string =>
  `${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(data)}\n\n`;
const last = 'data: [DONE]\n\n';
const keepAliveComment = ': keep-alive\n\n';

export interface Events {
  /** Whole frames, made as they are read. */
  frames: AsyncGenerator<string, void, undefined>;
  /** Milliseconds of silence after which a comment is sent. */
  keepAlive: number;
  /** Called before the first byte where that is a comment. What it throws is the answer. */
  late: () => Promise<void>;
  /** The frame that says what went wrong. */
  failed: (error: unknown) => string;
  /** Called when all is sent. */
  ended: () => void;
  /** Called instead when nobody reads any more. */
  left: () => void;
}

/**
 * A stream of events whose status is not decided before there is something to say, or it took too long: what goes wrong until then is
 * thrown and can still be answered with a status of its own. Frames are made when the reader has room for them; a reader that stops makes
 * nothing grow.
 */
export async function eventStream({ frames, keepAlive, late, failed, ended, left }: Events): Promise<Response> {
  let next: Promise<IteratorResult<string, void>> | undefined = frames.next();
  const isLate = await within(next, keepAlive);
  if (isLate) {
    // It may fail while the check runs, and is heard of below.
    next.catch(() => {});
    await late();
  }

  const encoder = new TextEncoder();
  let timer: NodeJS.Timeout | undefined;
  let written = performance.now();
  let isOver = false;
  const over = (tell: () => void) => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    tell();
  };
  const write = (controller: ReadableStreamDefaultController<Uint8Array>, text: string) => {
    written = performance.now();
    controller.enqueue(encoder.encode(text));
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const watch = () => {
          // Whoever does not read what is there needs no comment on top.
          if (performance.now() - written >= keepAlive && (controller.desiredSize ?? 0) >= 0 && next) write(controller, keepAliveComment);
          timer = setTimeout(watch, Math.max(1, keepAlive - (performance.now() - written)));
        };
        timer = setTimeout(watch, keepAlive);
        if (isLate) write(controller, keepAliveComment);
      },
      async pull(controller) {
        try {
          next ??= frames.next();
          const { done, value } = await next;
          next = undefined;
          if (isOver) return;
          if (!done) return write(controller, value);
          write(controller, last);
        } catch (error) {
          if (isOver) return;
          write(controller, failed(error) + last);
        }
        controller.close();
        over(ended);
      },
      cancel: () => over(left),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-cache',
      // Proxies such as nginx would collect it.
      'X-Accel-Buffering': 'no',
    },
  });
}

/** Whether it took longer. Throws what the promise rejects with. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<true>((resolve) => {
    timer = setTimeout(resolve, ms, true);
  });
  try {
    return await Promise.race([promise.then(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
