import type { ErrorCode } from '../errors.ts';
import type { NativeAnswers, NativeEngineOptions, NativeEvent, NativeRequest } from '../native.ts';
import type { Order } from './messages.ts';
import { EngineProcess } from './process.ts';

/**
 * Keeps one engine in a process of its own: starts it at once, and after a crash again when there is something to do. To the dispatcher it
 * is one engine that loads once; that a process took the place of another shows only in the requests that the crash took with it.
 *
 * A crash never restarts anything by itself, so a process that always crashes is started once for each request that asks for it, not in a
 * loop.
 */
export class Supervisor {
  readonly #options: NativeEngineOptions;
  readonly #onEvents: (events: NativeEvent[]) => void;
  readonly #folder = process.cwd();
  #process: EngineProcess | undefined;
  /** Whether the first loading has succeeded or failed; what a later process reports of its own loading is nobody's business. */
  #settled = false;
  /** Calls to other machines that it waits for. */
  readonly #calls = new Set<number>();
  /** Requests that the process has and has not answered. */
  readonly #inFlight = new Set<number>();
  /** Those of them that wait for their reader. */
  readonly #parked = new Set<number>();
  /** For the next process, because the present one is ending. */
  #waiting: Order[] = [];
  #closing = false;
  /** What the process said about its GPU, which failed. */
  #lost: string | undefined;
  #abandoned = false;

  constructor(options: NativeEngineOptions, onEvents: (events: NativeEvent[]) => void) {
    this.#options = options;
    this.#onEvents = onEvents;
    this.#start();
  }

  submit(request: NativeRequest): void {
    this.#give({ type: 'submit', request });
    this.#balance();
  }

  cancel(id: number): void {
    if (this.#process) this.#give({ type: 'cancel', id });
  }

  park(id: number, parked: boolean): void {
    if (!this.#inFlight.has(id)) return;
    if (parked) this.#parked.add(id);
    else this.#parked.delete(id);
    this.#give({ type: 'park', id, parked });
    this.#balance();
  }

  answer(answers: NativeAnswers): void {
    if (answers.over) this.#calls.delete(answers.call);
    // One that was asked by a process that is gone concerns nobody.
    if (this.#process && !this.#process.ending) this.#process.send({ type: 'answer', answers });
  }

  close(abandon: boolean): void {
    const first = !this.#closing;
    this.#closing = true;
    if (abandon) {
      this.#abandoned = true;
      this.#process?.kill();
    } else if (first && this.#process) {
      this.#give({ type: 'close' });
    }
    // As the native engine does, never from within the call.
    if (!this.#process) setImmediate(() => this.#onEvents([{ type: 'closed' }]));
    this.#balance();
  }

  #start(): void {
    const started = new EngineProcess(this.#folder, {
      events: (events) => this.#receive(events),
      ended: (how, code) => this.#ended(how, code),
    });
    this.#process = started;
    started.send({ type: 'start', options: this.#options });
  }

  #give(order: Order): void {
    if (this.#process?.ending) {
      // Copied now, because what cannot be sent must fail here and not later.
      this.#waiting.push(structuredClone(order));
      return;
    }
    if (!this.#process) this.#start();
    this.#process?.send(order);
    if (order.type === 'submit') this.#inFlight.add(order.request.id);
  }

  #receive(events: NativeEvent[]): void {
    const passedOn: NativeEvent[] = [];
    for (const event of events) {
      // A process whose GPU has failed can do nothing more; the next request gets another one.
      if (event.type === 'failed' && event.code === 'ERR_DEVICE_FAILED') this.#lost ??= event.message;
      switch (event.type) {
        case 'progress':
        case 'warning':
          if (!this.#settled) passedOn.push(event);
          break;
        case 'loaded':
          if (!this.#settled) passedOn.push(event);
          this.#settled = true;
          break;
        case 'load-failed':
          if (!this.#settled) passedOn.push(event);
          this.#settled = true;
          passedOn.push(...this.#fail(event.code, event.message));
          break;
        case 'closed':
          // Passed on when the process is gone and its memory free.
          break;
        case 'asked':
          this.#calls.add(event.call);
          passedOn.push(event);
          break;
        case 'given-up':
          this.#calls.delete(event.call);
          passedOn.push(event);
          break;
        case 'begun':
        case 'pieces':
          passedOn.push(event);
          break;
        default:
          this.#inFlight.delete(event.id);
          this.#parked.delete(event.id);
          passedOn.push(event);
      }
    }
    if (this.#lost !== undefined) this.#process?.kill();
    this.#balance();
    if (passedOn.length > 0) this.#onEvents(passedOn);
  }

  #ended(how: string, code: ErrorCode): void {
    this.#process = undefined;
    const lost = this.#lost;
    this.#lost = undefined;
    const events = this.#abandoned
      ? this.#fail(this.#settled ? 'ERR_CLOSED' : 'ERR_LOAD_ABORTED', 'the engine was closed')
      : this.#fail(
          lost === undefined ? code : 'ERR_DEVICE_FAILED',
          lost ?? `${how}${this.#settled ? '. The next request starts a new one' : ''}`,
        );
    events.unshift(...[...this.#calls].map((call) => ({ type: 'given-up', call }) as const));
    this.#calls.clear();
    const waiting = this.#waiting;
    this.#waiting = [];
    // What was only to be cancelled or closed is gone with the process.
    if (waiting.some((order) => order.type === 'submit') && !this.#abandoned) {
      for (const order of waiting) this.#give(order);
    } else if (this.#closing) {
      events.push({ type: 'closed' });
    }
    this.#balance();
    if (events.length > 0) this.#onEvents(events);
  }

  /** The events that settle whatever waits for the present process. */
  #fail(code: ErrorCode, message: string): NativeEvent[] {
    const events: NativeEvent[] = this.#settled ? [] : [{ type: 'load-failed', code, message }];
    this.#settled = true;
    for (const id of this.#inFlight) events.push({ type: 'failed', id, code, message });
    this.#inFlight.clear();
    this.#parked.clear();
    return events;
  }

  /** As in the same process, the engine keeps the event loop alive only while something is under way. */
  #balance(): void {
    this.#process?.hold(!this.#settled || this.#inFlight.size > this.#parked.size || this.#waiting.length > 0 || this.#closing);
  }
}
