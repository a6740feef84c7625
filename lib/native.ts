import type { Binary } from './binary/binary.ts';
import { findBinaries, surroundings } from './binary/find.ts';
import { NudgingError, type ErrorCode } from './errors.ts';
import { inPackage, requireHere } from './here.ts';
import type { ResolvedRule } from './rule.ts';
import type { ThinkingState } from './thinking.ts';
import type {
  Candidate,
  DecodeSpan,
  Decision,
  EndRule,
  GuardStats,
  KvCacheType,
  LaneName,
  LaneStats,
  Mode,
  ModelInfo,
  NudgingWarning,
  Piece,
  Round,
  SplitMode,
  StopReason,
  TensorOverride,
  TextToken,
  ThinkingMarks,
  TokenScore,
  Top1,
  Unit,
} from './types.ts';
import { remedyFor } from './why-not-loaded.ts';

/** The surface of the native addon: everything that crosses the boundary is declared here, and only here. */
export interface NativeAddon {
  NativeEngine: new (options: NativeEngineOptions, onEvents: (events: NativeEvent[]) => void) => NativeEngine;
  /**
   * Kernels of this machine's extra CPU buffers, and whether one of them (by its index) gives a known answer: for
   * scripts/check-kernels.mjs.
   */
  extraKernels(): { buffer: string; type: string }[];
  givesKnownAnswer(index: number, threads: number): boolean;
  /** What a file says of its model, and how its template renders a chat. The vocabulary is read, on another thread, and no weights are. */
  modelFacts(path: string, chat: readonly { role: string; content: string }[]): Promise<NativeModelFacts | NativeFailure>;
  /** What this binary can compute on. Asking a GPU's driver for the first time takes a while. */
  machine(): NativeMachine;
  /** Version of the llama.cpp underneath. */
  llamaVersion: string;
  /** Version of the RPC protocol that it speaks. */
  rpcProtocol: RpcVersion;
  /**
   * Serves devices by llama.cpp's RPC on a thread of its own, one client after the other, as long as the process lives; the process ends
   * with exit code 1 if that cannot be done.
   *
   * @returns names of the devices that are served
   * @throws Error for a device that is not there
   */
  serveRpc(options: NativeRpcService): string[];
}

/** Major, minor, patch. */
export type RpcVersion = readonly [number, number, number];

export interface NativeRpcService {
  /** IPv4 address and port. */
  endpoint: string;
  /** Folder for weights that came once; empty: none. */
  cache: string;
  /** Of the CPU, where that is served. */
  threads: number;
  /** Empty: the GPUs, or the CPU where there is none. */
  devices: string[];
}

/** A token that means something, and its name in the vocabulary. */
export interface NamedToken {
  token: number;
  text: string;
}

export interface NativeModelFacts {
  description: string;
  trainedContext: number;
  /** Whether its memory cannot be cut back. */
  recurrent: boolean;
  /** Put in front of every prompt. */
  leading?: NamedToken;
  ends: NamedToken[];
  /** Empty if there is no template, or it failed. */
  rendered: NativeSegment[];
  templateFailure: string;
}

export interface NativeMachine {
  devices: { name: string; description: string; kind: 'cpu' | 'gpu' | 'igpu' | 'accelerator'; free: number; total: number }[];
  /** What the binary was compiled for and with, by ggml's names: `AVX2: '1'`. */
  features: Record<string, string>;
}

export interface NativeFailure {
  code: ErrorCode;
  message: string;
}

export interface NativeEngine {
  submit(request: NativeRequest): void;
  cancel(id: number): void;
  /** Stops decoding for a request, or goes on with it. A parked request does not keep the process alive. */
  park(id: number, parked: boolean): void;
  /** What came of a call to a model on another machine. */
  answer(answers: NativeAnswers): void;
  /** @param abandon stop at once instead of finishing what was submitted */
  close(abandon: boolean): void;
}

/** Some answers of a call, in order. */
export interface NativeAnswers {
  call: number;
  /** Three numbers each: the likeliest token, the logarithm of its probability, and that of the next one; NaN if it is not known. */
  said: Float64Array;
  /** Nothing more comes. */
  over: boolean;
  /** Why not. */
  failure?: NativeFailure;
}

/** A question for a model on another machine: what follows the last `asked` of the beginnings of `tokens`. */
export interface NativeAsked {
  type: 'asked';
  call: number;
  /** The request that it is for. */
  request: number;
  /** The model's place. */
  lane: number;
  tokens: Int32Array;
  asked: number;
  /** Tokens that may be said behind that, as long as each is at least this probable. */
  run: number;
  certainty: number;
}

/** Where a model's layers go; what is missing, the engine decides. */
export interface NativePlacement {
  devices?: string[];
  splitMode?: SplitMode;
  tensorSplit?: number[];
  mainGpu?: number;
  /** Layers whose experts stay on the host; -1: all. */
  cpuMoe: number;
  overrideTensors: TensorOverride[];
}

export interface NativeLaneOptions {
  name: string;
  path: string;
  /** -1: all layers; -2: as many as fit. */
  gpuLayers: number;
  /** Tokens; 0: at most 4096 of what the model was trained with; -1: as much of it as fits. */
  context: number;
  kvCache: KvCacheType;
  /** -1: by device and context. */
  flashAttention: number;
  placement: NativePlacement;
  /** The model is on another machine, and the file is its tokenizer. */
  remote?: boolean;
}

export interface NativeEngineOptions {
  /** The base, the aligned model, and any further ones. */
  lanes: NativeLaneOptions[];
  /** Per model; 0: the engine chooses, at most `cores`. */
  threads: number;
  cores: number;
  /** 0: a few, as memory allows. */
  parallel: number;
  batch: number;
  /** Both models decode at the same time; -1: if one of them runs on a GPU. */
  overlap: number;
  /** -1: where it can be had. */
  deterministic: number;
  /** -1: on a GPU, if it proves right and no slower. */
  deviceTop1: number;
  padPasses: boolean;
  /** Bytes that this process may still allocate. */
  hostMemory: number;
  /** Extra CPU buffers that weights may be put into, by ggml's names; missing: all. */
  cpuBuffers?: string[];
  /** Whether weights may be pages of the files. */
  mmap: boolean;
  /** Those among the buffers that must not be used on this machine. */
  harmfulCpuBuffers: string[];
  /** As `host:port`. With any of them only in a process that may end at any time: llama.cpp ends it when it loses one. */
  rpcServers: string[];
  /** Milliseconds. */
  rpcTimeout: number;
}

export interface NativeSegment {
  text: string;
  /** Whether text that spells a control token becomes that token. */
  special: boolean;
}

export type NativePrompt = (
  | { segments: NativeSegment[] }
  /** `variables`: of the template, as the text of a JSON object. */
  | { messages: { role: string; content: string }[]; template?: string; variables?: string }
) & {
  /** Plain text at the end of the prompt. */
  prefill?: string;
};

export interface NativeSampling {
  /** 0: greedy; the rest has no effect then. */
  temperature: number;
  /** 0: off. */
  topK: number;
  topP: number;
  minP: number;
  seed: number;
}

/** Token ids or texts, and in step with them their biases. */
export interface NativeBiases {
  names: (number | string)[];
  biases: number[];
}

export interface NativeRepeat {
  penalty: number;
  window: number;
}

/** A model behind the first two that takes part, by its place. */
export interface NativeOther {
  lane: number;
  prompt: NativePrompt;
  biases?: NativeBiases;
}

/** Of a guard (lib/guard.ts). */
export interface NativeGuard {
  every: number;
  tokens: number;
  phrases: string[];
  /** Empty: none. */
  ask: string;
  /** For the template of its turn, as the text of a JSON object; empty: none. */
  variables: string;
}

export interface NativeGeneration {
  id: number;
  mode: Exclude<Mode, 'in-context'>;
  base?: NativePrompt;
  aligned?: NativePrompt;
  others?: NativeOther[];
  /** Of `ensemble`: by place; 0 for those that take no part. */
  weights?: number[];
  /** As the code of the nudging paper has them. */
  asInPaper?: boolean;
  /** Of `proxy-tuning`. */
  alpha?: number;
  reference?: number;
  /** Of both; without it what fits the vocabularies. */
  unit?: Unit;
  gamma: number;
  rule: ResolvedRule;
  lookahead: number;
  repeatLimit: number;
  endRule: EndRule;
  endCertainty: number;
  checkShortDrafts: boolean;
  lead: number;
  /** Of the mode `reverse`. */
  keepPunctuation: boolean;
  /** What is to be told of each piece; missing: nothing. */
  signals?: 'known' | 'all';
  /** In any mode; it needs the prompt of the aligned model. */
  guard?: NativeGuard;
  maxTokens: number;
  stop: string[];
  /** Stop strings count behind what stands between these, if the answer begins with it. */
  thinking?: ThinkingMarks;
  /** Fail unless prompts and `maxTokens` fit into the contexts. */
  whole: boolean;
  trace: boolean;
  /** Whether somebody reads the pieces as they come; otherwise many come at once. */
  streams: boolean;
  /** Tokens decoded ahead; -1: as many as pay. */
  guesses: number;
  /** Milliseconds from now; 0: none. */
  timeout: number;
  sampling: NativeSampling;
  baseBiases?: NativeBiases;
  alignedBiases?: NativeBiases;
  /** Missing: no penalty. */
  repeat?: NativeRepeat;
}

export interface NativeInspection {
  id: number;
  /** By its place. */
  lane: number;
  prompt: NativePrompt;
  text: string;
  tokens: number[];
  sampling: NativeSampling;
  /** How many of the likeliest tokens to list. */
  candidates: number;
  biases?: NativeBiases;
  repeat?: NativeRepeat;
  /** Judge each token of the context. */
  scores?: boolean;
}

export interface NativeCounting {
  id: number;
  count: { base?: NativePrompt; aligned?: NativePrompt; others?: NativeOther[] };
  /** The texts of segments alone: no control tokens, no BOS. */
  plain: boolean;
  /** With it the aligned model's tokens include those that a check needs behind an answer. */
  guard?: NativeGuard;
  /** List the tokens, and these behind them. Of plain texts. */
  list?: number[];
}

export type NativeRequest = NativeGeneration | NativeInspection | NativeCounting;

export interface NativeFinished {
  type: 'finished';
  id: number;
  stopReason: StopReason;
  endedBy?: LaneName;
  text: string;
  rounds: Round[];
  decisions: Decision[];
  spans: DecodeSpan[];
  stats: {
    base: LaneStats;
    aligned: LaneStats;
    /** Of the models behind them, in the order of their places. */
    others: LaneStats[];
    tokens: number;
    baseTokens: number;
    mixedTokens: number;
    ties: number;
    queuedMs: number;
    firstPieceMs: number;
    totalMs: number;
  };
  /** Where there was one. */
  guard?: GuardStats & { refusal?: string };
}

export interface NativeInspected {
  type: 'inspected';
  id: number;
  top1: Top1 & { runnerUp: number; entropy: number };
  candidates: Candidate[];
  context: number[];
  /** Of the context behind its first token, if they were wanted. */
  scores: TokenScore[];
}

/** Comes before the first piece of a generation with `thinking` or `whole`. */
export interface NativeBegun {
  type: 'begun';
  id: number;
  /** How far the end of the prompt brings the thinking part. */
  thinking: ThinkingState;
}

export interface NativeCounted {
  type: 'counted';
  id: number;
  /** By place; -1 for models that were not asked. */
  tokens: number[];
  /** Of the last of them, if they were to be listed and there are any. */
  listed?: TextToken[];
}

export type NativeEvent =
  | { type: 'progress'; lane: string; fraction: number }
  | ({ type: 'warning' } & NudgingWarning)
  | { type: 'loaded'; models: (ModelInfo & { name: string })[]; parallel: number; deterministic: boolean; whyNotDeterministic: string }
  | { type: 'load-failed'; code: ErrorCode; message: string; needed?: number; available?: number }
  | { type: 'pieces'; parts: { id: number; pieces: Piece[] }[] }
  | NativeFinished
  | NativeInspected
  | NativeBegun
  | NativeCounted
  | { type: 'failed'; id: number; code: ErrorCode; message: string }
  | NativeAsked
  | { type: 'given-up'; call: number }
  | { type: 'closed' };

let loaded: NativeAddon | undefined;
let current: Binary | undefined;

/** The binary that {@link loadNative} loads, or has loaded; nothing if there is none. */
export function addonBinary(): Binary | undefined {
  try {
    return current ?? findBinaries(surroundings(requireHere()))[0];
  } catch {
    return undefined;
  }
}

/**
 * Loads the addon: lib/binary/find.ts says which.
 *
 * @throws NudgingError ERR_NATIVE_LOAD, with what to do about it
 */
export function loadNative(): NativeAddon {
  if (loaded) return loaded;
  // Bundled, no other remedy would help.
  const load = requireHere();
  const binaries = findBinaries(surroundings(load));
  const failures: NudgingError[] = [];
  for (const binary of binaries) {
    try {
      loaded = load(binary.path) as NativeAddon;
      current = binary;
      break;
    } catch (cause) {
      failures.push(notLoaded(binary, cause));
    }
  }
  if (!loaded) throw failures.at(-1) as NudgingError;
  // The GPU stays idle: whoever installed a package for it wants to know.
  for (const { message } of failures) process.emitWarning(`${message}; ${current?.from} is used instead`, { code: 'NUDGING_GPU_BINARY' });
  return loaded;
}

function notLoaded({ path, from }: Binary, cause: unknown): NudgingError {
  const named = from === 'NUDGING_BINARY' ? path : undefined;
  const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
  const { permission } = process as { permission?: { has(scope: string, reference?: string): boolean } };
  const remedy = remedyFor(cause, { named, permission, packageRoot: inPackage('') });
  const what = from === 'build' || named ? `for ${process.platform}-${process.arch}` : `of ${from}`;
  const message = `the native addon ${what} could not be loaded (${reason}): ${remedy}`;
  return new NudgingError('ERR_NATIVE_LOAD', message, { cause, ...(named ? { option: 'NUDGING_BINARY', value: named } : {}) });
}
