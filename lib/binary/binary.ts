/** A binary that may be loaded, and why it is this one. */
export interface Binary {
  path: string;
  /** `NUDGING_BINARY`, `build` (made here from source), or the name of a package. */
  from: string;
  /** The level of CPU that it is for, where there was a choice. */
  level?: string;
}
