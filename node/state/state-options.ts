/**
 * Bounds of the state store's memory, and how often it writes whole crowns of its tree.
 *
 * @module
 */
import type { CrownPace } from './crown.ts';

/** Bounds of memory, and when whole crowns are written. */
export type StateOptions = {
  /** Bytes of records kept in memory. */
  readonly recordCacheBytes: number;
  /** Bytes of leaves of the tree kept in memory; about 190 for each. */
  readonly leafCacheBytes: number;
  /** Logs whose heads are kept in memory. */
  readonly logCache: number;
  readonly pace: CrownPace;
};

/** 16 MiB of records, the leaves of 350,000 records, some MiB of logs. */
export const DEFAULT_STATE_OPTIONS: StateOptions = {
  recordCacheBytes: 16 * 1024 * 1024,
  leafCacheBytes: 64 * 1024 * 1024,
  logCache: 4_096,
  pace: { leastChanges: 4_096, bucketsPerCommit: 64 },
};
