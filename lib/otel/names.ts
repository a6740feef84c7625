// All names that go out. Those of OpenTelemetry's conventions for generative AI are in development and may change: here, and nowhere else.

/** Attributes of spans and of measurements. */
export const attributes = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  outputType: 'gen_ai.output.type',
  requestModel: 'gen_ai.request.model',
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topK: 'gen_ai.request.top_k',
  topP: 'gen_ai.request.top_p',
  seed: 'gen_ai.request.seed',
  stream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  finishReasons: 'gen_ai.response.finish_reasons',
  firstChunk: 'gen_ai.response.time_to_first_chunk',
  inputTokens: 'gen_ai.usage.input_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  tokenType: 'gen_ai.token.type',
  errorType: 'error.type',
  // Ours.
  mode: 'nudging.mode',
  gamma: 'nudging.gamma',
  lookahead: 'nudging.lookahead',
  stopReason: 'nudging.stop_reason',
  endedBy: 'nudging.ended_by',
  nudgeRatio: 'nudging.nudge_ratio',
  nudges: 'nudging.nudges',
  rewinds: 'nudging.rewinds',
  ties: 'nudging.ties',
  queued: 'nudging.time_queued',
  parallel: 'nudging.parallel',
  deterministic: 'nudging.deterministic',
} as const;

export const operations = { chat: 'chat', raw: 'text_completion' } as const;
export const provider = 'nudging';

/** Instruments: seconds, unless they say otherwise. */
export const instruments = {
  /** Tokens, by `gen_ai.token.type`. */
  tokens: 'gen_ai.client.token.usage',
  duration: 'gen_ai.client.operation.duration',
  firstChunk: 'gen_ai.client.operation.time_to_first_chunk',
  perToken: 'gen_ai.server.time_per_output_token',
  // Ours.
  /** Requests that have not ended, those that wait included. */
  active: 'nudging.requests.active',
  queued: 'nudging.queue.duration',
  /** A share, in [0, 1]. */
  nudgeRatio: 'nudging.nudge_ratio',
} as const;

/** Bounds of histograms' buckets, as the conventions want them. */
export const buckets = {
  tokens: Array.from({ length: 14 }, (_, power) => 4 ** power),
  seconds: Array.from({ length: 14 }, (_, power) => 0.01 * 2 ** power),
  firstChunk: [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  perToken: [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
  ratio: [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1],
} as const;
