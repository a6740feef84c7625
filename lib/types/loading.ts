// Options of loading and of downloads, and what is told meanwhile.
import type { LaneName } from './answer.ts';
import type { AbortSignalLike, GenerateOptions } from './generation.ts';
import type { SplitMode, TensorOverride, KvCacheType, NudgingWarning, CpuBuffer } from './models.ts';

/** How far loading is. What is named and not in the cache is downloaded first. */
export type LoadProgress = WeightsProgress | (DownloadProgress & { /** As for {@link WeightsProgress}. */ lane: string });

/** How far the reading of a model is. */
export interface WeightsProgress {
  kind: 'load';
  /** `base`, `aligned`, `reference`, or a name among `otherModels`. */
  lane: string;
  /** Fraction of this model's weights, in [0, 1]. */
  fraction: number;
}

/** How far the download of one file is. At most ten times a second for each file, and whenever its state changes. */
export interface DownloadProgress {
  kind: 'download';
  /** The model's name, as it was given. */
  name: string;
  /** The file's path in its repository; a split model has several. */
  file: string;
  /**
   * `waiting`: another process is downloading it. `checking`: what an earlier attempt left is read again. `done`: it is in the cache, and
   * is what the hub says it is.
   */
  state: 'waiting' | 'checking' | 'receiving' | 'done';
  /** Bytes that are here, those of an earlier attempt included. */
  received: number;
  /** Bytes of the whole file. */
  bytes: number;
  /** received ÷ bytes, in [0, 1]. */
  fraction: number;
}

/** Options of {@link pull}. */
export interface PullOptions {
  /** Whether the hub is asked what the revision means now. Default true; with false, what the cache has is good enough, as for loading. */
  update?: boolean;
  /** Called as files arrive. What it throws ends the downloads, and `pull` rejects with it. */
  onProgress?: (progress: DownloadProgress) => void;
  /** Ends the downloads; the next ones go on from there. `pull` then rejects with the signal's reason. */
  signal?: AbortSignalLike;
}

/** What {@link pull} found or fetched. */
export interface Pulled {
  /** The file to load, in the cache: of a split model the first. */
  path: string;
  /** All files of the model. */
  paths: string[];
  /** The commit that the revision means. */
  commit: string;
  /** Bytes of all files. */
  bytes: number;
  /** Bytes of those that were fetched for this call. */
  downloaded: number;
}

/** A model that a server has, and that is asked over HTTP (docs/remote.md). */
export interface RemoteModel {
  /** Where the server is, such as `http://10.0.0.2:30000`: http or https, without a user's name in it. */
  url: string;
  /** How it is spoken to: as SGLang's `/generate`, vLLM's `/v1/completions` or llama-server's `/completion`. */
  api: 'sglang' | 'vllm' | 'llama-server';
  /**
   * Path of a GGUF file with the model's vocabulary, or its name on the hub, of which the header alone is fetched: texts become tokens
   * here, and token ids go both ways. A file with weights will do, of which nothing else is read. At load it is compared with the server's
   * own tokenizer.
   */
  tokenizer: string;
  /** The name under which the server has it. Default: of a server that has several, the first. */
  model?: string;
  /** Sent with every request, such as `{ Authorization: 'Bearer …' }`. */
  headers?: Readonly<Record<string, string>>;
  /** Milliseconds that the server may say nothing, 1 to 3,600,000. Default 60,000. Long prompts take time before the first token. */
  timeout?: number;
  /** Most calls at a time, 1 to 1024; further ones wait. Default 64. */
  connections?: number;
}

/** What to load. Everything from {@link GenerateOptions} is the default of the engine's generations. */
export interface LoadOptions extends Omit<GenerateOptions, 'signal'> {
  /**
   * A pair's manifest (pair.json), or the name of a pair that is known (docs/models.md), unless there is a file of that name. Default: the
   * demo pair, unless `base` and `aligned` are given. Options given beside it win over it.
   */
  pair?: string;
  /**
   * Path of the base model's GGUF file, or its name on the Hugging Face hub: `hf:owner/repo`, `hf:owner/repo:Q4_K_M` or
   * `hf:owner/repo/FILE.gguf`, with `@REVISION` at the end or not. What the cache has of a name is loaded without asking the hub; else it
   * is downloaded first (docs/models.md). Or a {@link RemoteModel}: one that a server of yours has.
   */
  base?: string | RemoteModel;
  /** Path or name of the aligned model, or a model that a server has, likewise. */
  aligned?: string | RemoteModel;
  /**
   * Further models by names of your own, as paths of GGUF files or names on the hub, at most 14. They are loaded beside the pair, into the
   * same memory plan and with the same settings as both models, and answer {@link Nudging.inspect}. No rule asks them by itself;
   * `mode: 'ensemble'` does if `weights` names them. Names are 1 to 32 letters, digits, - and _, not only digits, and other than `base`,
   * `aligned` and `reference`.
   */
  otherModels?: Record<string, string>;
  /**
   * Path of the model that the aligned one was before it was aligned (the small base), for `mode: 'proxy-tuning'`. It is loaded beside the
   * pair, as `otherModels` are, under the name `reference`, and prompted as the base is.
   */
  reference?: string;
  /**
   * Layers on the GPU, for both models or each, the output layer counted as one; -1 (default): all. `auto`: as many as fit beside contexts
   * of at most 4096 tokens, first the aligned model's, which is small and called most often, then the base's. Without a GPU backend it has
   * no effect.
   */
  gpuLayers?: number | 'auto' | Partial<Record<LaneName, number | 'auto'>>;
  /**
   * GPUs by llama.cpp's names, such as `['CUDA0', 'CUDA1']`, 1 to 16, for both models or each: those that the model may use. Default: all.
   * `nudging doctor` lists them. Upper and lower case are the same. Rejects with ERR_DEVICE_UNSUITABLE for one that is not there.
   */
  devices?: readonly string[] | Partial<Record<LaneName, readonly string[]>>;
  /**
   * How a model is divided over several GPUs, for both models or each. `layer`: each has some of the layers; `none`: one has all; `tensor`:
   * all work on every layer together, with parts of its weights (not with all architectures, and with flash attention); `row`: parts of
   * weights by their rows, which llama.cpp v0.5.0 has for SYCL and not for CUDA. Default: the base by layers over all, each other model
   * whole on the one where most is left, or by layers where it fits on none. With fewer than two GPUs it has no effect. Rejects with
   * ERR_DEVICE_UNSUITABLE where the GPUs cannot do it.
   */
  splitMode?: SplitMode | Partial<Record<LaneName, SplitMode>>;
  /**
   * Proportions of the model on its GPUs, in their order, for both models or each: as many numbers from 0 to 1,000,000 as it has GPUs.
   * Default: by the memory that is left there.
   */
  tensorSplit?: readonly number[] | Partial<Record<LaneName, readonly number[]>>;
  /** The GPU that has all of the model, by its place among them, 0 to 15, for both models or each. It implies `splitMode: 'none'`. */
  mainGpu?: number | Partial<Record<LaneName, number>>;
  /**
   * Keeps the experts of a mixture-of-experts model on the host: all with `true`, or of so many layers from the first on, 0 to 100,000; for
   * both models or each. Default false. It has no effect on other models.
   */
  cpuMoe?: boolean | number | Partial<Record<LaneName, boolean | number>>;
  /**
   * Weights that are elsewhere than the rest of their layers, at most 64, for both models or each; the first pattern that is found in a
   * weight's name decides, and `cpuMoe` comes after them. Patterns are simple regular expressions: nothing that repeats is inside of
   * something that does, and what could take long to match is refused. Rejects with ERR_DEVICE_UNSUITABLE for a device that the model may
   * not use or that cannot compute with such a weight, and for a pattern that is in no name.
   */
  overrideTensors?: readonly TensorOverride[] | Partial<Record<LaneName, readonly TensorOverride[]>>;
  /**
   * Whether what models find likeliest is computed where their output layers are, so that logits stay on a GPU but for those of which more
   * is wanted (sampling, `logitBias`, the entropy, distributions). Default: tried on a model's GPU when it is loaded, and done if that
   * finds what the host finds, takes no longer, and has room for it that nothing else needs; on a CPU it works and is slower. The same as
   * the host would find, within 1e-5, but for exact ties. Where a device cannot, the host does it: `models.base.deviceTop1` tells.
   */
  deviceTop1?: boolean;
  /**
   * Fills passes up to a few numbers of tokens with dummies that nobody reads, so that llama.cpp uses its last graph again. Default false.
   * It has an effect with `deviceTop1` alone, and where sequences share one cache, which takes places for the dummies. It may pay on a GPU
   * (docs/gpu.md), and never does on a CPU.
   */
  padPasses?: boolean;
  /**
   * CPU threads for each model, 1 to 512. Default: the cores that this process may use, by affinity and by a container's CPU quota, fewer
   * for a small model, whose threads would wait for each other on a busy machine.
   */
  threads?: number;
  /**
   * Tokens of prompt and answer together, for both models or each. Default: what the model was trained with, at most 4096. `auto`: what it
   * was trained with, or as much of that as fits into memory beside the weights of both models, but at least 256 tokens; what does not fit
   * is cut to the same length for both.
   */
  context?: number | 'auto' | Partial<Record<LaneName, number | 'auto'>>;
  /**
   * Type of the KV caches, for both models or each. Default `f16`. `q8_0` takes 53 % of that, `q4_0` 28 %; the quantised types need
   * attention heads of a multiple of 32 numbers, and change what the model says a little.
   */
  kvCache?: KvCacheType | Partial<Record<LaneName, KvCacheType>>;
  /**
   * Requests that decode together, 1 to 256; others wait their turn. Each takes a KV cache, used or not. `auto` (default): up to 4, as many
   * as fit into half of the memory that one leaves free; `context` goes first. {@link Nudging.parallel} says how many there are.
   */
  parallel?: number | 'auto';
  /** Most tokens in one decode call, 1 to 65536. Default 512. */
  batch?: number;
  /** Requests that may wait for a place, 0 to 1,000,000,000; further ones fail at once with ERR_BUSY. Default 1024. */
  maxQueue?: number;
  /**
   * Whether both models decode at the same time, and the aligned model drafts on while the base is busy. Default: if one of them runs on a
   * GPU; on a CPU they would take each other's cores. Where one GPU has both, several requests at once gain from it, and a single one was
   * faster without (docs/gpu.md). It never changes which rules apply; as for `speculation`, a tie may go otherwise
   * where the engine is not {@link Nudging.deterministic}.
   */
  overlap?: boolean;
  /**
   * Whether a request gives the same bits (decisions and probabilities) alone and beside any others, with or without speculation, overlap
   * and shared prefixes, after parking, and for any number of threads, on one machine with one build. Default: where it can be had, which
   * is on CPUs with nearly all architectures ({@link Nudging.deterministic} says whether it is so). `true` rejects with
   * ERR_NOT_DETERMINISTIC where it cannot; `false` takes llama.cpp's own kernels, which are seldom faster (docs/determinism.md).
   */
  deterministic?: boolean;
  /**
   * Whether attention is computed in tiles, without a matrix of all scores, for both models or each. `auto` (default): yes where the engine
   * is deterministic, which has a kernel of its own, on a GPU, with a quantised `kvCache` (which needs it), and for contexts up to 512
   * tokens; else no, because llama.cpp's own kernel for CPUs takes twice as long from some hundred tokens on. Either way is deterministic,
   * each with its own bits; without it, sequences do not share prefixes then.
   */
  flashAttention?: boolean | 'auto' | Partial<Record<LaneName, boolean | 'auto'>>;
  /**
   * Runs the engine in a process of its own, behind the same API. Default false. What would end this process (a failed check inside
   * llama.cpp, a fault in a GPU driver, the system's out-of-memory killer) then rejects that engine's requests with ERR_ENGINE_CRASHED, and
   * the next request starts another process and loads the models again. Its price is in docs/isolation.md. The process gets this one's
   * environment (without a debugger's options) and working directory, and ends with it.
   */
  isolate?: boolean;
  /**
   * Servers of llama.cpp's RPC (`nudging rpc-server` on another machine, of this same version), 1 to 16 as `host:port`, each once. Their
   * devices, RPC0, RPC1 and so on in this order, take layers as GPUs do: unless `devices` says otherwise the base's, together with the GPUs
   * of this machine, where the other models stay. For closed networks: there is neither a password nor encryption (docs/rpc.md).
   *
   * It implies `isolate: true` and cannot be had with `false`, because llama.cpp ends the process that loses a server: its requests reject
   * with ERR_ENGINE_CRASHED, whose message names the server, and the next one asks all servers again.
   */
  rpcServers?: readonly string[];
  /**
   * Milliseconds, 100 to 3,600,000, for which one of `rpcServers` may be silent while an answer is due, before it counts as lost. Default
   * 60,000. It must be longer than a pass over `batch` tokens takes there. A machine that is gone altogether is noticed within half a
   * minute in any case.
   */
  rpcTimeout?: number;
  /**
   * Which of llama.cpp's extra CPU buffers the weights may be put into: `'all'` (default) that this machine has, `'plain'`: none, or a list
   * of names. They copy the weights and are faster. `NUDGING_CPU_BUFFERS` (a name, or several with commas) holds where the option is
   * missing. Upper and lower case are the same. Whatever is chosen, a buffer whose kernels give wrong answers here is left out, with a
   * warning.
   */
  cpuBuffers?: 'all' | 'plain' | readonly CpuBuffer[];
  /**
   * Whether weights may be pages of the model's file, as llama.cpp has them where it can. Default true: nothing is copied, and processes
   * share them. But a file that is cut or overwritten in place then ends the process with SIGBUS. `false` reads the weights into memory of
   * their own, and the file is not needed any more (docs/model-files.md).
   */
  mmap?: boolean;
  /** Called as models are downloaded and weights are read. What it throws ends the loading, and `load` rejects with it. */
  onProgress?: (progress: LoadProgress) => void;
  /**
   * Called for each warning while loading. Default: `process.emitWarning`, which prints it once with the type `NudgingWarning`. What it
   * throws ends the loading, as for `onProgress`.
   */
  onWarning?: (warning: NudgingWarning) => void;
  /** Gives up loading; `load` then rejects with the signal's reason. */
  signal?: AbortSignalLike;
}
