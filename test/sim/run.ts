/**
 * Many seeds over all cores, and the shortest story of a seed that fails.
 *
 * `metatron sim` loads this file from the checkout.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { describe } from '../../node/src/base/errors.ts';
import type { Violation } from './checkers.ts';
import type { RunOptions } from './cluster.ts';
import { FAULTS, type Fault, type FaultCounts, noFaults } from './faults.ts';
import type { Defect } from './plant.ts';

/** What a worker says of a seed. */
export type Result = {
  readonly seed: number;
  readonly heights: number;
  readonly faults: FaultCounts;
  readonly virtualMs: number;
  readonly violation: Violation | undefined;
  readonly story: readonly string[];
};

/** Which seeds to run. */
export type SeedsSpec = {
  readonly seeds: number;
  readonly from: number;
  /** Nodes per network; the seed decides if absent: mostly 4, sometimes 7. */
  readonly nodes?: number | undefined;
  /** Heights that the storm lasts, 9 by default. */
  readonly heights?: number;
  readonly progress?: (done: number) => void;
  /** Whether to look for the shortest story of a failure; true by default. */
  readonly shorten?: boolean;
  /** A defect to plant, for tests of the checkers. */
  readonly defect?: Defect;
};

/** A violation with the shortest story found. */
export type Failure = Violation & {
  readonly seed: number;
  /** Kinds of faults that the violation does without. */
  readonly without: readonly Fault[];
  readonly story: readonly string[];
};

/** What came of it all. */
export type Report = {
  readonly seeds: number;
  readonly heights: number;
  readonly faults: FaultCounts;
  readonly violations: number;
  /** The violation of the lowest seed. */
  readonly violation?: Failure;
};

const HEIGHTS = 9;

function optionsFor(spec: SeedsSpec, seed: number, without: readonly Fault[]): RunOptions {
  const nodes = spec.nodes ?? (seed % 16 === 0 ? 7 : 4);
  return { seed, nodes, heights: spec.heights ?? HEIGHTS, without };
}

/** A worker that runs one seed at a time. */
class Runner {
  readonly #worker: Worker;
  #failed: Error | undefined;
  #settle: ((result: Result) => void) | undefined;
  #seed = 0;

  constructor(defect: Defect | undefined) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { defect } });
    this.#worker.on('message', (result: Result) => this.#settle?.(result));
    this.#worker.on('error', (thrown) => {
      this.#failed = thrown instanceof Error ? thrown : new TypeError(describe(thrown));
      this.#settle?.(this.#broken());
    });
  }

  /** A run that ended by an error nobody took is a violation like any other. */
  #broken(): Result {
    const what = this.#failed?.stack ?? 'the worker is gone';
    const violation = { checker: 'running', what } as const;
    const faults = noFaults();
    return { seed: this.#seed, heights: 0, faults, virtualMs: 0, violation, story: [] };
  }

  /** Runs a seed. */
  run(options: RunOptions): Promise<Result> {
    this.#seed = options.seed;
    if (this.#failed !== undefined) return Promise.resolve(this.#broken());
    return new Promise((resolve) => {
      this.#settle = resolve;
      this.#worker.postMessage(options);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Runs seeds `from` … `from + seeds − 1`. */
export async function runSeeds(spec: SeedsSpec): Promise<Report> {
  const { seeds, from, progress, defect } = spec;
  const results: Result[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    const runner = new Runner(defect);
    while (next < from + seeds) {
      const result = await runner.run(optionsFor(spec, next++, []));
      results.push(result);
      progress?.(results.length);
    }
    await runner.stop();
  };
  const threads = Math.min(seeds, availableParallelism());
  await Promise.all(Array.from({ length: threads }, work));
  return await reportOf(spec, results);
}

async function reportOf(spec: SeedsSpec, results: readonly Result[]): Promise<Report> {
  const faults = noFaults();
  for (const result of results) {
    for (const kind of FAULTS) faults[kind] += result.faults[kind];
  }
  const heights = results.reduce((sum, result) => sum + result.heights, 0);
  const broken = results.filter((result) => result.violation !== undefined);
  const [first] = broken.toSorted((a, b) => a.seed - b.seed);
  const summary = { seeds: results.length, heights, faults, violations: broken.length };
  return first === undefined ? summary : { ...summary, violation: await shortest(spec, first) };
}

/** Leaves out one kind of fault after the other, as long as the same checker complains. */
async function shortest(spec: SeedsSpec, found: Result): Promise<Failure> {
  const runner = new Runner(spec.defect);
  let best = found;
  const without: Fault[] = [];
  for (const kind of spec.shorten === false ? [] : FAULTS) {
    const tried = await runner.run(optionsFor(spec, found.seed, [...without, kind]));
    if (tried.violation?.checker !== found.violation?.checker) continue;
    without.push(kind);
    best = tried;
  }
  await runner.stop();
  const { checker, what } = best.violation ?? { checker: 'running', what: 'unknown' };
  return { checker, what, seed: found.seed, without, story: best.story };
}
