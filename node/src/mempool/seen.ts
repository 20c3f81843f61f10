/**
 * A bounded memory of transactions that were seen.
 *
 * Upholds: at most `capacity` keys (an odd one counts as the next even one), and the newest half of
 * that for certain. There are two generations: when the younger is full, the older is forgotten as
 * a whole, so that no key is ever looked for to be the oldest.
 * Absent here: why something is remembered; `mempool.ts` has it.
 *
 * @module
 */
import type { TxKey } from '../types/block.ts';

/** Keys, the newest of them. */
export class Seen {
  readonly #half: number;
  #young = new Set<TxKey>();
  #old = new Set<TxKey>();

  /** @param capacity - most keys remembered; 0 for none */
  constructor(capacity: number) {
    this.#half = Math.ceil(capacity / 2);
  }

  has(key: TxKey): boolean {
    return this.#young.has(key) || this.#old.has(key);
  }

  /** Remembers a key as one of the newest. */
  add(key: TxKey): void {
    if (this.#half === 0) return;
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(key);
  }

  delete(key: TxKey): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
