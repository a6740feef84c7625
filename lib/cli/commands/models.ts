import { cachedModels, modelsNamed, removeModels, type CachedModel } from '../../hub/models.ts';
import { readHubName } from '../../hub/name.ts';
import { hubCache } from '../../hub/settings.ts';
import { unfinishedDownloads, unfinishedNamed, type Unfinished } from '../../hub/unfinished.ts';
import { nearest } from '../../nearest.ts';
import { readFlags } from '../args.ts';
import { confirmed } from '../confirm.ts';
import { exitCodes, UsageError } from '../failure.ts';
import type { Interrupt } from '../interrupt.ts';
import { columns } from '../table.ts';
import { bytes as size, count, print } from '../terminal.ts';
import type { Command } from './command.ts';

export const models: Command = {
  name: 'models',
  summary: 'list the models in the cache, or remove some',
  usage: ['[flags]', 'rm NAME… [flags]'],
  about: `Lists the GGUF models in the Hugging Face cache, whichever program brought them there: what --base and --aligned take for each,
its commit, its size and when it was last used, as the file system remembers it. What interrupted downloads have left is listed behind
them: nudging pull goes on with it.

With rm, removes those that a NAME means, as for nudging pull: hf:owner/repo all of the repository and its interrupted downloads,
hf:owner/repo:Q4_K_M and hf:owner/repo/x.gguf some of it, in every revision, or with @REVISION in one. Bytes that another revision shares
stay until that one goes too; files that are no models, and those of other programs, are left alone. On a terminal it asks first.`,
  groups: [
    {
      title: 'Flags',
      flags: [
        {
          name: 'json',
          about: 'print a JSON array: name, repo, file, commit, revisions, bytes, lastUsed, paths; with rm, what was removed',
        },
        { name: 'yes', about: 'with rm: remove without asking' },
      ],
    },
  ],
  notes: `HF_HUB_CACHE and HF_HOME say where the cache is, as for nudging pull.

Examples
  nudging models
  nudging models --json | jq -r '.[] | select(.bytes > 1e9) | .name'
  nudging models rm hf:ggml-org/gemma-3-1b-it-GGUF`,
  async run(argv, interrupt) {
    const { words, switches } = readFlags(this.groups, argv, this.name);
    const [action, ...names] = words;
    if (action === 'rm') return remove(names, switches, interrupt);
    if (action !== undefined)
      throw new UsageError(`nudging models takes no "${action}": leave it out to list them, or write rm NAME to remove`);
    if (switches.has('yes')) throw new UsageError('--yes is for nudging models rm: leave it out');
    const cache = hubCache();
    const found = await cachedModels(cache);
    if (switches.has('json')) {
      print(`${JSON.stringify(found)}\n`);
      return exitCodes.ok;
    }
    if (found.length === 0) console.error(`no models in ${cache}: nudging pull NAME brings one there`);
    else print(listOf(found));
    for (const each of await unfinishedDownloads(cache))
      console.error(`${sentenceOf(each)}: nudging pull goes on, nudging models rm hf:${each.repo} removes`);
    return exitCodes.ok;
  },
};

async function remove(words: readonly string[], switches: ReadonlySet<string>, interrupt: Interrupt): Promise<number> {
  if (words.length === 0) throw new UsageError('no model is named: write nudging models rm NAME, as nudging models lists them');
  const cache = hubCache();
  const wanted = new Map<string, CachedModel>();
  const unfinished = new Map<string, Unfinished>();
  for (const word of words) {
    const name = readHubName(word, 'NAME');
    const found = await modelsNamed(cache, name);
    const halves = await unfinishedNamed(cache, name);
    if (found.length === 0 && !halves) throw new UsageError(await notThere(cache, word));
    for (const model of found) wanted.set(model.paths.join(), model);
    if (halves) unfinished.set(halves.repo, halves);
  }
  const all = [...wanted.values()];
  const halves = [...unfinished.values()];
  if (!switches.has('yes') && !(await agreed(all, halves, interrupt))) {
    console.error('nudging: nothing was removed');
    return interrupt.exitCode ?? exitCodes.failed;
  }
  const freed = await removeModels(cache, all, halves, interrupt.signal);
  if (switches.has('json')) print(`${JSON.stringify(all)}\n`);
  console.error(`${whatOf(all, halves)} removed, ${size(freed)} became free`);
  return exitCodes.ok;
}

async function notThere(cache: string, word: string): Promise<string> {
  const names = (await cachedModels(cache)).map(({ name }) => name);
  const meant = nearest(word, names);
  return `the cache has no ${word}: ${meant === undefined ? 'see nudging models for what it has' : `did you mean ${meant}?`}`;
}

async function agreed(all: readonly CachedModel[], halves: readonly Unfinished[], { signal }: Interrupt): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError('removing asks first, and nobody is at a terminal: add --yes');
  if (all.length > 0) process.stderr.write(listOf(all));
  for (const each of halves) console.error(sentenceOf(each));
  return confirmed(`Remove ${whatOf(all, halves)}?`, signal);
}

function whatOf(all: readonly CachedModel[], halves: readonly Unfinished[]): string {
  const downloads = halves.reduce((sum, each) => sum + each.count, 0);
  const parts = all.length > 0 || downloads === 0 ? [count(all.length, 'model')] : [];
  return [...parts, ...(downloads > 0 ? [count(downloads, 'interrupted download')] : [])].join(' and ');
}

function sentenceOf({ repo, count: downloads, bytes }: Unfinished): string {
  return `hf:${repo}: ${count(downloads, 'interrupted download')}, ${size(bytes)} so far`;
}

function listOf(found: readonly CachedModel[]): string {
  const rows = found.map(({ name, commit, bytes, lastUsed }) => [
    name,
    commit.slice(0, 8),
    size(bytes),
    lastUsed.toISOString().slice(0, 10),
  ]);
  return columns([['name', 'commit', 'size', 'last used'], ...rows], [2]);
}
