#!/usr/bin/env node
// `npm run api:report`: writes api/, which is what the entry points of the package declare, or with --check says whether it is that. A
// change of the public API then shows in a diff, whichever file of lib/ it comes from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { apiReport } from './lib/api-report.mjs';
import { entryPoints } from './lib/entry-points.mjs';
import { BuildError, runMain } from './lib/errors.mjs';
import { buildLibrary } from './lib/library.mjs';
import { inRoot } from './lib/paths.mjs';

const help = `usage: npm run api:report [-- options]

Writes api/*.md: the declarations of all that the entry points of package.json export, without comments. RELEASING.md says what is promised
of them.

  --check    write nothing, and fail if api/ is not what would be written
`;

await runMain(async () => {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) return void process.stdout.write(help);
  await buildLibrary();
  const pages = apiReport(Object.fromEntries(entryPoints().map(({ name, declaration }) => [name, declaration])), inRoot('dist'));
  const files = Object.entries(pages).map(([name, text]) => /** @type {const} */ ([`api/${name.replace('/', '-')}.md`, text]));
  const stale = files.filter(([file, text]) => !existsSync(inRoot(file)) || readFileSync(inRoot(file), 'utf8') !== text);
  const names = stale.map(([file]) => file).join(', ');
  if (values.check && stale.length > 0)
    throw new BuildError(
      `the public API is not what ${names} says. If that is meant: \`npm run api:report\` writes it; put it into the same commit, and ` +
        'what users notice into CHANGELOG.md (RELEASING.md says what a version promises).',
    );
  mkdirSync(inRoot('api'), { recursive: true });
  for (const [file, text] of stale) writeFileSync(inRoot(file), text);
  console.log(stale.length === 0 ? 'api/ is what the entry points declare' : `written: ${names}`);
});
