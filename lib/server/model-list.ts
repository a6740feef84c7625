import type { Model, Models } from './served.ts';

/** `GET /v1/models`. */
export function modelList(models: Models): object {
  return { object: 'list', data: models.list().map(modelObject) };
}

/** `GET /v1/models/ID`. Where the files are is nobody's business. */
export function modelObject({ id, served, mode }: Model): object {
  const lanes = Object.entries(served.engine?.models ?? {}).map(([lane, { description, parameters, context }]) => [
    lane,
    { description, parameters, context },
  ]);
  return {
    id,
    object: 'model',
    created: served.created,
    owned_by: 'nudging',
    nudging: { mode: mode ?? served.engine?.settings.mode ?? 'nudge', models: Object.fromEntries(lanes) },
  };
}
