/**
 * One lane of the mempool: the pending transactions of one sender, or those without a sender.
 *
 * Upholds: entries leave in order; of a sender's, in order of sequence and never across a gap, nor
 * back to an earlier phase of the block. A lane whose first entry waits gives nothing.
 * Absent here: bounds and checks; `mempool.ts` has them.
 *
 * @module
 */

import type { CheckTxResponse } from '../abci/application.ts';
import type { TxKey } from '../types/block.ts';

/** A transaction that passed the application's check and waits for a block. */
export type PoolEntry = {
  readonly tx: Uint8Array;
  readonly key: TxKey;
  readonly sender: string | undefined;
  readonly sequence: number;
  readonly priority: number;
  readonly gasWanted: number;
  /** Part of a block in which it stands. */
  readonly phase: number;
  /** What a replacement must bid a tenth more of; absent: a higher priority is enough. */
  readonly bids: readonly bigint[] | undefined;
  /** Whether one before it was missing when it was last checked; tells of the first entry only. */
  waits: boolean;
  /** Position in the order of acceptance. */
  readonly arrival: number;
  /** Peers that are known to have it. */
  readonly peers: string[];
  /** Whether it still waits: false once it left the pool. */
  pending: boolean;
};

/** The entry of a transaction that passed. @param peer - who sent it; empty for our own clients */
export function poolEntry(
  tx: Uint8Array,
  key: TxKey,
  response: CheckTxResponse,
  arrival: number,
  peer: string,
): PoolEntry {
  const { sender, sequence = 0, priority, gasWanted, phase = 0, bids, waits = false } = response;
  const peers = peer === '' ? [] : [peer];
  const offered = { sender, sequence, priority, gasWanted, phase, bids, waits };
  return { tx, key, ...offered, arrival, peers, pending: true };
}

/** The entries of a lane, in order. */
export class Lane {
  readonly sender: string | undefined;
  #entries: PoolEntry[] = [];
  #byteSize = 0;
  /** Height at which the lane was last checked. */
  checkedAt: number;
  /** Height at which it began to wait for a transaction. */
  stalledAt = 0;
  /** The arrival after which the next slice begins. */
  #sliced = -1;

  /** @param sender - whose sequences order the lane; without one arrival does */
  constructor(sender: string | undefined, height: number) {
    this.sender = sender;
    this.checkedAt = height;
  }

  get size(): number {
    return this.#entries.length;
  }

  get byteSize(): number {
    return this.#byteSize;
  }

  /** All entries, in order; the array is the lane's own: not to be kept across a change. */
  entries(): readonly PoolEntry[] {
    return this.#entries;
  }

  /** The next entries in rotation over a lane in order of arrival, at most `limit`. */
  slice(limit: number): readonly PoolEntry[] {
    const after = this.#entries.findIndex((entry) => entry.arrival > this.#sliced);
    const from = Math.max(0, after);
    const slice = this.#entries.slice(from, from + limit);
    this.#sliced = slice.at(-1)?.arrival ?? -1;
    return slice;
  }

  /** The entry that `entry` would stand in the place of: same sender, same sequence. */
  rival(sequence: number): PoolEntry | undefined {
    if (this.sender === undefined) return undefined;
    const last = this.#entries.at(-1);
    if (last === undefined || last.sequence < sequence) return undefined;
    const found = this.#entries[this.#position(sequence)];
    return found?.sequence === sequence ? found : undefined;
  }

  /** Adds an entry; the caller has removed its rival. */
  add(entry: PoolEntry): void {
    this.#byteSize += entry.tx.length;
    const last = this.#entries.at(-1);
    if (this.sender === undefined || last === undefined || last.sequence < entry.sequence) {
      this.#entries.push(entry);
    } else this.#entries.splice(this.#position(entry.sequence), 0, entry);
  }

  /** Whether it has nothing for a block: its first entry waits for one that is missing. */
  get stalled(): boolean {
    return this.#entries[0]?.waits === true;
  }

  /** How many of its entries follow each other from one that can stand in a block. */
  get ready(): number {
    if (this.stalled) return 0;
    let count = 1;
    while (count < this.#entries.length && this.#adjoins(count)) count++;
    return Math.min(count, this.#entries.length);
  }

  /** The sequence after those that can stand in a block; none if there are none. */
  get nextSequence(): number | undefined {
    const last = this.#entries[this.ready - 1];
    return last && last.sequence + 1;
  }

  /** Removes the entries that are not pending any more. */
  sweep(): void {
    const entries = this.#entries;
    let kept = 0;
    for (const entry of entries) {
      if (entry.pending) entries[kept++] = entry;
      else this.#byteSize -= entry.tx.length;
    }
    entries.length = kept;
  }

  /** Whether entry `index` may follow the one before it in a block. */
  follows(index: number): boolean {
    const entry = this.#entries[index];
    const before = this.#entries[index - 1];
    if (entry === undefined || before === undefined) return entry !== undefined;
    return entry.phase >= before.phase && this.#adjoins(index);
  }

  /** Whether there is no gap between the sequences of entry `index` and the one before it. */
  #adjoins(index: number): boolean {
    const [before, entry] = [this.#entries[index - 1], this.#entries[index]];
    return this.sender === undefined || entry?.sequence === (before?.sequence ?? 0) + 1;
  }

  /** First position whose sequence is not below `sequence`. */
  #position(sequence: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.sequence ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** A lane and how far it was taken. */
type Cursor = { readonly lane: Lane; next: number };

function goesBefore(a: PoolEntry, b: PoolEntry): boolean {
  return a.priority === b.priority ? a.arrival < b.arrival : a.priority > b.priority;
}

/**
 * Walks lanes by the priority of their heads, then by arrival, until `take` has had enough.
 *
 * @param take - false if the entry does not fit: its lane is left for this walk
 * Cost: linear in the lanes, then logarithmic in them per entry taken.
 */
export function walkLanes(lanes: Iterable<Lane>, take: (entry: PoolEntry) => boolean): void {
  const heap: Cursor[] = [];
  for (const lane of lanes) if (lane.size > 0 && !lane.stalled) heap.push({ lane, next: 0 });
  for (let i = (heap.length >> 1) - 1; i >= 0; i--) sink(heap, i);
  for (let top = heap[0]; top !== undefined; top = heap[0]) {
    const entry = head(top);
    top.next++;
    if (!take(entry) || !top.lane.follows(top.next)) {
      const last = heap.pop();
      if (heap.length > 0 && last !== undefined) heap[0] = last;
    }
    sink(heap, 0);
  }
}

function head(cursor: Cursor): PoolEntry {
  return cursor.lane.entries()[cursor.next] as PoolEntry;
}

function sink(heap: Cursor[], from: number): void {
  let at = from;
  for (;;) {
    let best = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      const a = heap[child];
      const b = heap[best];
      if (a !== undefined && b !== undefined && goesBefore(head(a), head(b))) best = child;
    }
    if (best === at) return;
    [heap[at], heap[best]] = [heap[best] as Cursor, heap[at] as Cursor];
    at = best;
  }
}
