/**
 * What the benchmarks of single parts measure with: time and memory of their own process.
 *
 * Upholds: processor time is that of all threads of the process, so that those of a database and
 * of the collector count, and the load of other processes counts less.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Time in milliseconds: of all threads of this process, and of the clock. */
export type Cost = { cpuMs: number; wallMs: number };

/** No time yet. */
export const none = (): Cost => ({ cpuMs: 0, wallMs: 0 });

/** Does `work`, and adds what it took to `sum`. */
export async function cost<T>(sum: Cost, work: () => T | Promise<T>): Promise<T> {
  const [cpu, wall] = [process.cpuUsage(), performance.now()];
  const result = await work();
  const { user, system } = process.cpuUsage(cpu);
  sum.cpuMs += (user + system) / 1_000;
  sum.wallMs += performance.now() - wall;
  return result;
}

/** What steps took, by name. */
export class Costs {
  readonly sums: Map<string, Cost> = new Map();

  /** Does `work`, and adds what it took to the step. */
  add<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const sum = this.sums.get(name) ?? none();
    this.sums.set(name, sum);
    return cost(sum, work);
  }

  /** Microseconds of processor time by name, per unit of `count`. */
  micros(count: number): Readonly<Record<string, number>> {
    const entries = [...this.sums].map(([name, { cpuMs }]) => {
      return [name, rounded((cpuMs * 1_000) / count)] as const;
    });
    return Object.fromEntries(entries);
  }
}

/** A figure as it is shown. */
export const rounded = (n: number): number => Number(n.toFixed(1));

/** Memory of this process in MiB, by the name that /proc/self/status has. */
export function memoryMiB(name: 'VmRSS' | 'VmHWM' | 'RssAnon'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return rounded(Number(status.match(`${name}:\\s+(\\d+)`)?.[1]) / 1_024);
}

setFlagsFromString('--expose-gc');

/** Collects what is garbage. */
export const collect: () => void = runInNewContext('gc') as () => void;
