import { existsSync } from 'node:fs';
import { BuildError } from './errors.mjs';
import { inRoot, root } from './paths.mjs';
import { run } from './process.mjs';

/**
 * Not written by hand, or not ours to change: results of benchmarks, the API's reference and report, llama.cpp's source, texts that tests
 * read as is.
 */
const madeElsewhere = /^(?:(?:bench\/results|vendor\/patches|test\/real\/fixtures)\/|(?:docs\/)?api\/.*\.md$)/;

/**
 * Files that this project keeps or is about to keep, relative to its root.
 * @param {RegExp} pattern
 */
export async function sourceFiles(pattern) {
  const { code, output } = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  if (code !== 0)
    throw new BuildError(
      `git does not say which files there are, so this works in a checkout only: ${output.trim() || 'it was not found'}`,
    );
  const files = output.split('\0').filter((file) => pattern.test(file) && !madeElsewhere.test(file));
  return [...new Set(files)].filter((file) => existsSync(inRoot(file)));
}

export const isCpp = /^(?!models\/).*\.(?:cpp|h)$/;
export const isMarkdown = /\.md$/;
/** Languages whose comments `refillComments` understands. */
export const hasComments = /\.(?:[cm]?[jt]s|cpp|h|cmake)$|(?:^|\/)CMakeLists\.txt$/;
/** What people read in an editor. */
export const hasLines = /\.(?:[cm]?[jt]s|cpp|h|md|py|cmake|ya?ml)$|(?:^|\/)CMakeLists\.txt$|^\.ci\/run$/;
