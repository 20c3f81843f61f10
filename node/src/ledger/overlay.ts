/**
 * Changes over a store, with frames that can be reverted: block, transaction, message.
 *
 * Upholds: reads see the changes; `revert` restores exactly what `mark` saw, of records, rows and
 * logs; changes come out in the order in which their keys were first written, which is
 * deterministic. Absent here: writing. `changes`, `rows` and `leaves` are handed to the store.
 *
 * @module
 */
import { EMPTY } from '../base/bytes.ts';
import { leafHash } from '../base/merkle.ts';
import { named, type RecordKey } from './keys.ts';
import type { RecordCodec } from './record.ts';
import type { RecordChange } from './store.ts';

/** What an overlay lies over: the latest finalized state. */
export type Base = {
  get(key: Uint8Array): Uint8Array | undefined;
  row(key: Uint8Array): Uint8Array | undefined;
};

/** A point to which changes can be taken back. */
export type Mark = { readonly undo: number; readonly rows: number; readonly leaves: number };

type Undo = { readonly name: string; readonly before: Held | undefined };

/** A record: its bytes, or a value that is encoded when its bytes are asked for. */
type Held = {
  readonly key: Uint8Array;
  /** What `value` was read or is written with; absent while only the bytes are known. */
  codec: RecordCodec<unknown> | undefined;
  value: unknown;
  /** Absent too if the value is yet to be encoded. */
  bytes: Uint8Array | undefined;
};

function bytesOf(held: Held): Uint8Array | undefined {
  if (held.bytes === undefined && held.codec !== undefined && held.value !== undefined) {
    held.bytes = held.codec.encode(held.value);
  }
  return held.bytes;
}

function decoded<T>(held: Held, codec: RecordCodec<T>): T | undefined {
  if (held.codec === codec) return held.value as T;
  const bytes = bytesOf(held);
  if (bytes === undefined) return undefined;
  const value = codec.decode(bytes);
  held.codec = codec as RecordCodec<unknown>;
  held.value = value;
  return value;
}

/** Leaves to append to one log, and their hashes. */
export type PendingLog = {
  readonly log: Uint8Array;
  readonly leaves: readonly Uint8Array[];
  readonly hashes: readonly Uint8Array[];
};

type GrowingLog = {
  readonly log: Uint8Array;
  readonly name: string;
  readonly leaves: Uint8Array[];
  readonly hashes: Uint8Array[];
};

type Appended = { readonly growing: GrowingLog; readonly hash: Uint8Array };

/** Bytes of the allocations that rows share. */
const CHUNK_BYTES = 32_768;
/** Most records remembered from reads; past it they are read again. */
const MAX_READS = 50_000;

/** Uncommitted changes over a store. */
export class Overlay {
  readonly #base: Base;
  readonly #reads = new Map<string, Held>();
  readonly #changes = new Map<string, Held>();
  readonly #undo: Undo[] = [];
  readonly #rows: (readonly [key: Uint8Array, value: Uint8Array])[] = [];
  readonly #logs = new Map<string, GrowingLog>();
  /** The log of each appended leaf, in order. */
  readonly #appended: Appended[] = [];
  #chunk: Uint8Array = EMPTY;
  #at = 0;

  constructor(base: Base) {
    this.#base = base;
  }

  /** An overlay over the same base with the same records changed and rows written; without logs. */
  copy(): Overlay {
    const copy = new Overlay(this.#base);
    for (const [name, change] of this.#changes) copy.#changes.set(name, change);
    copy.#rows.push(...this.#rows);
    return copy;
  }

  /** How many records are changed. */
  get size(): number {
    return this.#changes.size;
  }

  /** The record under `key`, if there is one. */
  get(key: Uint8Array): Uint8Array | undefined {
    return bytesOf(this.#held(named(key)));
  }

  /** The value of the record under `key`, if there is one. */
  read<T>(key: RecordKey, codec: RecordCodec<T>): T | undefined {
    return decoded(this.#held(key), codec);
  }

  #held(key: RecordKey): Held {
    return this.#changes.get(key.name) ?? this.#reads.get(key.name) ?? this.#fetch(key);
  }

  #fetch({ name, bytes: key }: RecordKey): Held {
    const held: Held = { key, codec: undefined, value: undefined, bytes: this.#base.get(key) };
    if (this.#reads.size >= MAX_READS) this.#reads.clear();
    this.#reads.set(name, held);
    return held;
  }

  /** Writes a record; no value deletes it. */
  set(key: Uint8Array, value: Uint8Array | undefined): void {
    const { name } = named(key);
    this.#change(name, { key, codec: undefined, value: undefined, bytes: value });
  }

  /** Writes a record by its value. */
  write<T>(key: RecordKey, codec: RecordCodec<T>, value: T): void {
    const held = { key: key.bytes, codec: codec as RecordCodec<unknown>, value, bytes: undefined };
    this.#change(key.name, held);
  }

  #change(name: string, held: Held): void {
    this.#undo.push({ name, before: this.#changes.get(name) });
    this.#changes.set(name, held);
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

  /** Appends a leaf to a log. @returns its RFC 6962 hash */
  append(log: RecordKey, leaf: Uint8Array): Uint8Array {
    let growing = this.#logs.get(log.name);
    if (growing === undefined) {
      growing = { log: log.bytes, name: log.name, leaves: [], hashes: [] };
      this.#logs.set(log.name, growing);
    }
    const hash = leafHash(leaf);
    growing.leaves.push(leaf);
    growing.hashes.push(hash);
    this.#appended.push({ growing, hash });
    return hash;
  }

  /** How many leaves were appended to `log` here. */
  appended(log: RecordKey): number {
    return this.#logs.get(log.name)?.leaves.length ?? 0;
  }

  /** Opens a frame. */
  mark(): Mark {
    return { undo: this.#undo.length, rows: this.#rows.length, leaves: this.#appended.length };
  }

  /** Takes back everything since `mark`. */
  revert(mark: Mark): void {
    while (this.#undo.length > mark.undo) {
      const undo = this.#undo.pop() as Undo;
      if (undo.before === undefined) this.#changes.delete(undo.name);
      else this.#changes.set(undo.name, undo.before);
    }
    this.#rows.length = mark.rows;
    while (this.#appended.length > mark.leaves) {
      const { name, leaves, hashes } = (this.#appended.pop() as Appended).growing;
      leaves.pop();
      hashes.pop();
      if (leaves.length === 0) this.#logs.delete(name);
    }
  }

  /** Every changed record. */
  changes(): readonly RecordChange[] {
    return [...this.#changes.values()].map((held) => [held.key, bytesOf(held)]);
  }

  /** Every written row. */
  rows(): readonly (readonly [key: Uint8Array, value: Uint8Array])[] {
    return this.#rows;
  }

  /** The hash of every appended leaf, in the order in which they were appended. */
  leafHashes(): readonly Uint8Array[] {
    return this.#appended.map(({ hash }) => hash);
  }

  /** Appended leaves by log, in order of each log's first leaf. */
  logs(): readonly PendingLog[] {
    return [...this.#logs.values()];
  }
}
