import { reject } from '../options.ts';

/** A model on the hub, as its name says it. Every part has been checked: they become parts of URLs and of paths in the cache. */
export interface HubName {
  /** As it was written. */
  text: string;
  /** `owner/name`. */
  repo: string;
  /** A file of the repository, or one part of a split model. */
  file?: string;
  /** Part of a file's name, such as `Q4_K_M`. */
  quant?: string;
  /** A branch, a tag or a commit. */
  revision: string;
}

const scheme = 'hf:';

/** What a revision is where a name says none. */
const mainBranch = 'main';

const most = 96;
// As the hub and llama.cpp have it: "." and "-" stand alone between others, so nothing can be "..", and "--" is free for folder names.
const word = /^\w+(?:[.-]\w+)*$/;
const tag = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;
const filePart = /^\w(?:[\w.+=()~, -]*[\w+=()~-])?$/;

/** Whether a text that stands where a path may stand is a name. */
export function isHubName(text: string): boolean {
  return text.startsWith(scheme);
}

/** Whether a text is the path of a file inside a repository that may become one on this disk. */
export function isHubFile(path: string): boolean {
  return path.length <= 512 && path.split('/').every((part) => part.length <= 200 && filePart.test(part));
}

/** Whether a text can be a branch, a tag or a commit. */
export function isRevision(text: string): boolean {
  return text.length <= 200 && text.split('/').every((part) => word.test(part) && !part.endsWith('.lock'));
}

export function isRepo(text: string): boolean {
  const parts = text.split('/');
  return parts.length === 2 && parts.every((part) => part.length <= most && word.test(part));
}

/**
 * Reads `hf:owner/repo`, `hf:owner/repo:QUANT` or `hf:owner/repo/FILE.gguf`, with `@REVISION` at the end or not.
 *
 * @param option who is to blame if it is none of these
 * @throws NudgingError ERR_INVALID_OPTION
 */
export function readHubName(text: string, option: string): HubName {
  const name = typeof text === 'string' && isHubName(text) ? parse(text) : undefined;
  if (!name) {
    const forms = 'hf:owner/repo, hf:owner/repo:QUANT (such as Q4_K_M) or hf:owner/repo/FILE.gguf';
    reject(option, text, `${forms}, with @REVISION at the end if one is meant`);
  }
  return name;
}

function parse(text: string): HubName | undefined {
  const [rest = '', revision = mainBranch, ...more] = text.slice(scheme.length).split('@');
  const [path = '', quant, ...others] = rest.split(':');
  const [owner = '', name = '', ...inside] = path.split('/');
  const repo = `${owner}/${name}`;
  const file = inside.length > 0 ? inside.join('/') : undefined;
  if (more.length > 0 || others.length > 0 || !isRepo(repo) || !isRevision(revision)) return undefined;
  if (quant !== undefined && (file !== undefined || quant.length > 40 || !tag.test(quant))) return undefined;
  if (file !== undefined && (!isHubFile(file) || !file.endsWith('.gguf'))) return undefined;
  return { text, repo, revision, ...(file === undefined ? {} : { file }), ...(quant === undefined ? {} : { quant }) };
}

/** The name that means exactly this file. */
export function nameOf(repo: string, file: string, revision = mainBranch): string {
  return `${scheme}${repo}/${file}${revision === mainBranch ? '' : `@${revision}`}`;
}
