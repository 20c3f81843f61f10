/**
 * A bounded cache in two generations: what was not used since the last change of generations goes.
 *
 * Upholds: the weight of all entries is at most the bound, but for one entry alone. Constant cost
 * per call: no list is kept in order, which in a JavaScript Map costs a walk over removed entries.
 * Pure.
 *
 * @module
 */

type Generation<V> = Map<string, { readonly value: V; readonly weight: number }>;

/** Keeps values by text keys up to a total weight; the least recently used half goes first. */
export class Lru<V> {
  readonly #maxWeight: number;
  #young: Generation<V> = new Map();
  #old: Generation<V> = new Map();
  #youngWeight = 0;

  /** @param maxWeight - in the unit of the weights given to `set` */
  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  /** The value, now of the young generation. */
  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young.value;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.set(key, old.value, old.weight);
    return old.value;
  }

  /** Keeps a value. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (this.#youngWeight > 0 && this.#youngWeight + weight > this.#maxWeight / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngWeight = 0;
    }
    this.#young.set(key, { value, weight });
    this.#youngWeight += weight;
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#youngWeight -= this.#young.get(key)?.weight ?? 0;
    this.#young.delete(key);
    this.#old.delete(key);
  }
}

/** A byte string as map key: one character per byte. */
export function keyText(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
