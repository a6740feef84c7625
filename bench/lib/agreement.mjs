/**
 * All rivals that nudge must give the same answers; says how many do not, for each.
 * @param {readonly { name: string, nudges: boolean, texts: string[] }[]} rivals
 */
export function agreement(rivals) {
  const nudging = rivals.filter(({ nudges }) => nudges);
  const against = nudging[0];
  /** @type {Record<string, number>} */
  const different = {};
  for (const { name, texts } of nudging.slice(1)) different[name] = texts.filter((text, index) => text !== against?.texts[index]).length;
  return { against: against?.name ?? null, different };
}
