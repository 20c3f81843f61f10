/**
 * A bounded cache by the clock rule: what was not used since the hand came by last is dropped.
 *
 * Upholds: the weight of all entries is at most the bound, but for one entry alone. A read costs
 * one lookup and no change of order; a dropped entry costs the hand at most two steps per entry.
 * Pure.
 *
 * @module
 */

type Slot<V> = { value: V; weight: number; used: boolean };

/** Keeps values by text keys up to a total weight. */
export class Lru<V> {
  readonly #maxWeight: number;
  readonly #slots = new Map<string, Slot<V>>();
  /** Goes on where it stopped; entries that are added meanwhile come later. */
  #hand: Iterator<[string, Slot<V>]> = this.#slots.entries();
  #weight = 0;

  /** @param maxWeight - in the unit of the weights given to `set` */
  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  /** The value, which now counts as used. */
  get(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    slot.used = true;
    return slot.value;
  }

  /** Keeps a value. */
  set(key: string, value: V, weight: number): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) this.#slots.set(key, { value, weight, used: true });
    else {
      this.#weight -= slot.weight;
      slot.value = value;
      slot.weight = weight;
      slot.used = true;
    }
    this.#weight += weight;
    while (this.#weight > this.#maxWeight && this.#slots.size > 1) this.#advance();
  }

  #advance(): void {
    const next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#slots.entries();
      return;
    }
    const [key, slot] = next.value;
    if (slot.used) slot.used = false;
    else this.delete(key);
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#weight -= this.#slots.get(key)?.weight ?? 0;
    this.#slots.delete(key);
  }
}
