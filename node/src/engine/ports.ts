/**
 * What the engine needs from the world, each as a port: network, clock, disk, keys, store.
 *
 * Upholds: the engine reaches the world only through these, so that test/sim can run it from a
 * seed. Providers fit by shape: node/src/net, node/state, node/src/crypto, node/src/indexer.
 *
 * @module
 */

import type { Block } from '../types/block.ts';
import type { BlockMeta, ChainState, CommittedHeight } from '../types/chain-state.ts';
import type { Commit } from '../types/commit.ts';
import type { Evidence } from '../types/evidence.ts';
import type { ChannelId } from '../types/messages.ts';
import type { ConsensusParams } from '../types/params.ts';
import type { Part } from '../types/part-set.ts';
import type { FinalizeBlockResponse } from '../types/results.ts';
import type { Time } from '../types/time.ts';
import type { ValidatorSet } from '../types/validators.ts';

/** A peer's id on the network: stable for its key. */
export type PeerId = string;

/** Sends to peers. Never blocks and never throws. */
export type Net = {
  /**
   * Queues one message for one peer.
   *
   * @returns false if the peer is gone or its queue on this channel is full: nothing was sent
   */
  send(peer: PeerId, channel: ChannelId, message: Uint8Array): boolean;
  /** Drops a peer for `reason` and refuses it for `banMs` milliseconds. */
  drop(peer: PeerId, reason: string, banMs: number): void;
};

/** What the network tells the engine. Called from the network's own turn; must not throw. */
export type NetListener = {
  peerJoined(peer: PeerId): void;
  peerLeft(peer: PeerId): void;
  received(peer: PeerId, channel: ChannelId, message: Uint8Array): void;
};

/** A timer that was started. */
export type Timer = { cancel(): void };

/** Wall time and timers. */
export type Clock = {
  /** Nanoseconds since the Unix epoch. */
  now(): Time;
  /** Milliseconds that only grow, for durations. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`. */
  after(delayMs: number, fire: () => void): Timer;
};

/** The write-ahead log: records of heights that are not in the store yet, and of some that are. */
export type Wal = {
  /** Appends one record; durable only after `sync`. */
  append(record: Uint8Array): void;
  /** Makes all appended records durable. @throws on a failing disk: the node must stop */
  sync(): Promise<void>;
  /** Every whole record, in order; a torn tail is cut off and reported by its provider. */
  records(): Iterable<Uint8Array>;
  /** Drops all records: the store holds everything they led to. */
  reset(): void;
  close(): void;
};

/** What a signing key signed last. Steps: 1 proposal, 2 prevote, 3 precommit. */
export type GuardRecord = {
  readonly height: number;
  readonly round: number;
  readonly step: number;
  readonly signBytes: Uint8Array;
  readonly signature: Uint8Array;
};

/** The double-sign guard's durable memory. */
export type GuardStore = {
  load(): GuardRecord | undefined;
  /** Durable when it resolves. @throws on a failing disk: nothing may be signed */
  save(record: GuardRecord): Promise<void>;
};

/** A validator's key. Signing bytes is its only power; the guard decides (engine/signer.ts). */
export type SigningKey = {
  readonly publicKey: Uint8Array;
  readonly address: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
};

/** Blocks, results and chain state. */
export type ChainStore = {
  /** Lowest and highest stored block; 0 when there is none. */
  readonly base: number;
  readonly height: number;
  state(): ChainState | undefined;
  /** Stores the state that genesis and `initChain` gave. */
  saveGenesis(state: ChainState): Promise<void>;
  /**
   * Writes a height and everything staged with it (application, index) at once, synced.
   *
   * @throws on a failing disk: the node must stop; nothing of the height is stored then
   */
  commit(height: CommittedHeight): Promise<void>;
  meta(height: number): BlockMeta | undefined;
  block(height: number): Block | undefined;
  part(height: number, index: number): Part | undefined;
  /** The commit of `height` as the next block carries it; absent for the newest height. */
  commitOf(height: number): Commit | undefined;
  /** The commit with which this node decided `height`. */
  seenCommit(height: number): Commit | undefined;
  /** Who signs `height`; kept for base … height + 1. */
  validators(height: number): ValidatorSet | undefined;
  params(height: number): ConsensusParams | undefined;
  results(height: number): FinalizeBlockResponse | undefined;
  /** Evidence that is known but not yet in a block, and marks of what is. */
  pendingEvidence(): readonly Evidence[];
  savePendingEvidence(evidence: Evidence): Promise<void>;
  isEvidenceCommitted(hash: Uint8Array): boolean;
  /** Forgets blocks below `retainHeight`. */
  prune(retainHeight: number): Promise<void>;
};

/** Indexes a height; stages its writes for the height's batch. */
export type Indexer = {
  stage(height: CommittedHeight): void;
};
