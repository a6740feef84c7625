import { integer, nonEmptyText, number, oneOf } from '../../options.ts';
import { defaultLimits } from '../../server/options.ts';
import { flagsNamed, groupsNamed, type FlagGroup } from '../flags.ts';

/** What holds without a flag. */
export const serveDefaults = {
  host: '127.0.0.1',
  port: 8080,
  'max-queue': 64,
  'keep-alive': 10,
  drain: 30,
  'rate-limit': 0,
  'max-connections': 1000,
  'request-timeout': 30,
  'max-body': defaultLimits.mostBytes,
  'limit-tokens': defaultLimits.mostTokens,
  'max-choices': defaultLimits.mostChoices,
  timeout: defaultLimits.timeout,
  log: 'json',
} as const;

const otherwise = (name: keyof typeof serveDefaults) => String(serveDefaults[name]);

/** The models: unlike elsewhere there may be several pairs. */
const models: FlagGroup = {
  title: 'Models',
  flags: [
    {
      name: 'pair',
      value: 'FILE',
      kind: 'list',
      about:
        'manifest (pair.json) or name of a pair, as elsewhere; may be repeated, for several pairs in one server. NAME=FILE gives it ' +
        'the name by which it is asked for, which is else that in the manifest',
      otherwise: 'the demonstration pair',
    },
    ...groupsNamed('models').flatMap(({ flags }) => flags.filter(({ name }) => name !== 'pair')),
    { name: 'model-name', value: 'NAME', rule: nonEmptyText, about: 'name of the pair of --base and --aligned', otherwise: 'nudging' },
  ],
};

const address: FlagGroup = {
  title: 'Address',
  flags: [
    { name: 'host', value: 'ADDRESS', rule: nonEmptyText, about: 'where to listen; 0.0.0.0: everywhere', otherwise: otherwise('host') },
    { name: 'port', value: 'N', kind: 'number', rule: integer(0, 65_535), about: '0: any that is free', otherwise: otherwise('port') },
    { name: 'tls-cert', value: 'FILE', about: 'certificate (PEM), for https; with --tls-key' },
    { name: 'tls-key', value: 'FILE', about: 'its private key (PEM)' },
  ],
};

const access: FlagGroup = {
  title: 'Who may ask',
  flags: [
    {
      name: 'api-key',
      value: 'KEY',
      rule: nonEmptyText,
      about: 'key that every request must have; other users of the machine can see command lines, so rather set NUDGING_API_KEY',
      otherwise: 'none',
    },
    {
      name: 'api-keys',
      value: 'FILE',
      about: 'file of keys, one a line: NAME KEY, or NAME KEY REQUESTS-A-MINUTE; lines that begin with # do not count',
    },
    {
      name: 'rate-limit',
      value: 'N',
      kind: 'number',
      rule: number(0, 1e9),
      about: 'requests a minute for each key (without keys: for all together); 0: no limit',
      otherwise: otherwise('rate-limit'),
    },
    {
      name: 'allow-host',
      value: 'NAME',
      kind: 'list',
      about: 'name by which this server may be asked; may be repeated; *: any. Addresses and localhost always may',
      otherwise: 'any with a key, else none',
    },
    {
      name: 'allow-origin',
      value: 'ORIGIN',
      kind: 'list',
      about: 'pages that may ask, as https://example.org; may be repeated; *: any',
      otherwise: 'pages of this server alone',
    },
    { name: 'no-playground', about: 'no page to ask and watch at /' },
  ],
};

const limits: FlagGroup = {
  title: 'Limits',
  flags: [
    {
      name: 'max-queue',
      value: 'N',
      kind: 'number',
      rule: integer(0, 1_000_000),
      about: 'answers that may wait for a place, of each pair; further ones get 429',
      otherwise: otherwise('max-queue'),
    },
    {
      name: 'timeout',
      value: 'SECONDS',
      kind: 'number',
      rule: number(0.001, 2_000_000),
      about: 'how long an answer may take, waiting included; what is there then is the answer',
      otherwise: otherwise('timeout'),
    },
    {
      name: 'limit-tokens',
      value: 'N',
      kind: 'number',
      rule: integer(1, 1_000_000),
      about: 'longest answer that a request may ask for, and most tokens that /tokenize lists',
      otherwise: otherwise('limit-tokens'),
    },
    {
      name: 'max-choices',
      value: 'N',
      kind: 'number',
      rule: integer(1, 256),
      about: 'answers in one request: n times its prompts',
      otherwise: otherwise('max-choices'),
    },
    {
      name: 'max-body',
      value: 'BYTES',
      kind: 'number',
      rule: integer(1, 2 ** 30),
      about: 'longest request',
      otherwise: otherwise('max-body'),
    },
    {
      name: 'max-connections',
      value: 'N',
      kind: 'number',
      rule: integer(1, 1_000_000),
      about: 'open connections',
      otherwise: otherwise('max-connections'),
    },
    {
      name: 'request-timeout',
      value: 'SECONDS',
      kind: 'number',
      rule: number(0.1, 3600),
      about: 'how long a request may take to arrive',
      otherwise: otherwise('request-timeout'),
    },
    {
      name: 'keep-alive',
      value: 'SECONDS',
      kind: 'number',
      rule: number(0.01, 3600),
      about: 'silence after which a stream gets a comment, so that no proxy takes it for dead',
      otherwise: otherwise('keep-alive'),
    },
    {
      name: 'drain',
      value: 'SECONDS',
      kind: 'number',
      rule: number(0, 86_400),
      about: 'after SIGTERM, how long what runs may go on',
      otherwise: otherwise('drain'),
    },
  ],
};

const prompts: FlagGroup = {
  title: 'Prompts (likewise)',
  // How an answer begins is for each request to say.
  flags: [
    ...groupsNamed('prompts').flatMap(({ flags }) => flags.filter(({ name }) => name !== 'prefill')),
    ...flagsNamed('thinking').map((flag) => ({ ...flag, about: 'let a model think that can, and send its thinking as reasoning_content' })),
  ],
};

const output: FlagGroup = {
  title: 'Output',
  flags: [
    {
      name: 'log',
      value: 'HOW',
      rule: oneOf('json', 'off'),
      about: 'json: a line on stderr for each request',
      otherwise: otherwise('log'),
    },
  ],
};

/** Flags of `nudging serve`. */
export const serveGroups: FlagGroup[] = [
  models,
  address,
  access,
  limits,
  ...groupsNamed('generation'),
  prompts,
  ...groupsNamed('engine'),
  output,
];
