import type { ServerContext } from './exchange.ts';
import type { Served } from './served.ts';

/** `GET /props`: what the server would do with a request that sets nothing, and what it allows. */
export function properties({ models, limits }: ServerContext): object {
  const { mostBytes, mostTokens, mostChoices, timeout } = limits;
  return {
    default_model: models.all[0]?.name,
    limits: { body_bytes: mostBytes, tokens: mostTokens, choices: mostChoices, timeout_seconds: timeout },
    models: Object.fromEntries(models.all.map((served) => [served.name, propertiesOf(served)])),
  };
}

function propertiesOf(served: Served): object {
  const { engine } = served;
  if (!engine) return { state: served.readiness() };
  const { mode, gamma, rule, lookahead, maxTokens, temperature } = engine.settings;
  return {
    state: served.readiness(),
    mode,
    gamma,
    rule,
    lookahead,
    max_tokens: maxTokens,
    temperature,
    places: engine.parallel,
    queue: engine.maxQueue,
    deterministic: engine.deterministic,
    context: Object.fromEntries(Object.entries(engine.models).map(([lane, { context }]) => [lane, context])),
    has_chat_template: Object.fromEntries(Object.entries(engine.models).map(([lane, model]) => [lane, model.hasChatTemplate])),
  };
}
