import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { inRoot } from '../scripts/lib/paths.mjs';
import { mutants } from './mutants/mutants.mjs';
import { mutated, placesOf } from './mutants/place.mjs';

describe('the wrong engines', () => {
  // They are built once in a while only; this says at once that the source has moved on.
  test.each(mutants)('$name: can be made of the source as it is', (mutant) => {
    const file = inRoot(mutant.vendored ? 'vendor/llama.cpp' : 'native', mutant.file);
    if (mutant.vendored && !existsSync(inRoot('vendor/llama.cpp'))) return;
    const source = readFileSync(file, 'utf8');
    expect(mutated(source, mutant)).not.toBe(source);
  });

  test('have names of their own', () => {
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  });
});

describe('the place of a wrong engine', () => {
  const mutant = { name: 'm', file: 'f', from: 'return a + b;', to: '  return a;\n' };

  test.each(['int f() { return a + b; }', 'int f() {\n  return a +\n         b;\n}', 'int f() { return a+b ; }'])(
    'is found wherever lines are broken: %j',
    (source) => {
      expect(mutated(source, mutant).replaceAll(/\s/g, '')).toBe('intf(){returna;}');
    },
  );

  test.each(['returna + b;', 'return a + bb;', 'return a - b;', 'myreturn a + b;'])('is not where other tokens stand: %j', (source) => {
    expect(placesOf(source, mutant.from)).toEqual([]);
    expect(() => mutated(source, mutant)).toThrow('must occur exactly once');
  });

  test('is one place', () => {
    expect(() => mutated('return a + b; return a + b;', mutant)).toThrow('must occur exactly once');
  });
});
