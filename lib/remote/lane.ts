import { NudgingError } from '../errors.ts';
import type { NativeAnswers, NativeAsked } from '../native.ts';
import type { RemoteModel, RemoteStats, ServerState } from '../types.ts';
import { noTraffic, RemoteClient, type Traffic } from './client.ts';
import { Cut } from './cut.ts';
import { LeftOut, ProtocolError, type Protocol, type Question, type Said } from './protocol.ts';
import { protocols } from './protocols.ts';

/** Who asks how a server is does not wait long. */
const probeMs = 2000;
/** What it said holds so long: anybody may ask `/health`, and the server is not to be asked as often. */
const heldMs = 1000;

/** One model on a server: takes the engine's questions there, and brings the answers back. */
export class RemoteLane {
  readonly name: string;
  readonly model: RemoteModel;
  readonly protocol: Protocol;
  readonly client: RemoteClient;
  /** Under which name the server has the model, once that is known. */
  servedAs: string | undefined;
  readonly #calls = new Map<number, AbortController>();
  readonly #stats = new Map<number, RemoteStats>();
  #probe: Promise<boolean> | undefined;

  /** @param name of the lane */
  constructor(name: string, model: RemoteModel) {
    this.name = name;
    this.model = model;
    this.protocol = protocols[model.api];
    this.client = new RemoteClient(model);
    this.servedAs = model.model;
  }

  /** Asks; `answer` is called as answers come, the last time with `over`. It is not called any more once the call is given up. */
  async ask(asked: NativeAsked, answer: (answers: NativeAnswers) => void): Promise<void> {
    const { call, request } = asked;
    const controller = new AbortController();
    this.#calls.set(call, controller);
    const traffic = noTraffic();
    const cut = new Cut(asked);
    let failure: NudgingError | undefined;
    try {
      for await (const said of this.said({ tokens: [...asked.tokens], asked: asked.asked, run: asked.run }, controller.signal, traffic)) {
        const wanted = cut.take(said);
        if (wanted.length > 0 && !controller.signal.aborted) answer({ call, said: flat(wanted), over: false });
        // Where the server is about to end by itself, the connection can be used again.
        if (cut.broke) break;
      }
    } catch (reason) {
      if (!controller.signal.aborted) failure = asError(reason);
    }
    this.#calls.delete(call);
    this.#count(request, traffic);
    if (traffic.cut) this.client.keepWarm(this.protocol.health);
    if (controller.signal.aborted) return;
    // What was asked is there. If it is wanted, the rest is asked for again.
    if (failure && cut.done) failure = undefined;
    answer({
      call,
      said: new Float64Array(),
      over: true,
      ...(failure ? { failure: { code: failure.code, message: failure.message } } : {}),
    });
  }

  /** What the model says, in order, in parts as they come. @throws NudgingError ERR_REMOTE_…; the signal's reason */
  async *said(question: Question, signal: AbortSignal, traffic: Traffic): AsyncGenerator<Said[]> {
    const { tokens, asked } = question;
    let count = 0;
    let leftOut = false;
    const reader = this.protocol.reader(question);
    try {
      for await (const value of this.client.ask(this.protocol.ask(question, this.servedAs), signal, traffic)) {
        const said = this.read(() => reader.read(value));
        count += said.length;
        if (said.length > 0) yield said;
      }
    } catch (reason) {
      if (!(reason instanceof LeftOut) || question.again) throw reason;
      leftOut = true;
    }
    // Of a run, the rest is asked for when it is wanted.
    if (count >= asked) return;
    if (!leftOut) throw this.wrong(`its answer says what follows at ${count} places of ${asked}`);
    const place = tokens.length - asked + 1 + count;
    yield* this.said({ tokens: tokens.slice(0, place), asked: 1, run: 0, again: true }, signal, traffic);
    if (count + 1 < asked) yield* this.said({ tokens, asked: asked - count - 1, run: 0 }, signal, traffic);
  }

  /** A call whose answers nobody wants any more: the connection is closed. */
  giveUp(call: number): void {
    const controller = this.#calls.get(call);
    if (!controller) return;
    controller.abort(new Error('given up'));
  }

  /** The same of all calls. */
  close(): void {
    for (const controller of this.#calls.values()) controller.abort(new Error('closed'));
  }

  /** What a request has taken, which has ended. */
  finish(request: number): RemoteStats {
    const stats = this.#stats.get(request) ?? { calls: 0, roundTrips: 0, sentBytes: 0, receivedBytes: 0 };
    this.#stats.delete(request);
    return stats;
  }

  /** Whether the server says within two seconds that it is well, or has said so within the last. */
  answers(): Promise<boolean> {
    this.#probe ??= this.client.answers(this.protocol.health, probeMs).finally(() => {
      setTimeout(() => (this.#probe = undefined), heldMs).unref();
    });
    return this.#probe;
  }

  /** What its last calls say of the server. */
  get state(): Omit<ServerState, 'answers'> {
    const { url, api } = this.model;
    const { failures, closedFor } = this.client.breaker;
    return { url, api, state: closedFor > 0 ? 'failing' : 'ok', failures };
  }

  /** An error for an answer that makes no sense. */
  wrong(what: string): NudgingError {
    const remedy = 'docs/remote.md says how to start it';
    const message = `${this.client.host} does not answer as \`api: "${this.model.api}"\` promises (${what}): ${remedy}`;
    return new NudgingError('ERR_REMOTE_PROTOCOL', message);
  }

  /** Reads what the server has said. @throws NudgingError ERR_REMOTE_PROTOCOL */
  read<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof ProtocolError) throw this.wrong(error.message);
      throw error;
    }
  }

  #count(request: number, { roundTrips, sentBytes, receivedBytes }: Traffic): void {
    const stats = this.#stats.get(request) ?? { calls: 0, roundTrips: 0, sentBytes: 0, receivedBytes: 0 };
    this.#stats.set(request, {
      calls: stats.calls + 1,
      roundTrips: stats.roundTrips + roundTrips,
      sentBytes: stats.sentBytes + sentBytes,
      receivedBytes: stats.receivedBytes + receivedBytes,
    });
  }
}

function flat(said: readonly Said[]): Float64Array {
  return Float64Array.from(said.flatMap(({ token, logprob, next }) => [token, logprob, next]));
}

function asError(reason: unknown): NudgingError {
  if (reason instanceof NudgingError) return reason;
  return new NudgingError('ERR_INTERNAL', reason instanceof Error ? reason.message : String(reason), { cause: reason });
}
