import { Bench } from 'tinybench';
import { sum } from './statistics.mjs';

/** @typedef {import('../rivals/index.mjs').Outcome} Outcome */
/**
 * @typedef {object} Player whoever takes part in a round
 * @property {string} name
 * @property {() => Promise<{ msPerToken: number, outcomes?: Outcome[] }>} play
 */
/** @typedef {Map<string, { msPerToken: number[], outcomes: Outcome[][] }>} Samples by the player's name, one of each a round */

/**
 * Rounds in which everybody plays once. What slows the machine down slows a whole round down, so the ratios within one mean something where the
 * times do not; and since the order turns, nobody is always the first or the last.
 * @param {readonly Player[]} players
 * @param {number} rounds
 * @param {(round: number) => void} onRound
 * @returns {Promise<Samples>}
 */
export async function playRounds(players, rounds, onRound) {
  /** @type {Samples} */
  const samples = new Map(players.map(({ name }) => [name, { msPerToken: [], outcomes: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    // The duration is what the rival's own process measured, a token: messages between processes are not what is compared.
    const bench = new Bench({ iterations: 1, time: 0, warmup: false, throws: true });
    const first = round % players.length;
    for (const { name, play } of [...players.slice(first), ...players.slice(0, first)]) {
      bench.add(name, async () => {
        const { msPerToken, outcomes } = await play();
        if (outcomes) samples.get(name)?.outcomes.push(outcomes);
        return { overriddenDuration: msPerToken };
      });
    }
    for (const task of await bench.run()) {
      const { result } = task;
      if (result.state === 'completed') samples.get(task.name)?.msPerToken.push(result.latency.mean);
    }
    onRound(round);
  }
  return samples;
}

/** @param {readonly Outcome[]} outcomes */
export const msPerToken = (outcomes) => sum(outcomes.map(({ ms }) => ms)) / sum(outcomes.map(({ tokens }) => tokens));
