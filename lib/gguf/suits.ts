import type { GgufValue } from './header.ts';

/** Whether a model is fit to be the base or the aligned model of a pair. */
export interface Suits {
  /** `yes`; `no`; `perhaps`: the file does not tell. */
  base: 'yes' | 'perhaps' | 'no';
  aligned: 'yes' | 'perhaps' | 'no';
  /** What speaks for that, as a sentence. */
  because: string;
}

/** Architectures that do not write text from left to right; llama.cpp's names. */
const others = /bert|t5|embedding|clip|^wavtokenizer|^dream|^llada|^diffusion/;

/** Words of names that say that a model was tuned to follow instructions. */
const tuned = /(^|[^a-z])(instruct|chat|it|sft|dpo|rlhf|assistant|tuned|zephyr|hermes|vicuna|alpaca|tulu)([^a-z]|$)/i;
const untuned = /(^|[^a-z])(base|pretrained|pt|foundation)([^a-z]|$)/i;

/**
 * What a model suits for. The base should not be tuned to follow instructions, and the aligned one must be, with a template for chats.
 * Files do not say that in so many words: names and the template tell.
 */
export function suits(
  values: ReadonlyMap<string, GgufValue>,
  about: {
    /** Of the file: it often says more than the name in it. */
    fileName: string;
    architecture: string | undefined;
    chatTemplate: string | undefined;
    parameters: number;
    /** Why the engine refuses the file. */
    refusal: string | undefined;
  },
): Suits {
  const { fileName, architecture = '', chatTemplate, parameters, refusal } = about;
  const neither = (because: string): Suits => ({ base: 'no', aligned: 'no', because });
  if (parameters === 0) return neither('It holds no weights.');
  if (others.test(architecture)) return neither(`Models of the architecture ${architecture} do not write text from left to right.`);
  if (refusal !== undefined) return neither('The engine refuses it.');
  const names = ['general.finetune', 'general.name', 'general.basename']
    .map((key) => values.get(key))
    .filter((value) => typeof value === 'string');
  const tags = values.get('general.tags');
  const words = [fileName.replace(/\.gguf$/i, ''), ...names, ...(typeof tags === 'object' ? (tags.items ?? []) : [])].join(' ');
  const word = tuned.exec(words)?.[2];
  if (word !== undefined) {
    const because = `Its name has "${word}" in it, so it was tuned to follow instructions`;
    return chatTemplate === undefined
      ? { base: 'no', aligned: 'perhaps', because: `${because}, but it has no chat template: pass one with --aligned-prompt.` }
      : { base: 'no', aligned: 'yes', because: `${because}, and it has a chat template.` };
  }
  if (chatTemplate === undefined) {
    return { base: 'yes', aligned: 'no', because: 'It has no chat template, as base models have none.' };
  }
  if (untuned.test(words)) {
    return {
      base: 'yes',
      aligned: 'no',
      because: 'It is called a base model, though it has a chat template, as some families give to both.',
    };
  }
  return {
    base: 'perhaps',
    aligned: 'yes',
    because: 'It has a chat template. Most such models are tuned to follow instructions; some families give one to their base models too.',
  };
}
