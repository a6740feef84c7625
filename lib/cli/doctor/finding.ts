/** Something that whoever asked should know. */
export interface Finding {
  /** `mend`: it does not work like this. `beware`: it works, and could work better. */
  level: 'mend' | 'beware';
  /** What is wrong, and after a colon what to do about it. */
  what: string;
}
