/**
 * Who waits for a thread that runs calls: a lane for each address, taken in turn.
 *
 * Upholds: what waits is bounded; whoever has many before it keeps nobody else from their turn, and
 * where there is no room, the newest of the longest lane gives way to a shorter one.
 *
 * @module
 */

/** Waiting jobs, by address. */
export class FairQueue<T> {
  readonly #most: number;
  readonly #lanes = new Map<string, T[]>();
  #size = 0;

  /** @param most - how many may wait */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  #longest(): string {
    let [longest, length] = ['', 0];
    for (const [address, lane] of this.#lanes) {
      if (lane.length > length) [longest, length] = [address, lane.length];
    }
    return longest;
  }

  /** Lets one wait; what finds no room, it or another, is returned. */
  add(address: string, item: T): T | undefined {
    const own = this.#lanes.get(address) ?? [];
    let evicted: T | undefined;
    if (this.#size >= this.#most) {
      const longest = this.#longest();
      const lane = this.#lanes.get(longest) ?? [];
      if (lane.length <= own.length + 1) return item;
      evicted = lane.pop();
      this.#size--;
    }
    own.push(item);
    this.#lanes.set(address, own);
    this.#size++;
    return evicted;
  }

  /** The next one: the oldest of the lane that was served longest ago. */
  take(): T | undefined {
    for (const [address, lane] of this.#lanes) {
      const item = lane.shift();
      this.#lanes.delete(address);
      if (lane.length > 0) this.#lanes.set(address, lane);
      if (item !== undefined) this.#size--;
      return item;
    }
    return undefined;
  }
}
