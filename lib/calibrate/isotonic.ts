/** An observation: `y` at `x`, counted `weight` times (over 0). */
export interface Observation {
  x: number;
  y: number;
  weight: number;
}

/** A stretch of the fitted step function: its value holds for the observations from `from` to `to`, both included. */
export interface Step {
  from: number;
  to: number;
  value: number;
  weight: number;
}

/**
 * The non-increasing step function that is nearest to the observations in weighted least squares, by pooling adjacent violators (Ayer et
 * al., Annals of Mathematical Statistics 26, 1955). Observations with the same `x` get the same value. In O(n log n).
 *
 * @returns steps in the order of `x`, each lower than the one before it; none without observations
 */
export function nonIncreasing(observations: readonly Observation[]): Step[] {
  const steps: Step[] = [];
  for (const step of byPlace(observations)) {
    steps.push(step);
    while (rises(steps)) pool(steps);
  }
  return steps;
}

/** One step for each `x`, in order. */
function byPlace(observations: readonly Observation[]): Step[] {
  const places: Step[] = [];
  for (const { x, y, weight } of [...observations].sort((one, other) => one.x - other.x)) {
    const same = places.at(-1)?.to === x;
    places.push({ from: x, to: x, value: y, weight });
    if (same) pool(places);
  }
  return places;
}

/** Whether the last step is not lower than the one before it. */
function rises(steps: readonly Step[]): boolean {
  const last = steps.at(-1);
  const before = steps.at(-2);
  return last !== undefined && before !== undefined && before.value <= last.value;
}

/** Makes one step of the last two. */
function pool(steps: Step[]): void {
  const last = steps.pop() as Step;
  const before = steps.pop() as Step;
  const weight = before.weight + last.weight;
  const value = (before.value * before.weight + last.value * last.weight) / weight;
  steps.push({ from: before.from, to: last.to, value, weight });
}
