// Models that are loaded, and where they lie.

/** How a model is divided over several GPUs. */
export type SplitMode = 'none' | 'layer' | 'row' | 'tensor';

/** Puts weights elsewhere than the rest of their layer. */
export interface TensorOverride {
  /** A regular expression, found anywhere in the weight's name, such as `^blk\\.[0-9]\\.ffn_.*_exps`. */
  pattern: string;
  /** One of the model's GPUs by its name, or `CPU`. */
  device: string;
}

/** ggml's names of what a KV cache can hold: numbers of 16 or 32 bits, or blocks of 32 numbers of 8, 5 or 4 bits. */
export type KvCacheType = 'f16' | 'bf16' | 'f32' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0';

/** What a model takes, in bytes, over host and GPUs. */
export interface MemoryUse {
  /** Weights. Engines of one process that load the same file with the same `gpuLayers` share them. */
  weights: number;
  /**
   * Those among the weights that are the file's own pages: other processes share them, and a system short of memory drops them and reads
   * them again.
   */
  mapped: number;
  /**
   * The weights again, by llama.cpp's name of the kind of memory they are in: "CPU" as they are in the file; "CPU_REPACK" and "AMX" in an
   * order of their own, for faster kernels (see `cpuBuffers`); others on GPUs.
   */
  buffers: Record<string, number>;
  /** KV cache or recurrent state, of all `parallel` requests. */
  cache: number;
  /** Buffers of the forward pass. */
  compute: number;
}

/** What is known of a loaded model. */
export interface ModelInfo {
  path: string;
  /** Such as "llama 8B Q4_0". */
  description: string;
  parameters: number;
  /** Size of the weights. */
  bytes: number;
  /** Tokens that a request's prompt and answer can have together. */
  context: number;
  /** Tokens that the model was trained with. */
  trainedContext: number;
  /** Number of tokens in the vocabulary. */
  vocabulary: number;
  hasChatTemplate: boolean;
  /** Layers on the GPU, the output layer counted as one; 0 without a GPU. */
  gpuLayers: number;
  /**
   * How many of them are on which GPU, by its name: `{ CUDA0: 17, CUDA1: 16 }`. With `splitMode` `row` or `tensor` the shares of what is
   * divided.
   */
  devices: Record<string, number>;
  /** Whether its likeliest tokens are found where its output layer is; see `deviceTop1`. */
  deviceTop1: boolean;
  /** `none` where the model is on another machine. */
  kvCache: KvCacheType | 'none';
  memory: MemoryUse;
  /**
   * Of a model on another machine, whose `path` is that of its tokenizer, and whose other numbers are 0 as far as they are its weights'.
   */
  remote?: { url: string; api: string; model?: string };
}

/** How a server is that has a model. */
export interface ServerState {
  url: string;
  api: string;
  /** `failing`: its last calls have failed, and for a while it is not asked. */
  state: 'ok' | 'failing';
  /** Calls in a row that have failed. */
  failures: number;
  /** Whether it has said, within two seconds, that it is well: now, or a second ago. */
  answers: boolean;
}

/** Something that a user should know though all goes on. */
export interface NudgingWarning {
  /**
   * Stable, for programs. `WARN_KERNEL_DISABLED`: a kernel of an extra CPU buffer multiplies wrongly or crashes on this machine, and the
   * buffer is not used (see `cpuBuffers`); or a GPU finds other likeliest tokens than its own logits have, and the host does it (see
   * `deviceTop1`).
   */
  code: 'WARN_KERNEL_DISABLED';
  message: string;
}

/** llama.cpp's extra CPU buffers: kinds of memory in which weights lie in an order of their own, for kernels of their own. */
export type CpuBuffer = 'amx' | 'repack' | 'kleidiai' | 'spacemit';
