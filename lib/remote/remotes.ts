import type { Elsewhere } from '../dispatcher.ts';
import type { NativeAnswers, NativeAsked, NativeEngine } from '../native.ts';
import type { RemoteModel, RemoteStats } from '../types.ts';
import { isRemote } from './model.ts';
import { RemoteLane } from './lane.ts';

/**
 * The models of one engine that are on other machines, by the places of their lanes. Knows the engine only as long as somebody else does.
 */
export class Remotes implements Elsewhere {
  readonly #lanes: ReadonlyMap<number, RemoteLane>;
  #engine: WeakRef<NativeEngine> | undefined;

  /** @param models by the names of their lanes, in the order of their places */
  constructor(models: Readonly<Record<string, string | RemoteModel>>) {
    const lanes = Object.entries(models).map(
      ([name, model], place) => [place, isRemote(model) ? new RemoteLane(name, model) : undefined] as const,
    );
    this.#lanes = new Map(lanes.filter((lane): lane is readonly [number, RemoteLane] => lane[1] !== undefined));
  }

  get lanes(): RemoteLane[] {
    return [...this.#lanes.values()];
  }

  /** The engine that asks. */
  set engine(engine: NativeEngine) {
    this.#engine = new WeakRef(engine);
  }

  asked(event: NativeAsked): void {
    void this.#lanes.get(event.lane)?.ask(event, (answers: NativeAnswers) => this.#engine?.deref()?.answer(answers));
  }

  givenUp(call: number): void {
    for (const lane of this.#lanes.values()) lane.giveUp(call);
  }

  /** What a request has taken that has ended, by the places of the lanes. */
  finished(request: number): ReadonlyMap<number, RemoteStats> {
    return new Map([...this.#lanes].map(([place, lane]) => [place, lane.finish(request)]));
  }

  close(): void {
    for (const lane of this.#lanes.values()) lane.close();
  }
}
