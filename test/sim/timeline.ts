/**
 * Virtual time: what will happen, in order of time and then of being planned.
 *
 * Upholds: nothing happens twice, nothing out of order; a plan for the past happens now.
 *
 * @module
 */

type Entry = { readonly at: number; readonly order: number; readonly run: () => void };

/** A plan that can be called off. */
export type Plan = { cancel(): void };

/** A queue of plans and the time they have reached. */
export class Timeline {
  #now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#now;
  }

  /** Plans something for `delayMs` from now. */
  after(delayMs: number, run: () => void): Plan {
    let live = true;
    const entry = {
      at: this.#now + Math.max(0, delayMs),
      order: this.#order++,
      run: () => {
        if (live) run();
      },
    };
    this.#push(entry);
    return {
      cancel: () => {
        live = false;
      },
    };
  }

  /** Lets the next plan happen. @returns whether there was one */
  advance(): boolean {
    const next = this.#pop();
    if (next === undefined) return false;
    this.#now = next.at;
    next.run();
    return true;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(entry, heap[parent] as Entry)) break;
      heap[i] = heap[parent] as Entry;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && before(heap[right] as Entry, heap[child] as Entry)) child = right;
      if (!before(heap[child] as Entry, last)) break;
      heap[i] = heap[child] as Entry;
      i = child;
    }
    heap[i] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}
