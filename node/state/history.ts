/**
 * Trees of kept heights: recent ones from memory, others from a checkpoint and what changed since.
 *
 * Upholds: a tree is handed out only if its root is the app hash that its height had. Making one
 * yields to other work between pieces, so that a query for an old height delays no block.
 *
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import { compareBytes, equalBytes, readU64be } from '../src/base/bytes.ts';
import { LedgerError } from '../src/base/errors.ts';
import { packKey } from '../src/types/packed-key.ts';
import { stateLeafHash } from '../src/types/proofs.ts';
import { checkpoints } from './checkpoints.ts';
import type { Database } from './database.ts';
import { errors } from './errors.ts';
import { keyText, Lru } from './lru.ts';
import type { PageCache } from './pages.ts';
import { decodeChanges, newestEntry, valueAt } from './records.ts';
import { heightKey, SPACE } from './spaces.ts';
import { type LeafChange, type Page, type Root, rootHash, updateTree } from './tree.ts';

/** Change lists read at once, and changes applied between two turns of the event loop. */
const LISTS_AT_ONCE = 64;
const CHANGES_AT_ONCE = 256;
/** Trees kept in memory: newest heights by number and by changes, old ones by number. */
const RECENT_HEIGHTS = 64;
const RECENT_CHANGES = 8_192;
const OLD_TREES = 4;

/** A tree made from a checkpoint. */
export type Replayed = {
  readonly root: Root;
  /** Records changed since the checkpoint. */
  readonly changes: number;
  readonly stale: readonly Page[];
};

type Changed = {
  /** Keys that changed, each once. */
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** The root after the last height; none if no height was stored. */
  readonly root: Uint8Array | undefined;
};

/** What heights `from … to` changed. @throws LedgerError storage/4 if a height's list is missing */
async function changesOf(db: Database, from: number, to: number): Promise<Changed> {
  const keys = new Map<string, Uint8Array>();
  let at = Math.max(from - 1, 0);
  let root: Uint8Array | undefined;
  for (let next = from; ; next = at + 1) {
    const range = { from: heightKey(next), to: heightKey(to + 1), reverse: false };
    const lists = await db.range(SPACE.changes, { ...range, limit: LISTS_AT_ONCE });
    for (const [key, bytes] of lists) {
      const list = decodeChanges(bytes);
      if (list.before > at) damaged(db, `what height ${list.before} changed is missing`);
      for (const change of list.changed) keys.set(keyText(change.key), change.key);
      root = list.root;
      at = readU64be(key);
    }
    if (lists.length < LISTS_AT_ONCE) break;
  }
  if (at < to) damaged(db, `what height ${to} changed is missing`);
  return { keys, root };
}

function damaged(db: Database, reason: string): never {
  throw new LedgerError(errors.Damaged, { path: db.path, reason });
}

/**
 * Makes the tree of `height` from the newest checkpoint at or below it.
 *
 * @throws LedgerError storage/4 if the records do not give the root that the height had
 */
export async function replay(db: Database, cache: PageCache, height: number): Promise<Replayed> {
  const [checkpoint] = await checkpoints(db, 0, height, 1);
  const changed = await changesOf(db, checkpoint === undefined ? 0 : checkpoint.height + 1, height);
  const changes: LeafChange[] = [];
  for (const key of changed.keys.values()) {
    const value = valueAt(db, key, newestEntry(db, key), height);
    const packed = packKey(key);
    changes.push({ key: packed, hash: value && stateLeafHash(packed, value) });
    if (changes.length % CHANGES_AT_ONCE === 0) await turn();
  }
  changes.sort((a, b) => compareBytes(a.key, b.key));
  const stale: Page[] = [];
  let root = checkpoint?.root;
  for (let at = 0; at < changes.length; at += CHANGES_AT_ONCE) {
    const updated = updateTree(root, changes.slice(at, at + CHANGES_AT_ONCE), cache.load);
    root = updated.root;
    stale.push(...updated.stale);
    await turn();
  }
  if (changed.root !== undefined && !equalBytes(rootHash(root), changed.root)) {
    damaged(db, `the records of height ${height} do not give its app hash`);
  }
  return { root, changes: changes.length, stale };
}

/** Trees of kept heights. */
export class History {
  readonly #db: Database;
  readonly #cache: PageCache;
  readonly #recent = new Map<number, { readonly root: Root; readonly changes: number }>();
  readonly #old = new Lru<Promise<Root>>(OLD_TREES);
  #recentChanges = 0;

  constructor(db: Database, cache: PageCache) {
    this.#db = db;
    this.#cache = cache;
  }

  /** Keeps the tree of a new height in memory. */
  add(height: number, root: Root, changes: number): void {
    this.#recentChanges += changes - (this.#recent.get(height)?.changes ?? 0);
    this.#recent.set(height, { root, changes });
    for (const [oldest, entry] of this.#recent) {
      const few = this.#recent.size <= RECENT_HEIGHTS && this.#recentChanges <= RECENT_CHANGES;
      if (few || oldest === height) return;
      this.#recent.delete(oldest);
      this.#recentChanges -= entry.changes;
    }
  }

  /** The tree of a kept height. Cost: up to one checkpoint's interval of changes, in pieces. */
  at(height: number): Promise<Root> {
    const recent = this.#recent.get(height);
    if (recent !== undefined) return Promise.resolve(recent.root);
    const name = String(height);
    const known = this.#old.get(name);
    if (known !== undefined) return known;
    const made = replay(this.#db, this.#cache, height).then(({ root }) => root);
    this.#old.set(name, made, 1);
    made.catch(() => this.#old.delete(name));
    return made;
  }
}
