/** An evaluation that cannot be run as it was asked for. The message is "what is wrong: how to mend it". */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}
