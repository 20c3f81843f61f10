/**
 * Append-only logs by RFC 6962: sizes, roots, inclusion and consistency paths.
 *
 * Upholds: a log's root commits to all its entries in order; paths verify with base/merkle.ts for
 * every size up to the present one. Hashes are kept in *tiles* of 16: tile `index` of level `l`
 * has the roots of 16 perfect subtrees of 16^l entries each. Full tiles are stored once; the tiles
 * still growing (at most 15 hashes a level) travel in the log's head. So an append costs its
 * head and one sixteenth of a tile beyond the entry itself.
 * Absent here: the entries; whoever appends them stores them.
 * Spec: RFC 6962 section 2.1. Pure: tiles are read by the function handed in.
 *
 * @module
 */

import { latin1 } from '../src/base/bytes.ts';
import { LedgerError, present } from '../src/base/errors.ts';
import { HASH_SIZE } from '../src/base/hash.ts';
import {
  EMPTY_ROOT,
  innerHash as innerHashOf,
  rootOfHashes,
  splitPoint,
} from '../src/base/merkle.ts';
import { errors } from './errors.ts';
import { bytesOf, innerHash, logLeafHash, writeText } from './text.ts';

/** Hashes in a full tile, and how many levels of the tree that is. */
const TILE = 16;
const TILE_LEVELS = 4;
const SIZE_BYTES = 8;

/** A log at one size; hashes are text (text.ts). */
export type LogState = {
  readonly size: number;
  /** The growing tile of each level. */
  readonly growing: readonly (readonly string[])[];
  /** Roots of the perfect subtrees that the size is made of, largest first. */
  readonly peaks: readonly string[];
};

/** A tile that became full: 16 hashes, one after the other. */
export type FullTile = {
  readonly level: number;
  readonly index: number;
  readonly bytes: Uint8Array;
};

/** Reads a full tile. */
export type ReadTile = (level: number, index: number) => Uint8Array | undefined;

/** The log without entries. */
export const EMPTY_LOG: LogState = { size: 0, growing: [], peaks: [] };

/**
 * The log after `leaves`, and the tiles that became full. Cost: about two hashes a leaf.
 *
 * @param hashes - of the leaves, if they are known
 */
export function append(
  log: LogState,
  leaves: readonly Uint8Array[],
  hashes?: readonly Uint8Array[],
): { readonly log: LogState; readonly tiles: readonly FullTile[] } {
  const growing = log.growing.map((level) => level.slice());
  const peaks = log.peaks.slice();
  const tiles: FullTile[] = [];
  let { size } = log;
  for (const [i, leaf] of leaves.entries()) {
    const known = hashes?.[i];
    let hash = known === undefined ? logLeafHash(leaf) : latin1(known);
    push(growing, 0, hash);
    // Each one at the end of the size joins two subtrees; four joins fill a tile.
    let joins = 0;
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      hash = innerHash(peaks.pop() ?? '', hash);
      joins++;
      if (joins % TILE_LEVELS !== 0) continue;
      const level = joins / TILE_LEVELS - 1;
      const index = Math.floor(size / TILE ** (level + 1));
      tiles.push({ level, index, bytes: bytesOf((growing[level] ?? []).join('')) });
      growing[level] = [];
      push(growing, level + 1, hash);
    }
    peaks.push(hash);
    size++;
  }
  return { log: { size, growing, peaks }, tiles };
}

function push(growing: string[][], level: number, hash: string): void {
  const tile = growing[level];
  if (tile === undefined) growing[level] = [hash];
  else tile.push(hash);
}

/** The RFC 6962 root of the whole log. */
export function logRoot({ peaks }: LogState): Uint8Array {
  let root = peaks.at(-1);
  if (root === undefined) return EMPTY_ROOT;
  for (let i = peaks.length - 2; i >= 0; i--) root = innerHash(peaks[i] as string, root);
  return bytesOf(root);
}

/** The log's head as stored: its size, then per level a count and the growing tile. */
export function encodeLog(log: LogState): Uint8Array {
  const hashes = log.growing.reduce((sum, level) => sum + level.length, 0);
  const out = Buffer.allocUnsafe(SIZE_BYTES + log.growing.length + hashes * HASH_SIZE);
  out.writeUIntBE(0, 0, 2);
  out.writeUIntBE(log.size, 2, 6);
  let at = SIZE_BYTES;
  for (const level of log.growing) {
    out[at++] = level.length;
    for (const hash of level) at = writeText(out, hash, at);
  }
  return out;
}

/** The log of a stored head. */
export function decodeLog(bytes: Uint8Array): LogState {
  const stored = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const growing: string[][] = [];
  for (let at = SIZE_BYTES; at < stored.length; ) {
    const level: string[] = [];
    let left = stored[at++] as number;
    for (; left > 0; left--) {
      level.push(stored.toString('latin1', at, at + HASH_SIZE));
      at += HASH_SIZE;
    }
    growing.push(level);
  }
  return { size: Number(stored.readBigUInt64BE(0)), growing, peaks: peaksOf(growing) };
}

/** The peaks of growing tiles: of each, one for every power of two that its length is made of. */
function peaksOf(growing: readonly (readonly string[])[]): string[] {
  const peaks: string[] = [];
  for (let level = growing.length - 1; level >= 0; level--) {
    const tile = growing[level] ?? [];
    let at = 0;
    for (let size = TILE / 2; size >= 1; size /= 2) {
      if ((tile.length & size) === 0) continue;
      peaks.push(perfectRoot(tile, at, at + size));
      at += size;
    }
  }
  return peaks;
}

/** The root of the perfect subtree over `hashes[from … to)`. */
function perfectRoot(hashes: readonly string[], from: number, to: number): string {
  if (to - from === 1) return hashes[from] as string;
  const middle = (from + to) >> 1;
  return innerHash(perfectRoot(hashes, from, middle), perfectRoot(hashes, middle, to));
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

/** Reads any subtree's hash of a log. */
class LogReader {
  readonly #log: LogState;
  readonly #readTile: ReadTile;

  constructor(log: LogState, readTile: ReadTile) {
    this.#log = log;
    this.#readTile = readTile;
  }

  /** The hashes `from … from + count` of a level, which lie in one tile. */
  #hashes(level: number, from: number, count: number): Uint8Array[] {
    const index = Math.floor(from / TILE);
    const start = from - index * TILE;
    const growing = this.#log.growing[level] ?? [];
    const full = Math.floor(this.#log.size / TILE ** (level + 1));
    if (index >= full) return growing.slice(start, start + count).map(bytesOf);
    const bytes = present(this.#readTile(level, index), `tile ${level}/${index} of a log`);
    const out: Uint8Array[] = [];
    for (let i = start; i < start + count; i++) {
      out.push(bytes.subarray(i * HASH_SIZE, (i + 1) * HASH_SIZE));
    }
    return out;
  }

  /** The root over entries `from … to`, where `from` is a multiple of the split of `to − from`. */
  root(from: number, to: number): Uint8Array {
    const size = to - from;
    if (isPowerOfTwo(size)) {
      let unit = 1;
      let level = 0;
      for (; unit * TILE <= size; level++) unit *= TILE;
      return rootOfHashes(this.#hashes(level, from / unit, size / unit));
    }
    const middle = from + splitPoint(size);
    return innerHashOf(this.root(from, middle), this.root(middle, to));
  }
}

function refuse(reason: string): never {
  throw new LedgerError(errors.NoSuchEntry, { reason });
}

/**
 * Inclusion path of entry `index` in the first `size` entries, from the leaf to the root.
 *
 * @throws LedgerError storage/11 if there is no such entry
 */
export function inclusionPath(
  log: LogState,
  readTile: ReadTile,
  index: number,
  size: number,
): readonly Uint8Array[] {
  if (size > log.size) refuse(`the log has ${log.size} entries, not ${size}`);
  if (!(index >= 0 && index < size)) refuse(`entry ${index} is not among the first ${size}`);
  const reader = new LogReader(log, readTile);
  const path: Uint8Array[] = [];
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      path.push(reader.root(middle, to));
      to = middle;
    } else {
      path.push(reader.root(from, middle));
      from = middle;
    }
  }
  return path.reverse();
}

/**
 * Consistency path between the log's first `from` and its first `to` entries.
 *
 * @throws LedgerError storage/11 if the log is shorter, or `from` is above `to`
 */
export function consistencyPath(
  log: LogState,
  readTile: ReadTile,
  from: number,
  to: number,
): readonly Uint8Array[] {
  if (to > log.size) refuse(`the log has ${log.size} entries, not ${to}`);
  if (!(from >= 0 && from <= to)) refuse(`size ${from} is not between 0 and ${to}`);
  const reader = new LogReader(log, readTile);
  const path: Uint8Array[] = [];
  if (from === 0 || from === to) return path;
  let [low, high] = [0, to];
  while (high !== from) {
    const middle = low + splitPoint(high - low);
    if (from <= middle) {
      path.push(reader.root(middle, high));
      high = middle;
    } else {
      path.push(reader.root(low, middle));
      low = middle;
    }
  }
  // The old root itself is known to the verifier when the old tree is a whole left subtree.
  if (low !== 0) path.push(reader.root(low, high));
  return path.reverse();
}
