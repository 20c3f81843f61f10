/**
 * Changes over a store, with frames that can be reverted: block, transaction, message.
 *
 * Upholds: reads see the changes; `revert` restores exactly what `mark` saw, of records, rows and
 * logs; changes come out in the order in which their keys were first written, which is
 * deterministic. Absent here: writing. `changes`, `rows` and `leaves` are handed to the store.
 *
 * @module
 */
import { latin1 } from '../base/bytes.ts';
import type { RecordChange } from './store.ts';

/** What an overlay lies over: the latest finalized state. */
export type Base = {
  get(key: Uint8Array): Uint8Array | undefined;
  row(key: Uint8Array): Uint8Array | undefined;
};

/** A point to which changes can be taken back. */
export type Mark = { readonly undo: number; readonly rows: number; readonly leaves: number };

type Leaf = { readonly log: Uint8Array; readonly name: string; readonly leaf: Uint8Array };
type Undo = { readonly name: string; readonly before: RecordChange | undefined };

/** Leaves to append to one log. */
export type PendingLog = { readonly log: Uint8Array; readonly leaves: readonly Uint8Array[] };

/** Most records remembered from reads; past it they are read again. */
const MAX_READS = 50_000;

/** Uncommitted changes over a store. */
export class Overlay {
  readonly #base: Base;
  readonly #reads = new Map<string, Uint8Array | undefined>();
  readonly #changes = new Map<string, RecordChange>();
  readonly #undo: Undo[] = [];
  readonly #rows: (readonly [key: Uint8Array, value: Uint8Array])[] = [];
  readonly #leaves: Leaf[] = [];
  readonly #pending = new Map<string, number>();

  constructor(base: Base) {
    this.#base = base;
  }

  /** An overlay over the same base with the same records changed; without rows and logs. */
  copy(): Overlay {
    const copy = new Overlay(this.#base);
    for (const [key, value] of this.#changes.values()) copy.set(key, value);
    return copy;
  }

  /** How many records are changed. */
  get size(): number {
    return this.#changes.size;
  }

  /** The record under `key`, if there is one. */
  get(key: Uint8Array): Uint8Array | undefined {
    const name = latin1(key);
    const change = this.#changes.get(name);
    if (change !== undefined) return change[1];
    const read = this.#reads.get(name);
    if (read !== undefined || this.#reads.has(name)) return read;
    const value = this.#base.get(key);
    if (this.#reads.size >= MAX_READS) this.#reads.clear();
    this.#reads.set(name, value);
    return value;
  }

  /** Writes a record; no value deletes it. */
  set(key: Uint8Array, value: Uint8Array | undefined): void {
    const name = latin1(key);
    this.#undo.push({ name, before: this.#changes.get(name) });
    this.#changes.set(name, [key, value]);
  }

  /** A row that an earlier block wrote. */
  row(key: Uint8Array): Uint8Array | undefined {
    return this.#base.row(key);
  }

  /** Writes a write-once row. */
  putRow(key: Uint8Array, value: Uint8Array): void {
    this.#rows.push([key, value]);
  }

  /** Appends a leaf to a log. */
  append(log: Uint8Array, leaf: Uint8Array): void {
    const name = latin1(log);
    this.#leaves.push({ log, name, leaf });
    this.#pending.set(name, (this.#pending.get(name) ?? 0) + 1);
  }

  /** How many leaves were appended to `log` here. */
  appended(log: Uint8Array): number {
    return this.#pending.get(latin1(log)) ?? 0;
  }

  /** Opens a frame. */
  mark(): Mark {
    return { undo: this.#undo.length, rows: this.#rows.length, leaves: this.#leaves.length };
  }

  /** Takes back everything since `mark`. */
  revert(mark: Mark): void {
    while (this.#undo.length > mark.undo) {
      const undo = this.#undo.pop() as Undo;
      if (undo.before === undefined) this.#changes.delete(undo.name);
      else this.#changes.set(undo.name, undo.before);
    }
    this.#rows.length = mark.rows;
    while (this.#leaves.length > mark.leaves) {
      const { name } = this.#leaves.pop() as Leaf;
      this.#pending.set(name, (this.#pending.get(name) ?? 0) - 1);
    }
  }

  /** Every changed record. */
  changes(): readonly RecordChange[] {
    return [...this.#changes.values()];
  }

  /** Every written row. */
  rows(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    return this.#rows;
  }

  /** Appended leaves by log, in order of each log's first leaf. */
  logs(): readonly PendingLog[] {
    const byName = new Map<string, { log: Uint8Array; leaves: Uint8Array[] }>();
    for (const { log, name, leaf } of this.#leaves) {
      const known = byName.get(name);
      if (known === undefined) byName.set(name, { log, leaves: [leaf] });
      else known.leaves.push(leaf);
    }
    return [...byName.values()];
  }

  /** Forgets the changes of these keys, so that the store shows through again. */
  forget(keys: Iterable<Uint8Array>): void {
    this.#undo.length = 0;
    for (const key of keys) {
      const name = latin1(key);
      this.#changes.delete(name);
      this.#reads.delete(name);
    }
  }
}
