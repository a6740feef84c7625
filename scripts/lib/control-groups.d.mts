// For lib/, which is compiled without a look at JavaScript.

/** Throws if there is no such file. */
export type Read = (file: string) => string;
export function controlGroups(controller: string, read: Read): { version: 1 | 2; folder: string }[];
export function textOf(read: Read, file: string): string | undefined;
