/**
 * The fees that one account's pending transactions will take.
 *
 * Upholds: `total` is the sum over all that is kept; per sequence the fee of the higher priority
 * is kept, as the mempool keeps one transaction per sequence. Sequences stand in ascending order.
 *
 * @module
 */
import type { Amount } from './bank/coins.ts';

/** Most kept; past it they start afresh. */
const MAX_PROMISES = 20_000;

type Promised = { readonly fee: readonly Amount[]; readonly priority: number };

/** Promised fees by the sequence with which the payer signed. */
export class Promises {
  #bySequence = new Map<number, Promised>();
  readonly #totals = new Map<string, bigint>();
  #last = -1;

  /** Notes a fee. @param again - whether a transaction with this sequence passed before */
  add(sequence: number, fee: readonly Amount[], priority: number, again: boolean): void {
    const before = this.#bySequence.get(sequence);
    // A transaction without a fee is not noted; its priority is 0.
    if (again && (before?.priority ?? 0) >= priority) return;
    if (before !== undefined) this.#count(before.fee, -1n);
    else if (this.#bySequence.size >= MAX_PROMISES) this.settle(Number.POSITIVE_INFINITY);
    this.#count(fee, 1n);
    this.#bySequence.set(sequence, { fee, priority });
    if (sequence < this.#last && before === undefined) {
      this.#bySequence = new Map([...this.#bySequence].sort(([a], [b]) => a - b));
    }
    this.#last = Math.max(this.#last, sequence);
  }

  /** Forgets the fees of sequences below `sequence`: they are taken. */
  settle(sequence: number): void {
    for (const [at, { fee }] of this.#bySequence) {
      if (at >= sequence) return;
      this.#bySequence.delete(at);
      this.#count(fee, -1n);
    }
  }

  /** What is promised of `denom`. */
  total(denom: string): bigint {
    return this.#totals.get(denom) ?? 0n;
  }

  /** What sequences below `sequence` promise of `denom`. */
  before(sequence: number, denom: string): bigint {
    let sum = 0n;
    for (const [at, { fee }] of this.#bySequence) {
      if (at >= sequence) break;
      sum += fee.find((coin) => coin.denom === denom)?.amount ?? 0n;
    }
    return sum;
  }

  #count(fee: readonly Amount[], sign: bigint): void {
    for (const { denom, amount } of fee) {
      const sum = this.total(denom) + sign * amount;
      if (sum === 0n) this.#totals.delete(denom);
      else this.#totals.set(denom, sum);
    }
  }
}
