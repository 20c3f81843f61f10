/**
 * The bounds of the mempool and their defaults.
 *
 * @module
 */
import { DEFAULT_MAX_TX_BYTES } from '../base/limits.ts';

/** Bounds of the pool. Sizes in bytes. */
export type MempoolConfig = {
  readonly maxTxs: number;
  readonly maxBytes: number;
  readonly maxTxBytes: number;
  readonly maxTxsPerSender: number;
  readonly maxBytesPerSender: number;
  /** Most transactions seen that are remembered; the newest half of them for certain. */
  readonly cacheSize: number;
  /** Most bytes of transactions this node proposes in a block; fewer if its blocks are slow. */
  readonly maxProposalBytes: number;
  /** Whether a transaction that failed its check is remembered too, and so not checked again. */
  readonly keepInvalidInCache: boolean;
};

/** Defaults: CometBFT's sizes, with room for a few seconds of full load. */
export const DEFAULT_MEMPOOL: MempoolConfig = {
  maxTxs: 20_000,
  maxBytes: 256 * 1_048_576,
  maxTxBytes: DEFAULT_MAX_TX_BYTES,
  maxTxsPerSender: 5_000,
  maxBytesPerSender: 64 * 1_048_576,
  cacheSize: 50_000,
  maxProposalBytes: 2 * 1_048_576,
  keepInvalidInCache: false,
};
