/**
 * @typedef {object} Result
 * @property {readonly import('./load.mjs').Request[]} requests
 * @property {readonly string[]} attempts ids of all that were sent
 * @property {readonly string[]} logged ids of all that the balancer ended
 * @property {{ killed: number, again: number, drained: number, back: number }} at milliseconds since the load began
 * @property {readonly number[]} since what each replica has answered since it was started again
 * @property {number | NodeJS.Signals | null} endedWith how the drained replica ended
 */

/** What was not as it has to be. @param {Result} result */
export function failuresOf({ requests, attempts, logged, since, endedWith }) {
  const failures = requests.flatMap(({ failure, conversation }) => (failure === undefined ? [] : [`${conversation}: ${failure}`]));
  for (const { errors, conversation } of requests)
    if (errors.length > 1) failures.push(`${conversation} had to ask again ${errors.length} times: ${errors.join(', ')}`);
  const open = requests.filter(({ answer, failure }) => answer === undefined && failure === undefined);
  if (open.length > 0) failures.push(`${open.length} requests are neither answered nor failed`);
  const inLog = new Set(logged);
  const lost = attempts.filter((id) => !inLog.has(id));
  if (lost.length > 0 || logged.length !== attempts.length)
    failures.push(
      `of ${attempts.length} attempts the balancer has logged ${logged.length}; missing: ${lost.slice(0, 5).join(', ') || 'none'}`,
    );
  for (const [index, count] of since.entries()) if (count === 0) failures.push(`replica ${index + 1} takes no part after its restart`);
  if (endedWith !== 0) failures.push(`the drained replica ended with ${endedWith}`);
  if (!requests.some(({ errors }) => errors.includes('broken off')))
    failures.push('the replica that was killed had no stream: nothing was tested');
  return failures;
}

/** Rows of the table, a period each. @param {Result} result */
export function rowsOf({ requests, at }) {
  const periods = /** @type {const} */ ([
    ['one is killed, until it is back', at.killed, at.again],
    ['the other is drained, until it is back', at.drained, at.back],
  ]);
  const during = (/** @type {import('./load.mjs').Request} */ { at: moment, ms }, /** @type {number} */ from, /** @type {number} */ to) =>
    moment + ms >= from && moment < to;
  const calm = requests.filter((request) => !periods.some(([, from, to]) => during(request, from, to)));
  const rows = /** @type {[string, import('./load.mjs').Request[]][]} */ ([
    ['both run', calm],
    ...periods.map(([name, from, to]) => [name, requests.filter((request) => during(request, from, to))]),
  ]);
  return rows.map(([name, some]) => {
    const answered = (/** @type {number} */ errors) => some.filter((one) => one.answer && one.errors.length === errors).length;
    const times = some.map(({ ms }) => ms).sort((a, b) => a - b);
    const [first, second] = [answered(0), answered(1)];
    const ms = (/** @type {number | undefined} */ time) => (time === undefined ? '–' : time.toFixed(0));
    return [
      name,
      ...[some.length, first, second, some.length - first - second].map(String),
      ms(times[times.length >> 1]),
      ms(times.at(-1)),
    ];
  });
}
