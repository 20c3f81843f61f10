/**
 * First bytes of all keys in a node's database: which component owns what.
 *
 * Upholds: no two components write under one byte, and a byte never changes its meaning.
 * Index spaces start at 0x80 and belong to the indexer alone.
 *
 * @module
 */
import { concatBytes, u64be } from '../src/base/bytes.ts';

/** The key spaces. */
export const SPACE = {
  /** Format of the database, chain state, lowest heights. */
  meta: 0x00,
  /** Height and index → part of a block, encoded as peers get it. */
  parts: 0x10,
  /** Height → block meta. */
  metas: 0x11,
  /** Height → its commit as the next block carries it. */
  commits: 0x12,
  /** Height → the commit this node saw. */
  seenCommits: 0x13,
  /** Height → validator set, or where to find it. */
  validators: 0x14,
  /** Height → consensus parameters. */
  params: 0x15,
  /** Height → results. */
  results: 0x16,
  /** Block hash → height. */
  hashes: 0x17,
  /** Evidence hash → evidence not yet in a block. */
  pendingEvidence: 0x18,
  /** Evidence hash → height of the block that has it. */
  committedEvidence: 0x19,
  /** Record key → newest value. */
  records: 0x20,
  /** Height → the entries of records that it replaced. */
  replaced: 0x21,
  /** Height → what it changed: buckets of the tree and records that it deleted. */
  changes: 0x22,
  /** Height and row → buckets of a whole crown of the tree. */
  crowns: 0x23,
  /** Height → head of a whole crown, written after its rows. */
  crownHeads: 0x24,
  /** Row key → row, of one that is in no run. */
  rows: 0x30,
  /** Log → size and frontier. */
  logHeads: 0x31,
  /** Log, level and index → full tile of hashes. */
  logTiles: 0x32,
  /** First key of a run of rows → the rows. */
  rowRuns: 0x33,
  /** First of the indexer's spaces; it may use this one and all above. */
  index: 0x80,
} as const;

/** A height as key: eight bytes, so that keys sort as heights do. */
export function heightKey(height: number): Uint8Array {
  return u64be(height);
}

/** The key of a full tile. */
export function tileKey(log: Uint8Array, level: number, index: number): Uint8Array {
  return concatBytes(log, Uint8Array.of(level), u64be(index));
}
