import { Hono, type Context } from 'hono';
import type { Nudging } from '../engine.ts';
import { reject } from '../options.ts';
import { ApiError } from './api-error.ts';
import { answer } from './answering.ts';
import { Gate } from './auth.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { Exchange, type ServerContext } from './exchange.ts';
import { Metrics } from './metrics.ts';
import { modelList, modelObject } from './model-list.ts';
import { checkHandlerOptions, defaultLimits, type HandlerOptions, type Limits } from './options.ts';
import { Origins } from './origin.ts';
import { playgroundAsset, playgroundPage } from './playground.ts';
import { properties } from './properties.ts';
import { responses } from './responses.ts';
import type { Route } from './route.ts';
import { Models, Served } from './served.ts';
import { detokenize, tokenize } from './tokens.ts';

/** A `fetch` handler: what Hono, Next.js, Bun.serve, Deno.serve and others take. */
export type Handler = (request: Request) => Promise<Response>;

/**
 * Serves engines by OpenAI's protocol: `/v1/chat/completions`, `/v1/completions`, `/v1/models` and what docs/serving.md lists. The engines
 * stay the caller's, to use and to close.
 *
 * ```ts
 * const handler = createHandler(await Nudging.load());
 * Bun.serve({ fetch: handler }); // or: app.all('/v1/*', (c) => handler(c.req.raw)), export const POST = handler
 * ```
 *
 * @param engines one engine, or several by the names under which they are asked for
 * @throws NudgingError ERR_INVALID_OPTION
 */
export function createHandler(engines: Nudging | Readonly<Record<string, Nudging>>, options: HandlerOptions = {}): Handler {
  checkHandlerOptions(options);
  const named = isEngine(engines) ? { [options.model ?? 'nudging']: engines } : engines;
  const served = Object.entries(named).map(([name, engine]) => new Served(name, engine));
  if (served.length === 0) reject('engines', engines, 'an engine, or an object with at least one by its name');
  return createService(new Models(served), options).fetch;
}

/** Not by its class: a bundle may hold another copy of that. */
function isEngine(value: Nudging | Readonly<Record<string, Nudging>>): value is Nudging {
  return typeof value.stream === 'function';
}

/** A handler, and what whoever runs it as a server needs beside it. */
export interface Service {
  fetch: Handler;
  metrics: Metrics;
  /** Requests that are not over. */
  readonly under: ReadonlySet<Exchange>;
  /** Resolves when there are none, the next time. */
  onIdle(): Promise<void>;
  /** No new requests. */
  drain(): void;
}

export function createService(models: Models, options: HandlerOptions): Service {
  const limits: Limits = { ...defaultLimits, ...definedLimits(options) };
  const context: ServerContext = {
    models,
    limits,
    gate: new Gate(options.apiKeys, options.rateLimit),
    origins: new Origins(options.allowedHosts, options.allowedOrigins),
    metrics: new Metrics(models),
    keepAlive: (options.keepAlive ?? 10) * 1000,
    onRequest: options.onRequest ?? (() => {}),
    under: new Set(),
    idle: () => {},
    draining: false,
  };
  const app = routes(context, options);
  return {
    fetch: async (request) => app.fetch(request),
    metrics: context.metrics,
    under: context.under,
    onIdle: () =>
      new Promise((resolve) => {
        context.idle = resolve;
      }),
    drain: () => {
      context.draining = true;
    },
  };
}

function definedLimits(options: HandlerOptions): Partial<Limits> {
  const { mostBytes, mostTokens, mostChoices, timeout } = options;
  return Object.fromEntries(Object.entries({ mostBytes, mostTokens, mostChoices, timeout }).filter(([, value]) => value !== undefined));
}

type Act = (exchange: Exchange, context: Context) => Promise<Response> | Response;
type Method = 'GET' | 'POST';

interface Path {
  methods: Partial<Record<Method, Act>>;
  /** Whether it answers whoever asks. */
  open?: boolean;
}

const json = (value: object, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { 'Content-Type': 'application/json' } });

function paths(server: ServerContext): Record<string, Path> {
  const asked = (route: Route): Path => ({ methods: { POST: (exchange) => answer(exchange, route) } });
  const alive = { open: true, methods: { GET: () => health(server) } };
  return {
    '/health': alive,
    '/v1/health': alive,
    '/ready': { open: true, methods: { GET: async () => state(server.draining ? 'draining' : await server.models.readiness()) } },
    '/metrics': {
      methods: {
        GET: () => new Response(server.metrics.text(), { headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' } }),
      },
    },
    '/props': { methods: { GET: () => json(properties(server)) } },
    '/tokenize': { methods: { POST: async (exchange) => json(await tokenize(exchange)) } },
    '/detokenize': { methods: { POST: async (exchange) => json(await detokenize(exchange)) } },
    '/v1/models': { methods: { GET: () => json(modelList(server.models)) } },
    '/v1/models/:id': { methods: { GET: (_, context) => json(modelObject(server.models.named(context.req.param('id')))) } },
    [chat.name]: asked(chat),
    [completions.name]: asked(completions),
    [responses.name]: asked(responses),
  };
}

/** They hold no secrets, and the page itself asks for a key. */
const pages: Record<string, Path> = {
  '/': { open: true, methods: { GET: (exchange) => playgroundPage(exchange.request) } },
  '/assets/:name{.+}': {
    open: true,
    methods: { GET: (exchange, context) => playgroundAsset(exchange.request, context.req.param('name')) },
  },
};

function state(status: string, more: object = {}): Response {
  return json({ status, ...more }, status === 'ok' ? 200 : 503);
}

/** A server elsewhere that has a model and is down is told of, and is no reason to start this one anew. */
async function health({ models }: ServerContext): Promise<Response> {
  const [status, servers] = await Promise.all([models.health(), models.servers()]);
  return state(status, Object.keys(servers).length > 0 ? { servers } : {});
}

function routes(server: ServerContext, { basePath = '', playground = false }: HandlerOptions): Hono {
  const app = new Hono();
  for (const [path, { methods, open = false }] of Object.entries({ ...paths(server), ...(playground ? pages : {}) })) {
    const allowed = Object.keys(methods);
    app.all(basePath + path, (context) => {
      const exchange = new Exchange(server, context.req.raw, path);
      return exchange.run(async () => {
        const cors = exchange.admit(open);
        if (context.req.method === 'OPTIONS') return preflight(allowed, cors, context.req.header('access-control-request-headers'));
        // Hono leaves the body out of what answers HEAD.
        const { method } = context.req;
        const act = methods[(method === 'HEAD' ? 'GET' : method) as Method];
        if (!act) {
          const message = `${path} is asked with ${allowed.join(' or ')}, not with ${method.slice(0, 20)}`;
          throw new ApiError(405, 'ERR_METHOD', message, { headers: { Allow: allowed.join(', ') } });
        }
        return act(exchange, context);
      });
    });
  }
  app.notFound((context) => {
    const exchange = new Exchange(server, context.req.raw, '');
    return exchange.run(async () => {
      exchange.admit(false);
      const message = `there is nothing at ${context.req.path.slice(0, 200)}`;
      throw new ApiError(404, 'ERR_NOT_FOUND', message, { logged: 'there is nothing at that path' });
    });
  });
  return app;
}

/** Clients bring headers of their own (`x-stainless-os`), none of which means anything here: a page that may ask may send what it likes. */
function preflight(allowed: readonly string[], cors: Record<string, string>, wanted?: string): Response {
  const headers = {
    'Access-Control-Allow-Methods': allowed.join(', '),
    'Access-Control-Allow-Headers': wanted?.slice(0, 2000) || 'authorization, content-type, x-api-key',
    'Access-Control-Max-Age': '600',
  };
  return new Response(null, { status: 204, headers: { ...headers, ...cors } });
}
