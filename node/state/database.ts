/**
 * The one adapter of Level: one database per node, cut into key spaces by a first byte.
 *
 * Upholds: what any component stages becomes durable together, in one synced batch per `flush`, or
 * not at all; after a failed write the database refuses all further ones, so that the node stops
 * instead of going on with half a height. Reads see what is flushed, never what is only staged:
 * a component that must read its own staged writes keeps them itself.
 * Absent here: the meaning of keys (spaces.ts), caches of records (their owners know when a value
 * changes; blocks of the files are cached by Level itself), repair (errors.ts says why).
 *
 * @module
 */
import { Level } from 'level';
import { LedgerError } from '../src/base/errors.ts';
import { errors, storageError } from './errors.ts';
import { checkLevelFiles } from './level-files.ts';
import { SPACE } from './spaces.ts';

/** One key and its value. */
export type Pair = readonly [key: Uint8Array, value: Uint8Array];

/** A half-open range of keys, walked in byte order or its reverse. */
export type KeyRange = {
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
  readonly reverse: boolean;
  /** Most entries to return. */
  readonly limit: number;
};

/** A part of the database that one component owns. */
export type KeySpace = {
  /** The flushed value. Cost: about 9 µs. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** Puts, or without a value deletes, with the next flush. Cost: about 4.4 µs. */
  stage(key: Uint8Array, value: Uint8Array | undefined): void;
  /** The flushed entries of a range. */
  range(range: KeyRange): Promise<readonly Pair[]>;
};

/** One write outside the height's batch. */
export type Change = readonly [space: number, key: Uint8Array, value: Uint8Array | undefined];

type RawBatch = {
  readonly length: number;
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
  write(options: { readonly sync: boolean }): Promise<void>;
  close(): Promise<void>;
};

/** What is used of Level; tests hand in one that fails. */
export type RawLevel = {
  open(): Promise<void>;
  close(): Promise<void>;
  getSync(key: Uint8Array): Uint8Array | undefined;
  batch(): RawBatch;
  iterator(options: {
    readonly gte: Uint8Array;
    readonly lt: Uint8Array;
    readonly reverse: boolean;
    readonly limit: number;
  }): { all(): Promise<[Uint8Array, Uint8Array][]> };
};

/** Makes the raw database of a folder. */
export type OpenRaw = (path: string) => RawLevel;

/** Sizes in bytes; Level's block cache and its memory table. */
const BLOCK_CACHE_BYTES = 16 * 1024 * 1024;
const WRITE_BUFFER_BYTES = 8 * 1024 * 1024;
/** Layout of keys and values; raised when one program could misread what another wrote. */
const FORMAT = 3;
const FORMAT_KEY: Uint8Array = Uint8Array.of(SPACE.meta, 0);

const LEVEL_OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  cacheSize: BLOCK_CACHE_BYTES,
  writeBufferSize: WRITE_BUFFER_BYTES,
} as const;

/** Level 10 with byte strings as keys and values. */
export const openLevel: OpenRaw = (path) => new Level<Uint8Array, Uint8Array>(path, LEVEL_OPTIONS);

/** The same, for threads of one process that share it; every one of them must open it so. */
export const openShared: OpenRaw = (path) =>
  new Level<Uint8Array, Uint8Array>(path, { ...LEVEL_OPTIONS, multithreading: true });

/**
 * Where bytes stand while Level copies them. A small array of the heap must be moved out of it
 * before native code can read it, which costs more than everything else about a write.
 */
const KEY_SCRATCH: Uint8Array = new Uint8Array(256);
const VALUE_SCRATCH: Uint8Array = new Uint8Array(64);
const keyViews: Uint8Array[] = viewsOf(KEY_SCRATCH);
const valueViews: Uint8Array[] = viewsOf(VALUE_SCRATCH);

/** The first bytes of an array, by their number. */
function viewsOf(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length + 1 }, (_, length) => bytes.subarray(0, length));
}

/** A key behind its space's byte, until the next call. */
function keyFor(space: number, key: Uint8Array): Uint8Array {
  const view = keyViews[key.length + 1];
  if (view === undefined) return prefixed(space, key);
  view[0] = space;
  view.set(key, 1);
  return view;
}

/** A value where native code can read it, until the next call. */
function valueFor(value: Uint8Array): Uint8Array {
  const view = valueViews[value.length];
  if (view === undefined) return value;
  view.set(value);
  return view;
}

function stage(
  batch: RawBatch,
  space: number,
  key: Uint8Array,
  value: Uint8Array | undefined,
): void {
  if (value === undefined) batch.del(keyFor(space, key));
  else batch.put(keyFor(space, key), valueFor(value));
}

function prefixed(space: number, key: Uint8Array): Uint8Array {
  const out = new Uint8Array(key.length + 1);
  out[0] = space;
  out.set(key, 1);
  return out;
}

/** A node's database. */
export class Database {
  readonly path: string;
  readonly #raw: RawLevel;
  #batch: RawBatch;
  #hooks: (() => void)[] = [];
  #failure: LedgerError | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, raw: RawLevel) {
    this.path = path;
    this.#raw = raw;
    this.#batch = raw.batch();
  }

  /**
   * Opens the database in folder `path`, and makes it if there is none.
   *
   * @throws LedgerError storage/1 … 6: in use, no permission, disk full, damaged, of a newer format
   */
  static async open(path: string, openRaw: OpenRaw = openLevel): Promise<Database> {
    checkLevelFiles(path);
    const raw = openRaw(path);
    try {
      await raw.open();
      const format = raw.getSync(FORMAT_KEY)?.[0] ?? FORMAT;
      if (format !== FORMAT) {
        await raw.close();
        throw new LedgerError(errors.NewerFormat, { path, found: format, known: FORMAT });
      }
    } catch (thrown) {
      throw storageError(thrown, path);
    }
    const database = new Database(path, raw);
    await database.write([[SPACE.meta, FORMAT_KEY.subarray(1), Uint8Array.of(FORMAT)]]);
    return database;
  }

  /**
   * The database that another thread of this process has opened as shared, for reading alone.
   *
   * @throws LedgerError storage/1 … 5
   */
  static async join(path: string): Promise<Database> {
    const raw = openShared(path);
    try {
      await raw.open();
    } catch (thrown) {
      throw storageError(thrown, path);
    }
    return new Database(path, raw);
  }

  /** The part of the database under one first byte. */
  space(prefix: number): KeySpace {
    return {
      get: (key) => this.get(prefix, key),
      stage: (key, value) => this.stage(prefix, key, value),
      range: (range) => this.range(prefix, range),
    };
  }

  /** The flushed value of a key. @throws LedgerError storage/4 or 5 if the disk fails */
  get(space: number, key: Uint8Array): Uint8Array | undefined {
    try {
      return this.#raw.getSync(keyFor(space, key));
    } catch (thrown) {
      throw storageError(thrown, this.path);
    }
  }

  /** Adds one write to the next flush. */
  stage(space: number, key: Uint8Array, value: Uint8Array | undefined): void {
    stage(this.#batch, space, key, value);
  }

  /** Calls `done` when everything staged up to the next flush is durable, before it resolves. */
  afterFlush(done: () => void): void {
    this.#hooks.push(done);
  }

  /**
   * Makes everything staged durable, at once.
   *
   * @throws LedgerError storage/3 … 5: nothing was written, and nothing will be until a restart
   */
  async flush(): Promise<void> {
    const batch = this.#batch;
    const hooks = this.#hooks;
    this.#batch = this.#raw.batch();
    this.#hooks = [];
    await this.#commit(batch);
    for (const hook of hooks) hook();
  }

  /** Makes `changes` durable now, apart from what is staged. */
  async write(changes: Iterable<Change>): Promise<void> {
    const batch = this.#raw.batch();
    for (const [space, key, value] of changes) stage(batch, space, key, value);
    await this.#commit(batch);
  }

  #commit(batch: RawBatch): Promise<void> {
    const written = this.#writing.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      if (batch.length === 0) return batch.close();
      try {
        await batch.write({ sync: true });
      } catch (thrown) {
        this.#failure = storageError(thrown, this.path);
        throw this.#failure;
      }
    });
    this.#writing = written.catch(() => undefined);
    return written;
  }

  /** The flushed entries of a range of one space, keys without the space's byte. */
  async range(space: number, range: KeyRange): Promise<readonly Pair[]> {
    const { reverse, limit } = range;
    const gte = prefixed(space, range.from);
    const lt = prefixed(space, range.to);
    try {
      const found = await this.#raw.iterator({ gte, lt, reverse, limit }).all();
      return found.map(([key, value]) => [key.subarray(1), value]);
    } catch (thrown) {
      throw storageError(thrown, this.path);
    }
  }

  /** Waits for writes under way, then closes. What is staged and not flushed is forgotten. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#raw.close();
  }
}
