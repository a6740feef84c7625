import { Bench } from 'tinybench';
import { sum } from './statistics.mjs';

/** @typedef {import('../rivals/index.mjs').Outcome} Outcome */
/**
 * @typedef {object} Player whoever takes part in a round
 * @property {string} name
 * @property {boolean} optional whether the others go on when it fails
 * @property {() => Promise<{ msPerToken: number, outcomes?: Outcome[] }>} play
 */
/** @typedef {Map<string, { msPerToken: number[], outcomes: Outcome[][] }>} Samples by the player's name, one of each a round */

/**
 * Rounds in which everybody plays once. What slows the machine down slows a whole round down, so the ratios within one mean something where
 * the times do not; and since the order turns, nobody is always the first or the last.
 * @param {readonly Player[]} players
 * @param {number} rounds
 * @param {{ onRound: (round: number) => void, onFailure: (name: string, error: Error) => void }} hooks
 * @returns {Promise<Samples>}
 */
export async function playRounds(players, rounds, { onRound, onFailure }) {
  /** @type {Samples} */
  const samples = new Map(players.map(({ name }) => [name, { msPerToken: [], outcomes: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    // The duration is what the rival's own process measured, a token: messages between processes are not what is compared.
    const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: false });
    const first = round % players.length;
    const remaining = [...players.slice(first), ...players.slice(0, first)].filter(({ name }) => samples.has(name));
    for (const { name, play } of remaining) {
      bench.add(name, async () => {
        const { msPerToken, outcomes } = await play();
        if (outcomes) samples.get(name)?.outcomes.push(outcomes);
        return { overriddenDuration: msPerToken };
      });
    }
    for (const task of await bench.run()) {
      const { result } = task;
      if (result.state === 'completed') samples.get(task.name)?.msPerToken.push(result.latency.mean);
      if (result.state !== 'errored') continue;
      if (!players.find(({ name }) => name === task.name)?.optional) throw result.error;
      samples.delete(task.name);
      onFailure(task.name, result.error);
    }
    onRound(round);
  }
  return samples;
}

/** @param {readonly Outcome[]} outcomes */
export const msPerToken = (outcomes) => sum(outcomes.map(({ ms }) => ms)) / sum(outcomes.map(({ tokens }) => tokens));
