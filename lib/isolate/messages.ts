import type { NativeAnswers, NativeEngineOptions, NativeRequest } from '../native.ts';

/**
 * What an engine's process is told; `start` comes first and once. It answers with arrays of native events, in the order in which they
 * happened.
 */
export type Order =
  | { type: 'start'; options: NativeEngineOptions }
  | { type: 'submit'; request: NativeRequest }
  | { type: 'cancel'; id: number }
  | { type: 'park'; id: number; parked: boolean }
  | { type: 'answer'; answers: NativeAnswers }
  | { type: 'close' };
