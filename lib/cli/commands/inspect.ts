import { describeModel, sampleChat, type ModelDescription } from '../../gguf/describe.ts';
import { readFlags } from '../args.ts';
import { exitCodes, UsageError } from '../failure.ts';
import { columnsOf, entry, prose } from '../layout.ts';
import { bytes, count, harmless, parameters, print } from '../terminal.ts';
import type { Command } from './command.ts';

export const inspect: Command = {
  name: 'inspect',
  summary: 'say what a model file is, and whether it suits a pair',
  usage: ['FILE|NAME [flags]'],
  words: 'files',
  about: `Reads what a GGUF file says of its model: architecture, size, quantisation, tokenizer, end tokens, chat template (rendered on a \
sample chat), and the context that it was trained with. No weights are read, so it takes a second for a file of any size.

A name stands for a model on the Hugging Face hub, as for nudging pull: hf:owner/repo, hf:owner/repo:Q4_K_M or hf:owner/repo/FILE.gguf, \
with @REVISION at the end or not. Unless the cache has it, only its first megabytes are fetched.`,
  groups: [
    {
      title: 'Output',
      flags: [
        { name: 'system', value: 'TEXT', about: 'system text of the sample chat', otherwise: `"${sampleChat[0]?.content}"` },
        { name: 'question', value: 'TEXT', about: 'question of the sample chat', otherwise: `"${sampleChat[1]?.content}"` },
        { name: 'template', about: 'print the template itself and nothing else' },
        { name: 'json', about: 'print one JSON object' },
      ],
    },
  ],
  notes: `Examples
  nudging inspect model.gguf
  nudging inspect hf:ggml-org/gemma-3-1b-it-GGUF`,
  async run(argv, interrupt) {
    const { values, switches, words } = readFlags(this.groups, argv, this.name);
    const { system = sampleChat[0]?.content, question = sampleChat[1]?.content } = values as { system?: string; question?: string };
    const [path, ...others] = words;
    if (path === undefined || path === '') throw new UsageError('no file: name a GGUF file or hf:owner/repo, see nudging inspect --help');
    if (others.length > 0) throw new UsageError(`${words.length} files were given: name one`);
    const chat = [
      ...(system === '' ? [] : [{ role: 'system', content: system ?? '' } as const]),
      { role: 'user', content: question ?? '' } as const,
    ];
    const described = await describeModel(path, { chat, signal: interrupt.signal });
    if (switches.has('template')) {
      if (described.chatTemplate === undefined) throw new UsageError(`"${path}" has no chat template: pass one with --aligned-prompt`);
      print(`${described.chatTemplate}\n`);
    } else if (switches.has('json')) print(`${JSON.stringify(described)}\n`);
    else print(text(described, columnsOf(process.stdout)));
    return exitCodes.ok;
  },
};

function text(model: ModelDescription, columns: number): string {
  const { remote, path = remote?.name ?? '', tokenizer, suits } = model;
  const clean = (value: string) => harmless(value).replaceAll('\n', '\\n');
  const token = (named: { token: number; text: string } | undefined) =>
    named ? `${JSON.stringify(named.text)} (${named.token})` : undefined;
  const rows: [string, string | undefined][] = [
    ['file', `${path}, ${bytes(model.bytes)}${model.parts > 1 ? ` in ${model.parts} parts` : ''}`],
    ['read', remote && `${bytes(remote.fetched)} of it, from the hub, at commit ${remote.commit.slice(0, 7)}`],
    ['name', model.name],
    ['architecture', model.architecture],
    ['parameters', parameters(model.parameters)],
    [
      'shape',
      model.layers === undefined
        ? undefined
        : `${count(model.layers, 'layer')}${model.embedding === undefined ? '' : `, width ${model.embedding}`}`,
    ],
    ['quantisation', model.parameters === 0 ? undefined : weights(model)],
    ['context', model.trainedContext === undefined ? undefined : `trained with ${count(model.trainedContext, 'token')}`],
    ['tokenizer', [tokenizer.model, tokenizer.pre, count(tokenizer.tokens, 'token')].filter(Boolean).join(', ')],
    ['begins with', token(tokenizer.leading)],
    ['ends with', model.endTokens?.map(token).join(', ') || token(tokenizer.eos)],
    ['base', suits.base],
    ['aligned', suits.aligned],
    ['because', suits.because],
  ];
  return [
    rows
      .filter((row): row is [string, string] => row[1] !== undefined && row[1] !== '')
      .map(([name, value]) => entry(name, clean(value), 18, columns))
      .join(''),
    chatText(model, columns),
    ...model.warnings.map((warning) => `\n${prose(clean(`Beware: ${warning}`), columns)}`),
  ].join('');
}

/** What the template makes of a sample chat, or why that is not shown. */
function chatText({ rendered, remote, chatTemplate }: ModelDescription, columns: number): string {
  if (rendered) {
    const lines = harmless(rendered.map(({ text }) => text).join(''))
      .replace(/\n$/, '')
      .split('\n');
    return `\nA sample chat as its template makes it:\n${lines.map((line) => `  ${line}\n`).join('')}`;
  }
  if (chatTemplate === undefined) return '\nIt has no chat template.\n';
  if (!remote) return '\nIts chat template could not be rendered.\n';
  const pull = `nudging pull ${remote.name}`;
  return `\n${prose(`It has a chat template, which is rendered once the model is here: ${pull}. --template shows it.`, columns)}`;
}

function weights({ quantization: { name, bitsPerWeight, types } }: ModelDescription): string {
  return `${name}, ${bitsPerWeight.toFixed(2)} bits a weight (${types.map(({ type, tensors }) => `${tensors} × ${type}`).join(', ')})`;
}
