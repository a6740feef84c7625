import { nonEmptyText, oneOf } from '../options.ts';
import { isRemote, remoteApis, remoteModel } from '../remote/model.ts';
import type { LaneName, LoadOptions, RemoteModel } from '../types.ts';
import { UsageError } from './failure.ts';
import type { Flag } from './flags.ts';

const lanes = ['base', 'aligned'] as const satisfies readonly LaneName[];
const header = /^([^:\s]+):\s*(.*)$/;

/** How a model is asked that is on a server: beside `--base http://…`. */
export const remoteFlags: Flag[] = lanes.flatMap((lane) => [
  {
    name: `${lane}-api`,
    value: 'API',
    rule: oneOf(...remoteApis),
    about: `with --${lane} http://…: what the server is, ${remoteApis.join(', ')} (docs/remote.md)`,
  },
  {
    name: `${lane}-tokenizer`,
    value: 'FILE',
    rule: nonEmptyText,
    about: 'likewise: GGUF file or name with its vocabulary; one without weights will do',
  },
  {
    name: `${lane}-model`,
    value: 'NAME',
    rule: nonEmptyText,
    about: 'likewise: the name under which the server has it',
    otherwise: 'the first',
  },
  {
    name: `${lane}-header`,
    value: 'HEADER',
    kind: 'list',
    rule: {
      check: (value) => Array.isArray(value) && value.every((text) => header.test(text)),
      expected: 'NAME: VALUE, such as "Authorization: Bearer KEY"',
    },
    about: 'likewise: sent with every request, as "Authorization: Bearer KEY"; may be repeated',
  },
]);

/** Makes models on servers of the flags that say so, and takes these from `values`. @throws UsageError */
export function readRemote(load: LoadOptions, values: Record<string, unknown>): void {
  for (const lane of lanes) {
    const take = (name: string): unknown => {
      const value = values[`${lane}-${name}`];
      delete values[`${lane}-${name}`];
      return value;
    };
    const [api, tokenizer, model, headers] = ['api', 'tokenizer', 'model', 'header'].map(take);
    const url = load[lane];
    if (typeof url !== 'string' || !/^https?:\/\//i.test(url)) {
      const given = [api, tokenizer, model, headers].findIndex((value) => value !== undefined);
      if (given < 0) continue;
      const flag = `--${lane}-${['api', 'tokenizer', 'model', 'header'][given]}`;
      throw new UsageError(`${flag} is for a model on a server: name it with --${lane} http://…`);
    }
    for (const [name, value] of Object.entries({ api, tokenizer })) {
      if (value === undefined) throw new UsageError(`--${lane} is a server: add --${lane}-${name}, or name a file`);
    }
    const remote = {
      url,
      api,
      tokenizer,
      ...(model === undefined ? {} : { model }),
      ...(headers === undefined ? {} : { headers: headersIn(headers as string[]) }),
    } as RemoteModel;
    if (!isRemote(remote) || !remoteModel.check(remote))
      throw new UsageError(`--${lane} cannot be "${url}": it must be ${remoteModel.blame?.(remote).expected}`);
    load[lane] = remote;
  }
}

function headersIn(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map((line) => header.exec(line)?.slice(1, 3) as [string, string]));
}
