import { isHubName, readHubName } from '../../hub/name.ts';
import { pullAll } from '../../hub/pull.ts';
import { hubSettings } from '../../hub/settings.ts';
import { readPair } from '../../pair.ts';
import { fileOf } from '../../remote/model.ts';
import { readFlags } from '../args.ts';
import { DownloadBars } from '../download-bars.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { bytes as size, count, print } from '../terminal.ts';
import type { Pulled } from '../../types.ts';
import type { Command } from './command.ts';

export const pull: Command = {
  name: 'pull',
  summary: 'download models by name into the cache',
  usage: ['NAME… [flags]'],
  about: `Downloads models from the Hugging Face hub into the cache that Python, llama.cpp and vLLM share, and
prints where their files are, a line each. What is there already is not downloaded again, unless the
revision has moved on; --base, --aligned and --pair take the same names and download what the cache
does not have.

hf:owner/repo is the repository's Q4_K_M, else its Q8_0, else its first GGUF file.

hf:owner/repo:Q5_K_M is the file with this quantisation in its name.

hf:owner/repo/folder/x.gguf is this file; any part of a split model means all of its parts.

Each may have @REVISION at the end, if it is not main: a branch, a tag or a commit. The name of a pair
(see nudging pairs), or the path of a pair.json, stands for both of its models.

A download that is interrupted (Ctrl-C, a lost connection) goes on where it was when the command is
given again. Size and hash are checked before a file gets its name. If another process downloads the
same file, this one waits for it.`,
  groups: [{ title: 'Output', flags: [{ name: 'json', about: 'print a JSON array: name, path, paths, commit, bytes, downloaded' }] }],
  notes: `The environment is that of Python's huggingface_hub.

HF_TOKEN: a token, for gated and private models; else the one that \`hf auth login\` left.

HF_HUB_CACHE: the cache's folder; else hub in HF_HOME, else ~/.cache/huggingface/hub.

HF_HUB_OFFLINE=1: ask nothing over the network. What is in the cache is found, the rest is an error.

HF_ENDPOINT: another hub than https://huggingface.co, such as a mirror.

Examples
  nudging pull hf:ggml-org/gemma-3-1b-it-GGUF
  nudging pull gemma-3-270m && nudging --pair gemma-3-270m "What is a harbor?"`,
  async run(argv, interrupt) {
    const { words, switches } = readFlags(this.groups, argv, this.name);
    if (words.length === 0) throw new UsageError('no model is named: write nudging pull hf:owner/repo, or see nudging pull --help');
    const names = (await Promise.all(words.map(namesOf))).flat();
    const bars = new DownloadBars(process.stderr);
    let pulled: Pulled[];
    try {
      pulled = await pullAll(names, await hubSettings(), {
        signal: interrupt.signal,
        onProgress: (progress) => bars.show(progress),
      });
    } catch (error) {
      bars.end();
      if (interrupt.exitCode === undefined) throw error;
      console.error('nudging: interrupted; the same command goes on from here');
      return interrupt.exitCode;
    }
    bars.end();
    const all = pulled.map((each, index) => ({ name: names[index]?.text, ...each }));
    print(switches.has('json') ? `${JSON.stringify(all)}\n` : all.map(({ paths }) => `${paths.join('\n')}\n`).join(''));
    const fresh = all.reduce((sum, { downloaded }) => sum + downloaded, 0);
    console.error(`${count(all.length, 'model')}, ${fresh === 0 ? 'nothing to download' : `${size(fresh)} downloaded`}`);
    return exitCodes.ok;
  },
};

/** The names that a word stands for: itself, or those of a pair. */
async function namesOf(word: string) {
  if (isHubName(word)) return [readHubName(word, 'NAME')];
  const { base, aligned } = await readPair(word);
  const names = [base, aligned]
    .map(fileOf)
    .filter(isHubName)
    .map((name) => readHubName(name, 'pair'));
  if (names.length === 0) throw new UsageError(`the pair "${word}" has its models in files: there is nothing to download`);
  return names;
}
