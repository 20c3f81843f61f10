/**
 * The application's state: versioned records under a tree, write-once rows, append-only logs.
 *
 * Upholds: a height is finalized in memory and becomes visible only when its batch is durable; a
 * height that is finalized again replaces what was made before. A change of a record to the value
 * it has is none, so a height that changes nothing leaves the app hash as it was. On opening, the
 * tree is made from the newest checkpoint and the lists of what changed since, and its root must be
 * the app hash that was stored.
 * Absent here: who may write what; the ledger's modules decide.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { concatBytes, EMPTY, equalBytes, readU64be, u64be } from '../src/base/bytes.ts';
import { invariant } from '../src/base/errors.ts';
import { BucketCache } from './buckets.ts';
import { decodeList, encodeList, type HeightList, joinLists, NO_HASH } from './change-list.ts';
import { type Crown, CrownWriter, rootHash } from './crown.ts';
import type { Database } from './database.ts';
import { History } from './history.ts';
import {
  append,
  consistencyPath,
  decodeLog,
  EMPTY_LOG,
  encodeLog,
  type FullTile,
  inclusionPath,
  type LogState,
  logRoot,
  type ReadTile,
} from './log.ts';
import { Lru } from './lru.ts';
import {
  DELETED,
  type Entry,
  encodeEntry,
  encodeReplaced,
  newestEntry,
  nextEntry,
  type Replaced,
} from './records.ts';
import { type Row, readRow, stageRows } from './rows.ts';
import { heightKey, SPACE, tileKey } from './spaces.ts';
import { HEAD_KEY, NO_CROWN, openCrown } from './state-open.ts';
import { DEFAULT_STATE_OPTIONS, type StateOptions } from './state-options.ts';
import { pruneState, STATE_BASE_KEY } from './state-prune.ts';
import { LevelStateView } from './state-view.ts';
import { leafText, textOf } from './text.ts';
import type { LeafChange, Root, Update } from './tree.ts';

/** Change of one record; no value deletes it. */
export type RecordChange = readonly [key: Uint8Array, value: Uint8Array | undefined];

/** Size and RFC 6962 root of a log. */
export type LogHead = { readonly size: number; readonly root: Uint8Array };

/** Changes looked at between two turns of the event loop. */
const ENTRIES_AT_ONCE = 256;
/** Overhead of a cached record in bytes, beside key and value. */
const ENTRY_OVERHEAD = 300;
/** Most keys known to be of no record. */
const MAX_ABSENT = 20_000;

type Written = {
  readonly key: Uint8Array;
  readonly entry: Entry;
  readonly before: Entry | undefined;
};
type LogChange = {
  readonly key: Uint8Array;
  readonly log: LogState;
  readonly tiles: readonly FullTile[];
};

/** Rows and log entries of the height being executed. */
class Draft {
  readonly rows: Row[] = [];
  readonly logs = new Map<string, LogChange>();
  /** Rows by the text of their key, as far as they were looked at. */
  readonly #named = new Map<string, Uint8Array>();
  #looked = 0;

  /** A row's value; of several under one key the last. Blocks rarely read rows of their own. */
  row(key: Uint8Array): Uint8Array | undefined {
    for (; this.#looked < this.rows.length; this.#looked++) {
      const [name, value] = this.rows[this.#looked] as Row;
      this.#named.set(textOf(name), value);
    }
    return this.#named.get(textOf(key));
  }
}

/** A height that was finalized and is not durable yet. */
type Finalized = {
  readonly height: number;
  readonly update: Update;
  readonly written: ReadonlyMap<string, Written>;
  readonly draft: Draft;
};

/** The application's state in Level. */
export class LevelStateStore {
  readonly #db: Database;
  readonly #buckets: BucketCache;
  readonly #records: Lru<Entry>;
  readonly #logs: Lru<LogState>;
  readonly #history: History;
  readonly #crowns: CrownWriter;
  #height: number;
  #base: number;
  #root: Root;
  #draft = new Draft();
  #finalized: Finalized | undefined;
  #committing = false;
  #tombstones = new Map<string, Uint8Array>();
  /** Keys that were looked for and are of no record. */
  readonly #absent = new Set<string>();

  private constructor(
    db: Database,
    options: StateOptions,
    at: { readonly height: number; readonly base: number; readonly crown: Crown },
  ) {
    this.#db = db;
    this.#buckets = new BucketCache(db, options.leafCacheBytes);
    this.#records = new Lru(options.recordCacheBytes);
    this.#logs = new Lru(options.logCache);
    this.#history = new History(db);
    this.#crowns = new CrownWriter(db, options.pace, at.crown);
    this.#height = at.height;
    this.#base = at.base;
    this.#root = at.crown.root;
    this.#history.add(at.height, this.#root, 0);
  }

  /**
   * Opens the state and checks its root.
   *
   * @throws LedgerError storage/4 if records, lists and stored app hash do not fit together
   */
  static async open(
    db: Database,
    options: StateOptions = DEFAULT_STATE_OPTIONS,
  ): Promise<LevelStateStore> {
    const head = db.get(SPACE.meta, HEAD_KEY);
    const height = head === undefined ? 0 : readU64be(head);
    const crown = head === undefined ? NO_CROWN : await openCrown(db, height, head.subarray(8));
    const base = db.get(SPACE.meta, STATE_BASE_KEY);
    const at = { height, base: base === undefined ? 0 : readU64be(base), crown };
    return new LevelStateStore(db, options, at);
  }

  /** The last committed height; 0 before genesis. */
  get height(): number {
    return this.#height;
  }

  /** The lowest height whose state is kept. */
  get base(): number {
    return this.#base;
  }

  /** The app hash after the last committed height. */
  get appHash(): Uint8Array {
    return rootHash(this.#root);
  }

  /** A record, as the latest finalized height left it. */
  get(key: Uint8Array): Uint8Array | undefined {
    const text = textOf(key);
    const entry = this.#finalized?.written.get(text)?.entry ?? this.#newest(text, key);
    return entry === undefined || entry.value.length === 0 ? undefined : entry.value;
  }

  /** The newest durable entry of a record. */
  #newest(text: string, key: Uint8Array): Entry | undefined {
    const cached = this.#records.get(text);
    if (cached !== undefined || this.#absent.has(text)) return cached;
    const entry = newestEntry(this.#db, key);
    if (entry !== undefined) this.#remember(text, entry);
    else this.#absent.add(text);
    if (this.#absent.size > MAX_ABSENT) this.#absent.clear();
    return entry;
  }

  #remember(text: string, entry: Entry): void {
    this.#absent.delete(text);
    this.#records.set(text, entry, text.length + entry.value.length + ENTRY_OVERHEAD);
  }

  /** A row, as the latest finalized height left it. */
  row(key: Uint8Array): Uint8Array | undefined {
    return this.#finalized?.draft.row(key) ?? readRow(this.#db, key);
  }

  /** The draft of the height being executed; a new one after a finalized height. */
  #open(): Draft {
    invariant(!this.#committing, 'the height before is durable');
    if (this.#finalized?.draft === this.#draft) this.#draft = new Draft();
    return this.#draft;
  }

  /** Writes a write-once row; part of the height being finalized. */
  putRow(key: Uint8Array, value: Uint8Array): void {
    this.#open().rows.push([key, value]);
  }

  /** Appends leaves to a log; part of the height being finalized. */
  appendLog(log: Uint8Array, leaves: readonly Uint8Array[], hashes?: typeof leaves): LogHead {
    const text = textOf(log);
    const { logs } = this.#open();
    const before = logs.get(text);
    const after = append(before?.log ?? this.#logState(text, log), leaves, hashes);
    const tiles = [...(before?.tiles ?? []), ...after.tiles];
    logs.set(text, { key: log, log: after.log, tiles });
    return { size: after.log.size, root: logRoot(after.log) };
  }

  /** A log as of the last durable height. */
  #logState(text: string, log: Uint8Array): LogState {
    const cached = this.#logs.get(text);
    if (cached !== undefined) return cached;
    const head = this.#db.get(SPACE.logHeads, log);
    const state = head === undefined ? EMPTY_LOG : decodeLog(head);
    this.#logs.set(text, state, 1);
    return state;
  }

  /**
   * Finalizes `height` in memory, in pieces between which other work runs.
   *
   * @returns the app hash: unchanged if nothing changed
   */
  async finalize(height: number, changes: readonly RecordChange[]): Promise<Uint8Array> {
    invariant(!this.#committing, 'the height before is durable');
    invariant(height >= this.#height, 'heights go up');
    if (this.#finalized?.draft === this.#draft) this.#draft = new Draft();
    const draft = this.#draft;
    const written = await this.#entries(height, changes);
    const sorted = [...written].sort(([a], [b]) => (a < b ? -1 : 1));
    const leaves = (from: number, to: number): readonly LeafChange[] =>
      sorted.slice(from, to).map(leafChange);
    const update = await this.#buckets.update(this.#root, this.#height, sorted.length, leaves);
    this.#finalized = { height, update, written, draft };
    return rootHash(update.root);
  }

  /** The entries that differ from the durable ones; the last change of a key counts. */
  async #entries(height: number, changes: readonly RecordChange[]): Promise<Map<string, Written>> {
    const written = new Map<string, Written>();
    let looked = 0;
    for (const [key, given] of changes) {
      invariant(given?.length !== 0, 'a record has bytes');
      if (++looked % ENTRIES_AT_ONCE === 0) await turn();
      const text = textOf(key);
      const value = given ?? DELETED;
      const before = this.#newest(text, key);
      written.delete(text);
      if (equalBytes(before?.value ?? DELETED, value)) continue;
      written.set(text, { key, entry: nextEntry(before, height, value), before });
    }
    return written;
  }

  /** Stages the finalized height for the height's batch. */
  commit(): void {
    const finalized = this.#finalized;
    invariant(finalized !== undefined && !this.#committing, 'a height is finalized before commit');
    const { height, update, written, draft } = finalized;
    const db = this.#db;
    this.#committing = true;
    for (const { key, entry } of written.values()) {
      db.stage(SPACE.records, key, encodeEntry(entry));
    }
    if (written.size > 0) {
      db.stage(SPACE.changes, heightKey(height), encodeList(this.#changeList(finalized)));
      const replaced = this.#replaced(finalized);
      if (replaced.length > 0) db.stage(SPACE.replaced, heightKey(height), replaced);
    }
    this.#stageDraft(draft);
    db.stage(SPACE.meta, HEAD_KEY, concatBytes(u64be(height), rootHash(update.root)));
    const buried = this.#stageTombstones(written);
    const { root, fresh, stale } = update;
    this.#crowns.stage(height, root, fresh.size, fresh.size - stale.size);
    db.afterFlush(() => this.#settle(finalized, buried));
  }

  #changeList({ height, update, written }: Finalized): HeightList {
    const { fresh, stale } = update;
    const buckets = [...fresh.values()].map(({ bucket: { key, size, hash } }) => {
      return { name: key, size, hash };
    });
    for (const name of stale) if (!fresh.has(name)) buckets.push({ name, size: 0, hash: NO_HASH });
    const deleted: Uint8Array[] = [];
    for (const { key, entry } of written.values()) if (entry.value.length === 0) deleted.push(key);
    const list = { root: rootHash(update.root), buckets, deleted };
    const stored = this.#storedAt(SPACE.changes, height);
    return stored === undefined ? list : joinLists(decodeList(stored), list);
  }

  /** A row of the height, which may be finalized again: genesis, after a crash before a block. */
  #storedAt(space: number, height: number): Uint8Array | undefined {
    return height === this.#height ? this.#db.get(space, heightKey(height)) : undefined;
  }

  #replaced({ height, written }: Finalized): Uint8Array {
    const replaced: Replaced[] = [];
    for (const { key, before } of written.values()) {
      if (before !== undefined) replaced.push({ key, entry: before });
    }
    const stored = this.#storedAt(SPACE.replaced, height);
    return concatBytes(stored ?? EMPTY, encodeReplaced(replaced));
  }

  #stageDraft(draft: Draft): void {
    stageRows(this.#db, draft.rows);
    for (const { key, log, tiles } of draft.logs.values()) {
      this.#db.stage(SPACE.logHeads, key, encodeLog(log));
      for (const tile of tiles) {
        this.#db.stage(SPACE.logTiles, tileKey(key, tile.level, tile.index), tile.bytes);
      }
    }
  }

  /** Removes deleted records that no kept height needs and that were not made again. */
  #stageTombstones(written: ReadonlyMap<string, Written>): readonly string[] {
    const buried: string[] = [];
    for (const [text, key] of this.#tombstones) {
      const entry = written.has(text) ? undefined : this.#newest(text, key);
      if (entry === undefined || entry.value.length > 0 || entry.height > this.#base) continue;
      this.#db.stage(SPACE.records, key, undefined);
      buried.push(text);
    }
    this.#tombstones = new Map();
    return buried;
  }

  /** Makes a durable height visible. */
  #settle({ height, update, written, draft }: Finalized, buried: readonly string[]): void {
    for (const [text, { entry }] of written) this.#remember(text, entry);
    for (const text of buried) this.#records.delete(text);
    for (const [text, { log }] of draft.logs) this.#logs.set(text, log, 1);
    this.#height = height;
    this.#root = update.root;
    this.#history.add(height, update.root, written.size);
    this.#finalized = undefined;
    this.#draft = new Draft();
    this.#committing = false;
  }

  /** The state after `height`, if it is kept. */
  view(height: number): LevelStateView | undefined {
    if (height < this.#base || height > this.#height) return undefined;
    return new LevelStateView(this.#db, height, () => this.#history.at(height));
  }

  #tiles(log: Uint8Array): ReadTile {
    return (level, index) => this.#db.get(SPACE.logTiles, tileKey(log, level, index));
  }

  /**
   * Inclusion path of entry `index` in the log's first `size` entries.
   *
   * @throws LedgerError storage/11 if the durable log does not have them
   */
  logPath(log: Uint8Array, index: number, size: number): readonly Uint8Array[] {
    return inclusionPath(this.#logState(textOf(log), log), this.#tiles(log), index, size);
  }

  /**
   * Consistency path between two sizes of the log.
   *
   * @throws LedgerError storage/11 if the durable log does not have them
   */
  logConsistency(log: Uint8Array, from: number, to: number): readonly Uint8Array[] {
    return consistencyPath(this.#logState(textOf(log), log), this.#tiles(log), from, to);
  }

  /**
   * Forgets what only heights below `retainHeight` need. The lowest kept height is one that has a
   * whole crown, so more than asked for stays: at most as many changes as the tree has leaves.
   */
  async prune(retainHeight: number): Promise<void> {
    const deleted = await pruneState(this.#db, Math.min(retainHeight, this.#height), (base) => {
      this.#base = base;
    });
    for (const [text, key] of deleted) this.#tombstones.set(text, key);
  }
}

function leafChange([text, written]: readonly [string, Written]): LeafChange {
  const { value } = written.entry;
  return { key: text, hash: value.length === 0 ? undefined : leafText(written.key, value) };
}
