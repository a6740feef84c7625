import type { NativeAnswers, NativeEngine, NativeEngineOptions, NativeEvent, NativeRequest } from '../native.ts';
import { Supervisor } from './supervisor.ts';

/** An engine that nobody refers to any more leaves its process behind; requests under way refer to it. */
const forgotten = new FinalizationRegistry<Supervisor>((supervisor) => supervisor.close(true));

/**
 * The native engine in a process of its own. What would end a process (a failed check inside llama.cpp, the system's out-of-memory killer)
 * ends that one: its requests fail with ERR_ENGINE_CRASHED, and the next request starts another.
 */
export class IsolatedEngine implements NativeEngine {
  // The child's listeners refer to the supervisor; to this object only its user does, so that it can be collected.
  readonly #supervisor: Supervisor;

  constructor(options: NativeEngineOptions, onEvents: (events: NativeEvent[]) => void) {
    this.#supervisor = new Supervisor(options, onEvents);
    forgotten.register(this, this.#supervisor);
  }

  submit(request: NativeRequest): void {
    this.#supervisor.submit(request);
  }

  cancel(id: number): void {
    this.#supervisor.cancel(id);
  }

  park(id: number, parked: boolean): void {
    this.#supervisor.park(id, parked);
  }

  answer(answers: NativeAnswers): void {
    this.#supervisor.answer(answers);
  }

  close(abandon: boolean): void {
    this.#supervisor.close(abandon);
  }
}
