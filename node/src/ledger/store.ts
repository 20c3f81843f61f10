/**
 * What the ledger needs from storage; node/state provides it.
 *
 * Two kinds of data: *records* are the authenticated state (each is a leaf of the tree, their root
 * is the app hash, and they can be read and proven at every kept height); *rows* are write-once
 * data that the records vouch for through a log root, or that only this node needs.
 *
 * Upholds: reads never see a height that was not finalized. Record keys are at most 111 bytes and,
 * by their first byte, of fixed length, so that none is a prefix of another; text that a user
 * chooses enters a key as its SHA-256.
 *
 * @module
 */

/** A half-open range of keys, walked in byte order or its reverse. */
export type KeyRange = {
  readonly from: Uint8Array;
  /** Exclusive. */
  readonly to: Uint8Array;
  readonly reverse: boolean;
  /** Most entries to return. */
  readonly limit: number;
};

/** One key and its value. */
export type Pair = readonly [key: Uint8Array, value: Uint8Array];

/** The state after a kept height, read-only. */
export type StateView = {
  readonly height: number;
  get(key: Uint8Array): Uint8Array | undefined;
  range(range: KeyRange): Promise<readonly Pair[]>;
  /** ICS-23 CommitmentProof bytes: membership, or absence if there is no such record. */
  prove(key: Uint8Array): Promise<Uint8Array>;
  row(key: Uint8Array): Uint8Array | undefined;
};

/** Size and RFC 6962 root of an append-only log. */
export type LogHead = { readonly size: number; readonly root: Uint8Array };

/** Change of one record; no value deletes it. */
export type RecordChange = readonly [key: Uint8Array, value: Uint8Array | undefined];

/** The state that blocks are executed on. Calls are synchronous but for `finalize` and views. */
export type StateStore = {
  /** The last committed height and its app hash; 0 and the empty tree's hash before genesis. */
  readonly height: number;
  readonly appHash: Uint8Array;
  /** Reads the latest finalized records and rows. */
  get(key: Uint8Array): Uint8Array | undefined;
  row(key: Uint8Array): Uint8Array | undefined;
  /**
   * Appends leaves (not yet hashed) to a log; part of the height being finalized.
   *
   * @param log - 32 bytes that name the log
   * @param hashes - RFC 6962 hashes of the leaves, if they are known
   */
  appendLog(
    log: Uint8Array,
    leaves: readonly Uint8Array[],
    hashes?: readonly Uint8Array[],
  ): LogHead;
  /** Writes a write-once row; part of the height being finalized. */
  putRow(key: Uint8Array, value: Uint8Array): void;
  /**
   * Finalizes `height` with these record changes, in memory; other work may run in between, and
   * reads see the heights before until it resolves. Finalizing the same height again replaces what
   * was made before.
   *
   * @returns the app hash: unchanged if nothing changed
   */
  finalize(height: number, changes: readonly RecordChange[]): Promise<Uint8Array>;
  /** Stages the finalized height for the height's batch. */
  commit(): void;
  /** The state after `height`, if it is kept. */
  view(height: number): StateView | undefined;
  /** Inclusion path of entry `index` in the log's first `size` entries. */
  logPath(log: Uint8Array, index: number, size: number): readonly Uint8Array[];
  /** Consistency path between two sizes of the log. */
  logConsistency(log: Uint8Array, from: number, to: number): readonly Uint8Array[];
};
