import { memoryUsage } from 'node:process';
import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';
import type { LogEntry } from './log.ts';
import type { Answer, LaneStats } from '../types.ts';
import type { Models } from './served.ts';

type Labels = Readonly<Record<string, string | number>>;

/** Sums by labels. */
class Counter {
  readonly #sums = new Map<string, number>();

  add(labels: Labels, value = 1): void {
    const key = labelText(labels);
    this.#sums.set(key, (this.#sums.get(key) ?? 0) + value);
  }

  lines(name: string): string[] {
    return [...this.#sums].map(([labels, value]) => `${name}${labels} ${value}`);
  }
}

/** How many were at most so large, by labels. */
class Histogram {
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { labels: Labels; counts: number[]; sum: number; count: number }>();

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    const key = labelText(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
    this.#series.set(key, series);
    series.sum += value;
    series.count += 1;
    for (const [index, bound] of this.#bounds.entries()) if (value <= bound) series.counts[index] = (series.counts[index] ?? 0) + 1;
  }

  lines(name: string): string[] {
    return [...this.#series.values()].flatMap(({ labels, counts, sum, count }) => [
      ...this.#bounds.map((bound, index) => `${name}_bucket${labelText({ ...labels, le: bound })} ${counts[index]}`),
      `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`,
      `${name}_sum${labelText(labels)} ${sum}`,
      `${name}_count${labelText(labels)} ${count}`,
    ]);
  }
}

function labelText(labels: Labels): string {
  const escaped = (value: string | number) => String(value).replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')}}`;
}

/** How often the event loop is looked at. */
const resolutionMs = 10;

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const shortSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const ratios = [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1];

interface Metric {
  type: 'counter' | 'histogram';
  help: string;
  of: Counter | Histogram;
}

/** What a server counts, in Prometheus' text format. Names and labels are documented in docs/serving.md. */
export class Metrics {
  readonly #requests = new Counter();
  readonly #tokens = new Counter();
  readonly #promptTokens = new Counter();
  readonly #cachedTokens = new Counter();
  readonly #guessed = new Counter();
  readonly #guessesRight = new Counter();
  readonly #answers = new Counter();
  readonly #duration = new Histogram(seconds);
  readonly #queued = new Histogram(seconds);
  readonly #first = new Histogram(seconds);
  readonly #between = new Histogram(shortSeconds);
  readonly #ratio = new Histogram(ratios);
  readonly #models: Models;
  #loop: IntervalHistogram | undefined;

  constructor(models: Models) {
    this.#models = models;
  }

  readonly #table: Record<string, Metric> = {
    requests_total: { type: 'counter', help: 'Requests that are over, by route, status and model.', of: this.#requests },
    answers_total: { type: 'counter', help: 'Answers, by why they ended.', of: this.#answers },
    tokens_total: { type: 'counter', help: 'Tokens of answers, by whose they are.', of: this.#tokens },
    prompt_tokens_total: { type: 'counter', help: 'Tokens of prompts, by the model that read them.', of: this.#promptTokens },
    cached_prompt_tokens_total: { type: 'counter', help: 'Those of them that were in the KV cache.', of: this.#cachedTokens },
    guessed_tokens_total: { type: 'counter', help: 'Tokens decoded ahead.', of: this.#guessed },
    accepted_tokens_total: { type: 'counter', help: 'Those of them that came true.', of: this.#guessesRight },
    request_duration_seconds: { type: 'histogram', help: 'From the beginning of a request to its last byte.', of: this.#duration },
    queue_seconds: { type: 'histogram', help: 'How long answers waited for a place.', of: this.#queued },
    time_to_first_token_seconds: { type: 'histogram', help: 'From the beginning of a request to its first text.', of: this.#first },
    time_between_tokens_seconds: { type: 'histogram', help: 'Mean time between tokens of an answer.', of: this.#between },
    nudge_ratio: { type: 'histogram', help: 'Share of nudged tokens of an answer.', of: this.#ratio },
  };

  /** A request that is over. */
  request({ route, status, model = '', ms, firstMs, left }: LogEntry): void {
    this.#requests.add({ route, status: left ? 499 : status, model });
    this.#duration.observe({ route }, ms / 1000);
    if (firstMs !== undefined) this.#first.observe({ model }, firstMs / 1000);
  }

  /** An answer that is whole, or was given up. */
  answer(model: string, answer: Answer): void {
    const { stats, stopReason } = answer;
    this.#answers.add({ model, stop_reason: stopReason });
    this.#tokens.add({ model, lane: 'base' }, stats.baseTokens);
    this.#tokens.add({ model, lane: 'aligned' }, stats.nudgedTokens);
    if (stats.mixedTokens > 0) this.#tokens.add({ model, lane: 'mixed' }, stats.mixedTokens);
    for (const lane of ['base', 'aligned'] as const) this.#lane({ model, lane }, stats[lane]);
    this.#queued.observe({ model }, stats.times.queued / 1000);
    if (stats.tokens > 1) this.#between.observe({ model }, (stats.times.total - stats.times.firstPiece) / (stats.tokens - 1) / 1000);
    if (stats.tokens > 0) this.#ratio.observe({ model }, stats.nudgeRatio);
  }

  #lane(labels: Labels, { promptTokens, cachedPromptTokens, guessed, guessesRight }: LaneStats): void {
    this.#promptTokens.add(labels, promptTokens);
    this.#cachedTokens.add(labels, cachedPromptTokens);
    this.#guessed.add(labels, guessed);
    this.#guessesRight.add(labels, guessesRight);
  }

  /** Measures how late the event loop is, from now on. */
  watchLoop(): void {
    if (this.#loop) return;
    this.#loop = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#loop.enable();
  }

  stop(): void {
    this.#loop?.disable();
  }

  text(): string {
    const counted = Object.entries(this.#table).map(([name, { type, help, of }]) => ({
      name,
      type,
      help,
      lines: of.lines(`nudging_${name}`),
    }));
    return [...counted, ...this.#gauges()]
      .filter(({ lines }) => lines.length > 0)
      .map(({ name, type, help, lines }) => `# HELP nudging_${name} ${help}\n# TYPE nudging_${name} ${type}\n${lines.join('\n')}\n`)
      .join('');
  }

  #gauges(): { name: string; type: string; help: string; lines: string[] }[] {
    const { all } = this.#models;
    const gauge = (name: string, help: string, lines: string[]) => ({ name, type: 'gauge', help, lines });
    const perModel = (name: string, value: (served: (typeof all)[number]) => number) =>
      all.map((served) => `nudging_${name}${labelText({ model: served.name })} ${value(served)}`);
    const cells = all.flatMap(({ name: model, engine }) =>
      Object.entries(engine?.models ?? {}).map(
        ([lane, { context }]) => `nudging_kv_cells${labelText({ model, lane })} ${context * (engine?.parallel ?? 0)}`,
      ),
    );
    const late = this.#loop;
    return [
      gauge(
        'requests_running',
        'Answers that have a place.',
        perModel('requests_running', ({ active, waiting }) => active - waiting),
      ),
      gauge(
        'requests_waiting',
        'Answers that wait for one.',
        perModel('requests_waiting', ({ waiting }) => waiting),
      ),
      gauge(
        'places',
        'Answers that are made together.',
        perModel('places', ({ parallel }) => parallel),
      ),
      gauge(
        'up',
        'Whether the engine answers.',
        perModel('up', ({ engine, lost }) => Number(engine !== undefined && lost === undefined)),
      ),
      gauge('kv_cells', 'Tokens that the KV caches of all places have room for.', cells),
      gauge(
        'event_loop_delay_seconds',
        'How late the event loop is.',
        late
          ? [50, 99].map(
              (p) =>
                `nudging_event_loop_delay_seconds{quantile="${p / 100}"} ${Math.max(0, late.percentile(p) / 1e9 - resolutionMs / 1e3)}`,
            )
          : [],
      ),
      gauge('resident_memory_bytes', 'Memory of the process, the models included.', [`nudging_resident_memory_bytes ${memoryUsage.rss()}`]),
    ];
  }
}
