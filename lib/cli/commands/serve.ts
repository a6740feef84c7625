import { readFlags, refuseContradictions } from '../args.ts';
import { UsageError } from '../failure.ts';
import { serveGroups } from '../serve/flags.ts';
import { serveUntilInterrupted } from '../serve/serve.ts';
import type { Command } from './command.ts';

export const serve: Command = {
  name: 'serve',
  summary: "answer over HTTP, by the protocol of OpenAI's clients",
  usage: ['[flags]'],
  about: `Loads a pair, or several, and answers programs that know OpenAI's protocol: their base URL is http://127.0.0.1:8080/v1.
At http://127.0.0.1:8080/ is a page to ask and watch.
  nudging serve --pair llama-3.1-8b

POST /v1/chat/completions takes, as application/json, for example:
  {"messages": [{"role": "user", "content": "What is a harbor?"}], "stream": true, "nudging": {"gamma": 0.3}}

"nudging" may hold gamma, rule, mode, lookahead and trace, and in answers it says whose each stretch of text is. The model NAME:base is \
the base alone, NAME:aligned the aligned model alone. There are also /v1/completions, /v1/models, /props, /health (does the engine \
answer?), /ready (would a request be taken?) and /metrics (for Prometheus). The settings below are those of requests that set nothing.

Without a key it is for this machine alone: it listens on 127.0.0.1, and other sites' pages cannot ask it.`,
  groups: serveGroups,
  notes: `Ctrl-C or SIGTERM: no new requests, those under way may end (--drain), then the models are freed. A second one ends at once. \
docs/serving.md has routes, errors, metrics, and how to put it behind a proxy.`,
  async run(argv, interrupt) {
    const { load, values, switches, words } = readFlags(this.groups, argv, this.name);
    if (words.length > 0) throw new UsageError(`serve takes no words: leave out "${words[0]}", or name pairs with --pair`);
    refuseContradictions((values['pair'] as string[] | undefined) ? { ...load, pair: 'given' } : load);
    return serveUntilInterrupted({ load, values, verbose: switches.has('verbose'), playground: !switches.has('no-playground') }, interrupt);
  },
};
