import { execFileSync } from 'node:child_process';
import { BuildError } from '../../scripts/lib/errors.mjs';

const hostOf = { client: '10.231.77.1', server: '10.231.77.2' };

/** @typedef {'client' | 'server'} Side */

/** Two network namespaces with a cable between them, as if they were two machines. Needs root, iproute2 and iptables. */
export class Network {
  #suffix = process.pid.toString(36);
  #made = /** @type {Side[]} */ ([]);

  /** The address of the server's side. */
  serverHost = hostOf.server;

  constructor() {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) throw new BuildError('network namespaces need Linux and root: use sudo');
    try {
      for (const side of /** @type {const} */ (['client', 'server'])) {
        this.#ip('netns', 'add', this.#name(side));
        this.#made.push(side);
      }
      const [client, server] = [this.#name('client'), this.#name('server')];
      this.#ip('link', 'add', 'cable', 'netns', client, 'type', 'veth', 'peer', 'name', 'cable', 'netns', server);
      for (const side of this.#made) {
        this.#ip('-n', this.#name(side), 'addr', 'add', `${hostOf[side]}/24`, 'dev', 'cable');
        for (const device of ['lo', 'cable']) this.#ip('-n', this.#name(side), 'link', 'set', device, 'up');
      }
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** The words in front of a command that make it run there. @param {Side} side */
  in(side) {
    return ['ip', 'netns', 'exec', this.#name(side)];
  }

  /** Packets are dropped in both directions, without a word to anybody. */
  cut() {
    for (const chain of ['INPUT', 'OUTPUT']) this.#run('server', 'iptables', '-A', chain, '-j', 'DROP');
  }

  mend() {
    this.#run('server', 'iptables', '-F');
  }

  /** The client's machine is gone for good, and another one is in its place, with an address of its own. */
  replaceClient() {
    for (const [chain, which] of [
      ['INPUT', '-s'],
      ['OUTPUT', '-d'],
    ])
      this.#run('server', 'iptables', '-A', chain, which, hostOf.client, '-j', 'DROP');
    const [client, another] = [this.#name('client'), '10.231.77.3'];
    this.#ip('-n', client, 'addr', 'add', `${another}/24`, 'dev', 'cable');
    this.#ip('-n', client, 'route', 'replace', '10.231.77.0/24', 'dev', 'cable', 'src', another);
  }

  /** So many bits a second in each direction; undefined: as many as there may be. @param {string} [rate] as tc has it, such as 10mbit */
  limit(rate) {
    for (const side of this.#made) {
      if (rate === undefined) this.#run(side, 'tc', 'qdisc', 'del', 'dev', 'cable', 'root');
      else this.#run(side, 'tc', 'qdisc', 'add', 'dev', 'cable', 'root', 'tbf', 'rate', rate, 'burst', '32kbit', 'latency', '100ms');
    }
  }

  remove() {
    for (const side of this.#made.splice(0)) this.#ip('netns', 'del', this.#name(side));
  }

  /** @param {Side} side */
  #name(side) {
    return `nudging-${side}-${this.#suffix}`;
  }

  /** @param {Side} side @param {string[]} words */
  #run(side, ...words) {
    const [program = '', ...rest] = [...this.in(side), ...words];
    execute(program, rest);
  }

  /** @param {string[]} words */
  #ip(...words) {
    execute('ip', words);
  }
}

/** @param {string} program @param {string[]} words */
function execute(program, words) {
  try {
    execFileSync(program, words, { stdio: ['ignore', 'ignore', 'pipe'] });
  } catch (error) {
    const { code, stderr } = /** @type {{ code?: string, stderr?: Buffer }} */ (error);
    if (code === 'ENOENT') throw new BuildError(`${program} is not there: apt-get install iproute2 iptables`);
    throw new BuildError(`${[program, ...words].join(' ')}: ${String(stderr).trim()}`);
  }
}
