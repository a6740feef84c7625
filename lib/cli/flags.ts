import { defaults } from '../defaults.ts';
import { guardDefaults } from '../guard.ts';
import { generateRules, loadRules, type Rule } from '../options.ts';
import { defaultRpcTimeout } from '../rpc/endpoints.ts';
import type { LoadOptions } from '../types.ts';
import { remoteFlags } from './remote-flags.ts';

/**
 * One flag of the command line. Tables of them are the only places that know their names: parsing, help, completion and error messages read
 * them. The one below is for all flags that set options of the library; a command adds its own beside them (commands/command.ts).
 */
export interface Flag {
  name: string;
  /** What stands for the value in the help; a flag without one is a switch. */
  value?: string;
  /** The option of the library that it sets. */
  option?: keyof LoadOptions;
  /** What a switch sets its option to; true if missing. */
  sets?: unknown;
  /** How its text becomes a value; `text` if missing. `file`: the content of the named file. */
  kind?: 'number' | 'lanes' | 'commas' | 'file' | 'list' | 'names' | 'json' | 'members' | 'rule' | 'guard' | 'lane-lists' | 'overrides';
  /** What the value must be, of a flag that sets no option; numbers need it. */
  rule?: Rule;
  about: string;
  /** What holds without the flag, for the help. */
  otherwise?: string;
}

const rules: Record<string, Rule> = { ...generateRules, ...loadRules };

/** What a flag's value must be. For options the library says it, and nothing else. */
export function ruleOf(flag: Flag): Rule | undefined {
  return flag.option === undefined ? flag.rule : rules[flag.option];
}

/** Flags that belong together, under one heading of the help. */
export interface FlagGroup {
  /** Only of the groups below, by which commands take them: see {@link groupsNamed}. */
  id?: 'models' | 'generation' | 'prompts' | 'engine' | 'many' | 'output';
  title: string;
  flags: Flag[];
}

/** The flags of `nudging "question"`. */
export const groups: FlagGroup[] = [
  {
    id: 'models',
    title: 'Models',
    flags: [
      {
        name: 'pair',
        value: 'FILE',
        option: 'pair',
        about: 'manifest (pair.json) that names both models and their settings, or the name of a pair: see nudging pairs',
        otherwise: 'the demonstration pair',
      },
      {
        name: 'base',
        value: 'FILE',
        option: 'base',
        about:
          'GGUF file of the base model, or its name, hf:owner/repo: see nudging pull --help; with --aligned it needs no --pair; ' +
          'or http://… of a server that has it, with --base-api and --base-tokenizer',
      },
      { name: 'aligned', value: 'FILE', option: 'aligned', about: 'GGUF file or name of the aligned model' },
      ...remoteFlags,
      {
        name: 'reference',
        value: 'FILE',
        option: 'reference',
        about: 'GGUF file or name of what the aligned model was before it was aligned, for --mode proxy-tuning',
      },
    ],
  },
  {
    id: 'generation',
    title: 'Generation (without the flag: what the pair says, else the default)',
    flags: [
      {
        name: 'mode',
        value: 'MODE',
        option: 'mode',
        about:
          'nudge: both models; reverse: the aligned one, and the base where that is unsure; base, aligned: that one alone; ' +
          'in-context: the base with examples; ' +
          'ensemble, proxy-tuning: several models at every token or byte; nudging help methods lists all ways',
        otherwise: 'nudge',
      },
      {
        name: 'weights',
        value: 'WEIGHTS',
        option: 'weights',
        kind: 'lanes',
        about: 'with --mode ensemble: how much each model counts, as base=0.5,aligned=0.5',
        otherwise: 'both alike',
      },
      {
        name: 'alpha',
        value: 'A',
        option: 'alpha',
        kind: 'number',
        about: 'with --mode proxy-tuning: how much of what alignment changed is added to the base',
        otherwise: String(defaults.alpha),
      },
      {
        name: 'unit',
        value: 'UNIT',
        option: 'unit',
        about: 'with these two modes: token or byte; bytes join models of any vocabularies',
        otherwise: 'token for models of one vocabulary, else byte',
      },
      {
        name: 'compat',
        value: 'WHAT',
        option: 'compat',
        about: 'paper: with --mode ensemble or proxy-tuning, as the published code of the nudging paper does it, for any vocabularies',
      },
      {
        name: 'gamma',
        value: 'P',
        option: 'gamma',
        kind: 'number',
        about: 'probability of its best token below which the base (in reverse: the aligned model) defers; over 1: always',
        otherwise: String(defaults.gamma),
      },
      {
        name: 'rule',
        value: 'RULE',
        option: 'rule',
        kind: 'rule',
        about:
          "who decides where the base defers: top1 (by --gamma), bet:lambda=L (its next word against the aligned model's), " +
          'hybrid:low=P,high=P,lambda=L (the bet between two gammas), margin:margin=P (its two best tokens), entropy:entropy=NATS, ' +
          'adaptive:rate=R,step=P,reach=P (--gamma at first, then so that it defers at R of its decisions); ' +
          'with one vocabulary blend:tau=P,weight=W, kad-dual:alpha=P, kad-primal:alpha=P, bet-token:lambda=L; ' +
          'what is left out has its default, as in --rule bet',
        otherwise: defaults.rule,
      },
      {
        name: 'lookahead',
        value: 'TOKENS',
        option: 'lookahead',
        kind: 'number',
        about: 'how far the aligned model drafts ahead',
        otherwise: String(defaults.lookahead),
      },
      {
        name: 'max-tokens',
        value: 'TOKENS',
        option: 'maxTokens',
        kind: 'number',
        about: 'longest answer',
        otherwise: String(defaults.maxTokens),
      },
      {
        name: 'stop',
        value: 'TEXT',
        option: 'stop',
        kind: 'list',
        about: "end before this text; may be repeated; a newline is $'\\n' in bash",
        otherwise: 'none; with --mode base or --end-rule base, before the next "Question:" or what --base-prompt has in its place',
      },
      { name: 'no-stop', option: 'stop', sets: [], about: 'with --mode base or --end-rule base: go on to the end or --max-tokens' },
      {
        name: 'temperature',
        value: 'T',
        option: 'temperature',
        kind: 'number',
        about: 'how freely tokens are sampled; 0: always the likeliest',
        otherwise: String(defaults.temperature),
      },
      {
        name: 'top-k',
        value: 'K',
        option: 'topK',
        kind: 'number',
        about: 'sample among the K likeliest tokens; 0: all',
        otherwise: String(defaults.topK),
      },
      {
        name: 'top-p',
        value: 'P',
        option: 'topP',
        kind: 'number',
        about: 'sample among the likeliest tokens that together have this probability; over 0, 1: all',
        otherwise: String(defaults.topP),
      },
      {
        name: 'min-p',
        value: 'P',
        option: 'minP',
        kind: 'number',
        about: 'sample among tokens at least this likely relative to the likeliest',
        otherwise: String(defaults.minP),
      },
      {
        name: 'seed',
        value: 'N',
        option: 'seed',
        kind: 'number',
        about: 'repeats a sampled answer',
        otherwise: 'another one for each answer, shown at its end',
      },
      {
        name: 'logit-bias',
        value: 'JSON',
        option: 'logitBias',
        kind: 'json',
        about:
          'added to logits, -100 to 100, by text that is one token, or for one model by text or token id: ' +
          '\'{" maybe": -100, "base": {"123": 2}}\'; -100: never that token',
        otherwise: 'none',
      },
      {
        name: 'repeat-penalty',
        value: 'P',
        option: 'repeatPenalty',
        kind: 'number',
        about: 'over 1: tokens that were there lately, in the prompt too, become less likely; 1: off',
        otherwise: String(defaults.repeatPenalty),
      },
      {
        name: 'repeat-window',
        value: 'TOKENS',
        option: 'repeatWindow',
        kind: 'number',
        about: 'how far back --repeat-penalty looks',
        otherwise: String(defaults.repeatWindow),
      },
      {
        name: 'repeat-limit',
        value: 'TIMES',
        option: 'repeatLimit',
        kind: 'number',
        about: 'end when the same words are nudged this often in a row; 0: never',
        otherwise: '0',
      },
      {
        name: 'end-rule',
        value: 'WHOSE',
        option: 'endRule',
        about: "whose end of text ends the answer: aligned: the aligned model's; either: the base's too, where it is sure; base: its alone",
        otherwise: defaults.endRule,
      },
      {
        name: 'end-certainty',
        value: 'P',
        option: 'endCertainty',
        kind: 'number',
        about: "probability from which on the base's end of text counts (with --end-rule)",
        otherwise: String(defaults.endCertainty),
      },
      {
        name: 'short-drafts',
        value: 'WHAT',
        option: 'shortDrafts',
        about: "check: ask the base also about words with the aligned model's end of text behind them; accept: take them",
        otherwise: defaults.shortDrafts,
      },
      {
        name: 'lead',
        value: 'TOKENS',
        option: 'lead',
        kind: 'number',
        about: 'how many tokens of the answer the aligned model writes, and the word to its end, before the base is asked',
        otherwise: String(defaults.lead),
      },
      {
        name: 'punctuation',
        value: 'WHOSE',
        option: 'punctuation',
        about: "with --mode reverse, whose punctuation and newlines are: aligned: the aligned model's; any: either model's",
        otherwise: defaults.punctuation,
      },
      {
        name: 'signals',
        value: 'WHICH',
        option: 'signals',
        about:
          'with --json, tell of each piece whether the aligned model agrees, and how often it lately did not: ' +
          'known: as far as it drafted anyway; all: it is asked about every token of the base',
        otherwise: 'none',
      },
      {
        name: 'guard',
        value: 'HOW',
        option: 'guard',
        kind: 'guard',
        about:
          'ask the aligned model again and again whether it would refuse, and end there: on, off, or every=TOKENS,tokens=TOKENS ' +
          '(how often, and how many it says each time); nothing is shown before it was checked',
        otherwise: `off; on is every=${guardDefaults.every},tokens=${guardDefaults.tokens}`,
      },
    ],
  },
  {
    id: 'prompts',
    title: 'Prompts (likewise)',
    flags: [
      { name: 'system', value: 'TEXT', option: 'system', about: 'system text for both models', otherwise: 'none' },
      {
        name: 'base-prompt',
        value: 'FILE',
        option: 'basePrompt',
        kind: 'file',
        about:
          'template of the base prompt, used byte for byte (a newline at its end too): {question} is the question, ' +
          '{system} the system text and an empty line',
        otherwise: '"{system}Question: {question}\\nAnswer:\\n"',
      },
      {
        name: 'no-seal',
        option: 'sealBasePrompt',
        sets: false,
        about: "leave lines of questions and answers that would begin a turn in the base's prompt as they are; else they are quoted",
      },
      {
        name: 'in-context-prompt',
        value: 'FILE',
        option: 'inContextPrompt',
        kind: 'file',
        about: 'with --mode in-context: instruction, examples, and {question} once, in place of the base prompt; {system} as there',
        otherwise: 'three examples of ours',
      },
      {
        name: 'aligned-prompt',
        value: 'FILE',
        option: 'alignedPrompt',
        kind: 'file',
        about: 'Jinja chat template for the aligned model',
        otherwise: "the GGUF file's own",
      },
      {
        name: 'template-option',
        value: 'NAME=JSON',
        option: 'templateOptions',
        kind: 'members',
        about: 'variable for the chat template, such as enable_thinking=true or effort=\'"low"\'; may be repeated',
      },
      {
        name: 'prefill',
        value: 'TEXT',
        option: 'prefill',
        about: 'how the answer begins: the models go on behind it, and it is not printed',
      },
      {
        name: 'fit',
        option: 'fit',
        sets: 'oldest-first',
        about: 'where a chat (with --input) and --max-tokens do not fit into the context, leave out its oldest turns',
      },
    ],
  },
  {
    id: 'engine',
    title: 'Engine (likewise)',
    flags: [
      {
        name: 'gpu-layers',
        value: 'N',
        option: 'gpuLayers',
        kind: 'lanes',
        about: 'layers on the GPU, for both models or as base=N,aligned=N; -1: all; auto: as many as fit',
        otherwise: '-1',
      },
      {
        name: 'devices',
        value: 'NAMES',
        option: 'devices',
        kind: 'lane-lists',
        about: 'GPUs that the models may use, as CUDA0/CUDA1, for both models or as base=CUDA0/CUDA1,aligned=CUDA1',
        otherwise: 'all; nudging doctor lists them',
      },
      {
        name: 'split-mode',
        value: 'MODE',
        option: 'splitMode',
        kind: 'lanes',
        about: 'how several GPUs share a model: none, layer, row or tensor, for both models or as base=MODE,aligned=MODE',
        otherwise: 'the base by layers over all, the aligned model whole where most is left',
      },
      {
        name: 'tensor-split',
        value: 'N/N',
        option: 'tensorSplit',
        kind: 'lane-lists',
        about: 'proportions of the model on its GPUs, as 3/1, for both models or as base=3/1,aligned=0/1',
        otherwise: 'by the memory that is left there',
      },
      {
        name: 'main-gpu',
        value: 'N',
        option: 'mainGpu',
        kind: 'lanes',
        about: 'the GPU that has the whole model, counted from 0, for both models or as base=N,aligned=N',
      },
      {
        name: 'cpu-moe',
        value: 'N',
        option: 'cpuMoe',
        kind: 'lanes',
        about: 'keep experts on the host: true, or of the first N layers, for both models or as base=N,aligned=N',
        otherwise: 'false',
      },
      {
        name: 'override-tensor',
        value: 'PATTERN=DEVICE',
        option: 'overrideTensors',
        kind: 'overrides',
        about:
          'weights with such names are on that GPU or the CPU, as ffn_.*_exps=CPU, or base:ffn_.*_exps=CPU for one model; may be repeated',
      },
      {
        name: 'device-top1',
        option: 'deviceTop1',
        about: 'find the likeliest tokens where the output layers are; logits stay there',
        otherwise: 'on a GPU, if it proves right and no slower when the models are loaded',
      },
      {
        name: 'pad-passes',
        option: 'padPasses',
        about: 'with --device-top1: fill passes up to a few sizes, with dummies that nobody reads',
      },
      { name: 'no-device-top1', option: 'deviceTop1', sets: false, about: 'let the host find them, whatever the pair says' },
      {
        name: 'threads',
        value: 'N',
        option: 'threads',
        kind: 'number',
        about: 'CPU threads',
        otherwise: 'the cores that the process may use',
      },
      {
        name: 'context',
        value: 'TOKENS',
        option: 'context',
        kind: 'lanes',
        about: 'prompt and answer together, for both models or as base=N,aligned=N; auto: as trained, if memory allows',
        otherwise: 'as trained, at most 4096',
      },
      {
        name: 'kv-cache',
        value: 'TYPE',
        option: 'kvCache',
        kind: 'lanes',
        about: 'type of the KV caches: f16, bf16, f32, q8_0, q5_1, q5_0, q4_1 or q4_0, for both models or as base=TYPE,aligned=TYPE',
        otherwise: 'f16',
      },
      {
        name: 'deterministic',
        option: 'deterministic',
        about: 'fail where the same bits beside other answers, with speculation and for any threads cannot be had',
        otherwise: 'where it can be had',
      },
      {
        name: 'no-deterministic',
        option: 'deterministic',
        sets: false,
        about: "llama.cpp's own kernels, whose last bits depend on what is decoded together",
      },
      {
        name: 'flash-attention',
        value: 'WHETHER',
        option: 'flashAttention',
        kind: 'lanes',
        about: 'true, false or auto, for both models or as base=WHETHER,aligned=WHETHER',
        otherwise: 'auto: by device and context',
      },
      {
        name: 'parallel',
        value: 'N',
        option: 'parallel',
        kind: 'number',
        about: 'answers that are made together (with --input); auto: up to 4, as memory allows',
        otherwise: 'auto',
      },
      {
        name: 'cpu-buffers',
        value: 'NAMES',
        option: 'cpuBuffers',
        kind: 'names',
        about: "llama.cpp's faster kinds of CPU memory for weights: all, plain (none), or some of amx,repack,kleidiai,spacemit",
        otherwise: 'all',
      },
      {
        name: 'no-mmap',
        option: 'mmap',
        sets: false,
        about: 'copy the weights instead of mapping the files, which may then change or go away',
      },
      { name: 'isolate', option: 'isolate', about: 'run the engine in a process of its own: a crash there is an error here' },
      {
        name: 'rpc-servers',
        value: 'HOST:PORT,…',
        option: 'rpcServers',
        kind: 'commas',
        about: 'other machines, where nudging rpc-server runs, that take layers of the base; implies --isolate; for closed networks',
      },
      {
        name: 'rpc-timeout',
        value: 'MS',
        option: 'rpcTimeout',
        kind: 'number',
        about: 'how long one of them may be silent before it counts as lost',
        otherwise: String(defaultRpcTimeout),
      },
    ],
  },
  {
    id: 'many',
    title: 'Many questions',
    flags: [
      { name: 'input', value: 'FILE', about: 'JSON lines, one question each; - is standard input' },
      {
        name: 'output',
        value: 'FILE',
        about: 'JSON lines, one answer each, in the order of the input; an existing file is continued',
        otherwise: 'standard output',
      },
      { name: 'append', about: 'continue --output with other models or settings than it was made with, or if it does not say with which' },
    ],
  },
  {
    id: 'output',
    title: 'Output',
    flags: [
      {
        name: 'thinking',
        option: 'thinking',
        about: 'let a model think that can, and show what stands between <think> and </think> on stderr, apart from the answer',
      },
      {
        name: 'json',
        about: 'print one JSON object and nothing else: text, stopReason, rounds, ties, pieces, stats, and endedBy or seed if there is one',
      },
      { name: 'trace', about: 'add every decision: to the JSON as "decisions" (a token\'s bytes in hexadecimal), else on stderr' },
      { name: 'verbose', about: 'say what was loaded; show the stack of an error' },
      { name: 'version', about: 'print the versions of nudging and llama.cpp' },
      { name: 'help', about: 'print this (also -h)' },
    ],
  },
];

export const flags: Flag[] = groups.flatMap((group) => group.flags);

/** Groups of `nudging "question"`, for another command that takes the same flags. */
export function groupsNamed(...ids: NonNullable<FlagGroup['id']>[]): FlagGroup[] {
  return groups.filter(({ id }) => id !== undefined && ids.includes(id));
}

/** Flags of `nudging "question"` by name, for a command that takes some of a group. */
export function flagsNamed(...names: string[]): Flag[] {
  return flags.filter(({ name }) => names.includes(name));
}

const names = new Map(flags.filter((flag) => flag.sets === undefined).map((flag) => [flag.option as string, `--${flag.name}`]));

/** The library speaks of `maxTokens`; whoever typed the command knows it as --max-tokens. */
export function inFlagNames(message: string): string {
  return message.replace(/`(\w+)(?:\.([^`]+))?`/g, (whole, option: string, member: string | undefined) => {
    const flag = names.get(option);
    return flag === undefined ? whole : member === undefined ? flag : `${flag} ${member}`;
  });
}
