// What `import` and `require` give has one type: values of one may go where the other is meant.
import type * as imported from 'nudging' with { 'resolution-mode': 'import' };
import required = require('nudging');

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function must<T extends true>(holds?: T): void;

export const everything: typeof imported = required;
export const names: Record<keyof typeof imported, unknown> = required;
must<Same<keyof typeof required, keyof typeof imported>>();
must<Same<required.Nudging, imported.Nudging>>();
must<Same<required.LoadOptions, imported.LoadOptions>>();

export const loaded: Promise<imported.Nudging> = required.Nudging.load();
