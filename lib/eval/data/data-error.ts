/** A data file that cannot be used. The message is "what is wrong: how to mend it". */
export class DataError extends Error {
  override readonly name = 'DataError';
}
