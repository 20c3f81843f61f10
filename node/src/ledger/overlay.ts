/**
 * Changes over a store, with frames that can be reverted: block, transaction, message.
 *
 * Upholds: reads see the changes; `revert` restores exactly what `mark` saw, of records, rows and
 * logs; changes come out in the order in which their keys were first written, which is
 * deterministic. Absent here: writing. `changes`, `rows` and `leaves` are handed to the store.
 *
 * @module
 */
import { EMPTY, latin1 } from '../base/bytes.ts';
import type { RecordCodec } from './record.ts';
import type { RecordChange } from './store.ts';

/** What an overlay lies over: the latest finalized state. */
export type Base = {
  get(key: Uint8Array): Uint8Array | undefined;
  row(key: Uint8Array): Uint8Array | undefined;
};

/** A point to which changes can be taken back. */
export type Mark = { readonly undo: number; readonly rows: number; readonly leaves: number };

type Leaf = { readonly log: Uint8Array; readonly name: string; readonly leaf: Uint8Array };
type Undo = { readonly name: string; readonly before: Change | undefined };

/** A changed record: its bytes, or a value that is encoded when its bytes are asked for. */
type Change = {
  readonly key: Uint8Array;
  readonly codec: RecordCodec<unknown> | undefined;
  readonly value: unknown;
  bytes: Uint8Array | undefined;
};

function bytesOf(change: Change): Uint8Array | undefined {
  if (change.codec !== undefined) change.bytes ??= change.codec.encode(change.value);
  return change.bytes;
}

/** Leaves to append to one log. */
export type PendingLog = { readonly log: Uint8Array; readonly leaves: readonly Uint8Array[] };

/** Bytes of the allocations that rows share. */
const CHUNK_BYTES = 32_768;
/** Most records remembered from reads; past it they are read again. */
const MAX_READS = 50_000;

/** Uncommitted changes over a store. */
export class Overlay {
  readonly #base: Base;
  readonly #reads = new Map<string, Uint8Array | undefined>();
  readonly #changes = new Map<string, Change>();
  readonly #undo: Undo[] = [];
  readonly #rows: (readonly [key: Uint8Array, value: Uint8Array])[] = [];
  readonly #leaves: Leaf[] = [];
  readonly #pending = new Map<string, number>();
  #chunk: Uint8Array = EMPTY;
  #at = 0;

  constructor(base: Base) {
    this.#base = base;
  }

  /** An overlay over the same base with the same records changed; without rows and logs. */
  copy(): Overlay {
    const copy = new Overlay(this.#base);
    for (const [name, change] of this.#changes) copy.#changes.set(name, change);
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
    return change === undefined ? this.#committed(name, key) : bytesOf(change);
  }

  /** The value of the record under `key`, if there is one. */
  read<T>(key: Uint8Array, codec: RecordCodec<T>): T | undefined {
    const name = latin1(key);
    const change = this.#changes.get(name);
    if (change !== undefined && change.codec === codec) return change.value as T;
    const bytes = change === undefined ? this.#committed(name, key) : bytesOf(change);
    return bytes && codec.decode(bytes);
  }

  #committed(name: string, key: Uint8Array): Uint8Array | undefined {
    const read = this.#reads.get(name);
    if (read !== undefined || this.#reads.has(name)) return read;
    const value = this.#base.get(key);
    if (this.#reads.size >= MAX_READS) this.#reads.clear();
    this.#reads.set(name, value);
    return value;
  }

  /** Writes a record; no value deletes it. */
  set(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#change({ key, codec: undefined, value, bytes: value });
  }

  /** Writes a record by its value. */
  write<T>(key: Uint8Array, codec: RecordCodec<T>, value: T): void {
    this.#change({ key, codec: codec as RecordCodec<unknown>, value, bytes: undefined });
  }

  #change(change: Change): void {
    const name = latin1(change.key);
    this.#undo.push({ name, before: this.#changes.get(name) });
    this.#changes.set(name, change);
  }

  /** A row that an earlier block wrote. */
  row(key: Uint8Array): Uint8Array | undefined {
    return this.#base.row(key);
  }

  /** A copy for a row, beside other rows' in one allocation: rows go together, when stored. */
  readonly keep = (row: Uint8Array): Uint8Array => {
    if (row.length > CHUNK_BYTES / 4) return row.slice();
    if (this.#at + row.length > this.#chunk.length) {
      this.#chunk = new Uint8Array(CHUNK_BYTES);
      this.#at = 0;
    }
    const copy = this.#chunk.subarray(this.#at, this.#at + row.length);
    copy.set(row);
    this.#at += row.length;
    return copy;
  };

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
    return [...this.#changes.values()].map((change) => [change.key, bytesOf(change)]);
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
}
