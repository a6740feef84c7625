#!/usr/bin/env node
// Checks that what lies in a folder is a release, writes what goes beside it, and publishes it. RELEASING.md says when to call it.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BuildError, runMain } from './lib/errors.mjs';
import { npm } from './lib/npm.mjs';
import { tooLarge } from './lib/packages/limits.mjs';
import { optional } from './lib/packages/main.mjs';
import { billOfMaterials } from './lib/packages/sbom.mjs';
import { manifest } from './lib/packages/staging.mjs';
import { inRoot, root } from './lib/paths.mjs';
import { run } from './lib/process.mjs';
import { readFromTarball, unpackedSize } from './lib/tar.mjs';

const help = `usage: node scripts/release.mjs [options]

Looks at the tarballs of a release (npm run pack:all -- --targets all, and those of the workflow's other systems), and writes SHA256SUMS and
sbom.cdx.json beside them. Without --publish nothing leaves this machine.

  --packages DIR  where they are; default: packages/
  --partial       do not ask for the packages of all systems
  --publish       publish them, those with binaries first, with provenance: in the release workflow alone, whose identity npm trusts
`;

/** @typedef {{ name: string, file: string, sha256: string, packed: number, unpacked: number }} Tarball */

/** @param {string} folder @returns {Tarball[]} in the order in which they are published */
function readTarballs(folder) {
  if (!existsSync(folder)) throw new BuildError(`${folder} is not there: npm run pack:all makes it`);
  /** @type {Tarball[]} */
  const found = [];
  for (const each of readdirSync(folder).filter((name) => name.endsWith('.tgz'))) {
    const file = path.join(folder, each);
    const { name, version, scripts } = JSON.parse(String(readFromTarball(file, 'package/package.json')));
    if (version !== manifest.version) throw new BuildError(`${each} is of version ${version}, and this is ${manifest.version}: pack again`);
    if (scripts !== undefined) throw new BuildError(`${each} has scripts: no package of ours may run any when it is installed`);
    found.push({
      name,
      file,
      packed: statSync(file).size,
      unpacked: unpackedSize(file),
      sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
    });
  }
  // Whoever installs the main package at once must find those that it asks for.
  return found.sort(
    (one, other) => Number(one.name === manifest.name) - Number(other.name === manifest.name) || (one.name < other.name ? -1 : 1),
  );
}

/** What keeps this from being a release. @param {readonly Tarball[]} tarballs @param {boolean} partial @returns {Promise<string[]>} */
async function problems(tarballs, partial) {
  const { version } = manifest;
  /** @type {string[]} */
  const found = [];
  const changelog = readFileSync(inRoot('CHANGELOG.md'), 'utf8');
  if (!changelog.includes(`\n## [${version}]`))
    found.push(`CHANGELOG.md has no section "## [${version}]": what is under [Unreleased] belongs there`);
  const { output } = await run('git', ['status', '--porcelain'], { cwd: root });
  if (output.trim() !== '') found.push('the tree has changes that are not committed');
  const names = tarballs.map(({ name }) => name);
  const missing = [manifest.name, '@nudging/source', ...optional].filter((name) => !names.includes(name));
  if (missing.length > 0 && !partial) found.push(`there is no tarball of ${missing.join(', ')}`);
  const large = tooLarge(tarballs);
  if (large.length > 0) found.push(`larger than they may be: ${large.join(', ')}`);
  return found;
}

await runMain(async () => {
  const { values } = parseArgs({
    options: {
      packages: { type: 'string', default: inRoot('packages') },
      partial: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const folder = path.resolve(values.packages);
  const tarballs = readTarballs(folder);
  const sums = tarballs.map(({ file, sha256 }) => `${sha256}  ${path.basename(file)}\n`);
  writeFileSync(path.join(folder, 'SHA256SUMS'), sums.join(''));
  writeFileSync(path.join(folder, 'sbom.cdx.json'), `${JSON.stringify(billOfMaterials(tarballs), null, 2)}\n`);
  process.stdout.write(`nudging ${manifest.version}, in this order:\n${sums.join('')}`);

  const found = await problems(tarballs, values.partial);
  for (const problem of found) console.log(`not yet: ${problem}`);
  if (!values.publish) return 0;
  if (found.length > 0) throw new BuildError('nothing was published');
  for (const { name, file } of tarballs) {
    const { code, output } = await npm(['publish', file, '--access', 'public', '--provenance'], { cwd: folder });
    // A release that was interrupted goes on where it stopped: npm refuses what is there already.
    if (code !== 0 && !/previously published versions/.test(output)) throw new BuildError(`${name} was not published:\n${output}`);
    console.log(`${name}: published`);
  }
  return 0;
});
