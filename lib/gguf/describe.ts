import { basename, dirname, join } from 'node:path';
import { untilAborted } from '../abort.ts';
import { NudgingError } from '../errors.ts';
import { lookUp } from '../hub/look-up.ts';
import { isHubName, nameOf, readHubName } from '../hub/name.ts';
import { hubSettings } from '../hub/settings.ts';
import { loadNative, type NamedToken, type NativeFailure, type NativeModelFacts } from '../native.ts';
import { reject } from '../options.ts';
import type { AbortSignalLike, ChatMessage, PromptSegment } from '../types.ts';
import { openBytes, type ByteSource } from './bytes.ts';
import { HeaderError, readHeader, type GgufHeader } from './header.ts';
import { suits, type Suits } from './suits.ts';
import { fileTypes, tensorTypes } from './types.ts';

export type { NamedToken } from '../native.ts';

/** The weights of one type. */
export interface WeightsOfType {
  type: string;
  tensors: number;
  parameters: number;
  bytes: number;
}

/** What a GGUF file says of the model in it. Missing is what it does not say. */
export interface ModelDescription {
  /** Missing where the model is not on this machine. */
  path?: string;
  /** Of a model on the hub that the cache does not have: where its header was read. */
  remote?: {
    /** The name that means exactly its first file, `hf:owner/repo/FILE.gguf`. */
    name: string;
    commit: string;
    /** Bytes that were fetched. */
    fetched: number;
  };
  /** Of all parts. */
  bytes: number;
  /** Files that the model consists of. */
  parts: number;
  name?: string;
  /** llama.cpp's name of it, such as `llama`. */
  architecture?: string;
  parameters: number;
  quantization: {
    /** As the file calls its mixture, such as `Q4_K_M`, or the type that most of its weights have. */
    name: string;
    bitsPerWeight: number;
    /** The one with most bytes first. */
    types: WeightsOfType[];
  };
  /** Tokens that it was trained with. */
  trainedContext?: number;
  layers?: number;
  embedding?: number;
  tokenizer: {
    /** Such as `gpt2` (byte-level BPE) or `llama` (SentencePiece). */
    model?: string;
    /** Which way of splitting texts. */
    pre?: string;
    tokens: number;
    bos?: NamedToken;
    eos?: NamedToken;
    /** Put in front of every prompt. Needs the native addon, as `endTokens` does, and the file on this machine. */
    leading?: NamedToken;
  };
  /** Each ends a generation. */
  endTokens?: NamedToken[];
  /** Jinja source. */
  chatTemplate?: string;
  /** A sample chat as the template makes a prompt of it; `special` stretches may spell control tokens. */
  rendered?: PromptSegment[];
  /** Whether its memory is a state that cannot be cut back, for all layers or some. */
  recurrent?: boolean;
  suits: Suits;
  /** Things that somebody who wants to use it should know, a sentence each. */
  warnings: string[];
}

/** The chat that is rendered, unless another is given. */
export const sampleChat: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What is a harbor?' },
];

/**
 * Describes the model in a GGUF file: its header is read, and no weights. For the rendered template and the tokens that end a generation
 * the native addon is asked, which reads the vocabulary; where it refuses the file, what the header says is returned with the reason among
 * the warnings.
 *
 * @param source the path of the (first) file; a name, `hf:owner/repo` and so on as for {@link pull}: of a model that the cache does not
 *   have, the first megabytes are fetched and kept nowhere; or bytes wherever they are. Where there is no file, nothing native is asked
 * @throws NudgingError ERR_MODEL_UNREADABLE, ERR_MODEL_INVALID (no GGUF file, or damaged), ERR_INVALID_OPTION; of names the codes of
 *   {@link HubErrorCode}; rejects with the signal's reason if `signal` is aborted meanwhile
 */
export async function describeModel(
  source: string | ByteSource,
  { chat = sampleChat, signal }: { chat?: readonly ChatMessage[]; signal?: AbortSignalLike } = {},
): Promise<ModelDescription> {
  if (typeof source === 'string' && isHubName(source)) return untilAborted(signal, (stopped) => describeNamed(source, chat, stopped));
  if (typeof source === 'string' && source !== '') return describeFile(source, chat);
  if (typeof source !== 'object' || source === null || typeof source.read !== 'function')
    reject('source', source, 'the path of a GGUF file, a name such as hf:owner/repo, or an object with `size` and `read`');
  try {
    return describe([await readHeader(source)], source.size);
  } catch (error) {
    if (error instanceof HeaderError) throw new NudgingError('ERR_MODEL_INVALID', `the model ${error.message}`, { cause: error });
    throw error;
  }
}

async function describeNamed(text: string, chat: readonly ChatMessage[], signal: AbortSignal): Promise<ModelDescription> {
  const found = await lookUp(readHubName(text, 'source'), await hubSettings(), signal);
  if ('path' in found) return describeFile(found.path, chat);
  const { repo, revision, commit, files } = found;
  const [first] = files;
  if (!first) throw new Error('a name means at least one file');
  try {
    const headers: GgufHeader[] = [];
    // One after the other: those of further parts are short.
    for (const { bytes } of files) headers.push(await readHeader(bytes));
    const sum = (of: (file: (typeof files)[number]) => number) => files.reduce((total, file) => total + of(file), 0);
    const remote = { name: nameOf(repo, first.path, revision), commit, fetched: sum(({ bytes }) => bytes.fetched) };
    return {
      remote,
      ...describe(
        headers,
        sum(({ bytes }) => bytes.size),
        basename(first.path),
      ),
    };
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    throw new NudgingError('ERR_MODEL_INVALID', `"${text}" ${error.message}`, { option: 'source', value: text, cause: error });
  }
}

async function describeFile(path: string, chat: readonly ChatMessage[]): Promise<ModelDescription> {
  let headers: { header: GgufHeader; bytes: number }[];
  const facts = askNative(path, chat);
  try {
    const first = await headerOf(path);
    headers = [first, ...(await Promise.all(otherParts(path, first.header).map(headerOf)))];
  } catch (error) {
    // The engine knows more about files that are no models.
    const failure = await facts;
    if (failure && 'code' in failure)
      throw new NudgingError(failure.code, failure.message, { option: 'source', value: path, cause: error });
    if (error instanceof HeaderError)
      throw new NudgingError('ERR_MODEL_INVALID', `"${path}" ${error.message}`, { option: 'source', value: path, cause: error });
    const message = `cannot read "${path}" (${(error as Error).message}): check the path and its permissions`;
    throw new NudgingError('ERR_MODEL_UNREADABLE', message, { option: 'source', value: path, cause: error });
  }
  const bytes = headers.reduce((sum, each) => sum + each.bytes, 0);
  const known = await facts;
  return {
    path,
    ...describe(
      headers.map(({ header }) => header),
      bytes,
      basename(path),
      known,
    ),
  };
}

/** What the engine says; undefined where there is none. */
async function askNative(path: string, chat: readonly ChatMessage[]) {
  try {
    return await loadNative().modelFacts(path, chat);
  } catch (error) {
    if (error instanceof NudgingError) return undefined;
    throw error;
  }
}

async function headerOf(path: string): Promise<{ header: GgufHeader; bytes: number }> {
  const source = await openBytes(path);
  try {
    return { header: await readHeader(source), bytes: source.size };
  } finally {
    await source.close();
  }
}

/** Paths of the further files of a model in parts: `…-00002-of-00003.gguf` beside the first. */
function otherParts(path: string, { values }: GgufHeader): string[] {
  const count = values.get('split.count');
  const name = /^(.*)-00001-of-(\d{5})\.gguf$/.exec(basename(path));
  if (typeof count !== 'number' || count < 2 || count > 99_999 || !name || Number(name[2]) !== count) return [];
  return Array.from({ length: count - 1 }, (_, index) =>
    join(dirname(path), `${name[1]}-${String(index + 2).padStart(5, '0')}-of-${name[2]}.gguf`),
  );
}

function describe(
  headers: GgufHeader[],
  bytes: number,
  fileName = '',
  asked?: NativeModelFacts | NativeFailure,
): Omit<ModelDescription, 'path'> {
  const { values } = headers[0] as GgufHeader;
  const text = (key: string) => textOf(values.get(key));
  const number = (key: string) => numberOf(values.get(key));
  const architecture = text('general.architecture');
  const own = (key: string) => (architecture === undefined ? undefined : number(`${architecture}.${key}`));
  const tokens = values.get('tokenizer.ggml.tokens');
  const list = typeof tokens === 'object' ? tokens : { count: 0, items: [] };
  const named = (key: string): NamedToken | undefined => {
    const token = number(key);
    const name = token === undefined ? undefined : list.items?.[token];
    return token !== undefined && typeof name === 'string' ? { token, text: name } : undefined;
  };
  const facts = asked && !('code' in asked) ? asked : undefined;
  const types = typesOf(headers);
  const parameters = types.reduce((sum, each) => sum + each.parameters, 0);
  const weightBytes = types.reduce((sum, each) => sum + each.bytes, 0);
  const described = {
    bytes,
    parts: Math.max(headers.length, number('split.count') ?? 1),
    name: text('general.name'),
    architecture,
    parameters,
    quantization: {
      name: fileTypes[number('general.file_type') ?? -1] ?? types[0]?.type ?? 'none',
      bitsPerWeight: parameters === 0 ? 0 : (weightBytes * 8) / parameters,
      types,
    },
    trainedContext: own('context_length') ?? facts?.trainedContext,
    layers: own('block_count'),
    embedding: own('embedding_length'),
    tokenizer: without({
      model: text('tokenizer.ggml.model'),
      pre: text('tokenizer.ggml.pre'),
      tokens: list.count,
      bos: named('tokenizer.ggml.bos_token_id'),
      eos: named('tokenizer.ggml.eos_token_id'),
      leading: facts?.leading,
    }),
    endTokens: facts?.ends,
    chatTemplate: text('tokenizer.chat_template') || undefined,
    rendered: facts && facts.rendered.length > 0 ? facts.rendered : undefined,
    recurrent: facts?.recurrent,
  };
  const suited = suits(values, { ...described, fileName, refusal: asked && 'code' in asked ? asked.message : undefined });
  return { ...without(described), suits: suited, warnings: warningsOf(described, headers, asked) };
}

/** Without what is undefined. */
function without<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

function typesOf(headers: readonly GgufHeader[]): WeightsOfType[] {
  const types = new Map<string, WeightsOfType>();
  for (const { type, elements, bytes } of headers.flatMap(({ tensors }) => tensors)) {
    const sum = types.get(type) ?? { type, tensors: 0, parameters: 0, bytes: 0 };
    types.set(type, { type, tensors: sum.tensors + 1, parameters: sum.parameters + elements, bytes: sum.bytes + bytes });
  }
  return [...types.values()].sort((one, other) => other.bytes - one.bytes);
}

function warningsOf(
  described: Pick<ModelDescription, 'parameters' | 'quantization' | 'parts' | 'tokenizer'> & {
    [K in 'trainedContext' | 'chatTemplate' | 'endTokens' | 'recurrent']: ModelDescription[K] | undefined;
  },
  headers: readonly GgufHeader[],
  asked: NativeModelFacts | NativeFailure | undefined,
): string[] {
  const { parameters, quantization, parts, tokenizer, trainedContext, chatTemplate, endTokens, recurrent } = described;
  const plain = new Set(Object.values(tensorTypes).flatMap((type) => (type.plain ? [type.name] : [])));
  const rounded = quantization.types.some(({ type }) => !plain.has(type));
  return [
    asked && 'code' in asked ? `The engine refuses it: ${asked.message}.` : '',
    asked && 'templateFailure' in asked && asked.templateFailure !== '' ? `Its chat template fails: ${asked.templateFailure}.` : '',
    parameters === 0 && !asked ? 'It holds no weights.' : '',
    parts > headers.length ? `It is one of ${parts} parts, and only this one was read: sizes are those of this part.` : '',
    rounded && quantization.bitsPerWeight < 3 && parameters > 0
      ? `It has ${quantization.bitsPerWeight.toFixed(1)} bits a weight: below 3, probabilities are far from those of the original.`
      : '',
    tokenizer.tokens === 0 ? 'It has no vocabulary.' : '',
    tokenizer.model === 'gpt2' && tokenizer.pre === undefined
      ? 'It does not say how it splits texts (tokenizer.ggml.pre), and may split numbers and punctuation wrongly: convert it again.'
      : '',
    endTokens?.length === 0 ? 'No token ends a generation: as the aligned model it would go on until the longest length.' : '',
    chatTemplate !== undefined && endTokens?.length === 1 && endTokens[0]?.text === '</s>' && /<\|im_end\|>|<\|eot_id\|>/.test(chatTemplate)
      ? 'Its chat template ends turns with a token that does not end a generation.'
      : '',
    trainedContext !== undefined && trainedContext < 1024
      ? `It was trained with ${trainedContext} tokens: prompt and answer have to fit.`
      : '',
    recurrent === true ? 'Its memory cannot be cut back, so each hand-over decodes the context again.' : '',
  ].filter(Boolean);
}
