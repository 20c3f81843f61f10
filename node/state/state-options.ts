/**
 * Bounds of the state store's memory, and when it writes checkpoints of its tree.
 *
 * @module
 */
import { type CheckpointPace, DEFAULT_PACE } from './checkpoints.ts';

/** Bounds of memory, and when checkpoints are written. */
export type StateOptions = {
  /** Bytes of records kept in memory. */
  readonly recordCacheBytes: number;
  /** Nodes of stored pages kept in memory; about 300 bytes each. */
  readonly nodeCache: number;
  /** Logs whose heads are kept in memory. */
  readonly logCache: number;
  readonly pace: CheckpointPace;
};

/** 32 MiB of records, about 60 MiB of nodes, some MiB of logs. */
export const DEFAULT_STATE_OPTIONS: StateOptions = {
  recordCacheBytes: 32 * 1024 * 1024,
  nodeCache: 200_000,
  logCache: 4_096,
  pace: DEFAULT_PACE,
};
