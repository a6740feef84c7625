import type { Rule } from '../options.ts';
import type { RemoteModel } from '../types.ts';

/** What servers are spoken to by. */
export const remoteApis = ['sglang', 'vllm', 'llama-server'] as const satisfies readonly RemoteModel['api'][];

/** What holds unless the model says otherwise. */
export const remoteDefaults = { timeout: 60_000, connections: 64 } as const;

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isInteger = (most: number) => (value: unknown) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most;

/** What each property of a remote model must be. Those without a value are left out. */
const properties: Record<keyof RemoteModel, Rule> = {
  url: {
    check: (value) => isText(value) && isServer(value),
    expected: "a server's URL, such as http://10.0.0.2:30000, without a user's name",
  },
  api: {
    check: (value) => remoteApis.includes(value as RemoteModel['api']),
    expected: `one of ${remoteApis.map((api) => `"${api}"`).join(', ')}`,
  },
  tokenizer: { check: isText, expected: "the path of a GGUF file with the model's vocabulary, or its name on the hub" },
  model: { check: isText, expected: 'the name under which the server has it' },
  headers: { check: isHeaders, expected: 'an object of texts by the names of headers, such as { Authorization: "Bearer …" }' },
  timeout: { check: isInteger(3_600_000), expected: 'an integer from 1 to 3600000' },
  connections: { check: isInteger(1024), expected: 'an integer from 1 to 1024' },
};
const needed = ['url', 'api', 'tokenizer'] as const;

function isServer(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && search === '' && hash === '';
}

function isHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  try {
    // It knows which names and values can be sent.
    new Headers(value as Record<string, string>);
    return Object.values(value).every((text) => typeof text === 'string');
  } catch {
    return false;
  }
}

/** Whether a model is a {@link RemoteModel}, and not a path or a name. */
export function isRemote(model: unknown): model is RemoteModel {
  return typeof model === 'object' && model !== null && !Array.isArray(model);
}

/** The file that says how a model's texts become tokens: of one that is loaded, the model's. */
export function fileOf(model: string | RemoteModel): string {
  return isRemote(model) ? model.tokenizer : model;
}

/** The same model with another file. */
export function withFile<T extends string | RemoteModel>(model: T, file: string): T {
  return (isRemote(model) ? { ...(model as RemoteModel), tokenizer: file } : file) as T;
}

/** A remote model among options. */
export const remoteModel: Rule = {
  check: (value) => isRemote(value) && fault(value) === undefined,
  expected: 'a model on a server: { url, api, tokenizer }',
  blame: (value) => fault(value as RemoteModel) ?? { value, expected: remoteModel.expected },
};

function fault(model: RemoteModel): { value: unknown; expected: string } | undefined {
  for (const [name, value] of Object.entries(model)) {
    const rule = Object.hasOwn(properties, name) ? properties[name as keyof RemoteModel] : undefined;
    if (!rule) return { value: name, expected: `a model on a server, which has ${Object.keys(properties).join(', ')}, and no "${name}"` };
    if (value !== undefined && !rule.check(value)) {
      // What a header holds may be a secret.
      return {
        value: name === 'headers' ? Object.keys(Object(value)) : value,
        expected: `a model on a server whose ${name} is ${rule.expected}`,
      };
    }
  }
  const missing = needed.find((name) => model[name] === undefined);
  return missing && { value: undefined, expected: `a model on a server with ${missing}: ${properties[missing].expected}` };
}
