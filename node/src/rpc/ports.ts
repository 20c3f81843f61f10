/**
 * What the RPC needs from the rest of the node, each as a narrow port; node.ts wires them.
 *
 * Upholds: the RPC reads stored heights and asks the application; it can submit transactions and
 * evidence, and nothing else changes through it. Unsafe actions are a port of their own that is
 * absent unless the operator turned them on.
 *
 * @module
 */
import type { CheckTxResponse, Info, QueryRequest, QueryResponse } from '../abci/application.ts';
import type { ChainIndex } from '../indexer/chain-index.ts';
import type { EventBus } from '../indexer/event-bus.ts';
import type { BitArray } from '../types/bit-array.ts';
import type { Block } from '../types/block.ts';
import type { PartSetHeader } from '../types/block-id.ts';
import type { BlockMeta, ChainState } from '../types/chain-state.ts';
import type { Commit } from '../types/commit.ts';
import type { Evidence } from '../types/evidence.ts';
import type { PublicKey } from '../types/keys.ts';
import type { ConsensusParams } from '../types/params.ts';
import type { FinalizeBlockResponse } from '../types/results.ts';
import type { Time } from '../types/time.ts';
import type { ValidatorSet } from '../types/validators.ts';
import type { Proposal, Vote } from '../types/vote.ts';

/** Stored heights; the engine's chain store fits. */
export type ChainReader = {
  readonly base: number;
  readonly height: number;
  state(): ChainState | undefined;
  meta(height: number): BlockMeta | undefined;
  block(height: number): Block | undefined;
  commitOf(height: number): Commit | undefined;
  seenCommit(height: number): Commit | undefined;
  validators(height: number): ValidatorSet | undefined;
  params(height: number): ConsensusParams | undefined;
  results(height: number): FinalizeBlockResponse | undefined;
};

/** The application, as clients may reach it. */
export type AppReader = {
  info(): Promise<Info>;
  query(request: QueryRequest): Promise<QueryResponse>;
  /** Runs the check without touching the pool. */
  checkTx(request: {
    readonly tx: Uint8Array;
    readonly kind: 'new';
  }): CheckTxResponse | Promise<CheckTxResponse>;
};

/** What became of a submitted transaction. */
export type Submission = { readonly hash: Uint8Array; readonly response: CheckTxResponse };

/** The pool of pending transactions. */
export type PoolPort = {
  readonly size: number;
  readonly byteSize: number;
  list(limit: number): readonly { readonly tx: Uint8Array }[];
  /** @throws LedgerError mempool/… if it is refused before or after the application's check */
  submit(tx: Uint8Array): Submission | Promise<Submission>;
};

/** Votes of one round, by validator index. */
export type RoundVotes = {
  readonly round: number;
  readonly prevotes: readonly (Vote | undefined)[];
  readonly precommits: readonly (Vote | undefined)[];
};

/** Where consensus stands. `step` counts CometBFT's steps: 1 NewHeight … 8 Commit. */
export type RoundView = {
  readonly height: number;
  readonly round: number;
  readonly step: number;
  readonly startTime: Time;
  readonly commitTime: Time;
  readonly validators: ValidatorSet;
  readonly proposal: Proposal | undefined;
  readonly proposalBlockHash: Uint8Array;
  readonly lockedRound: number;
  readonly lockedBlockHash: Uint8Array;
  readonly validRound: number;
  readonly validBlockHash: Uint8Array;
  readonly votes: readonly RoundVotes[];
};

/** Consensus, as clients may see it. */
export type ConsensusView = {
  /** Whether the node is still fetching old blocks. */
  readonly catchingUp: boolean;
  round(): RoundView | undefined;
  /** @throws LedgerError if it is malformed or does not prove anything */
  submitEvidence(evidence: Evidence): Promise<void>;
};

/** This node, or a peer as it introduced itself. */
export type NodeDescription = {
  /** 20 bytes in lower-case hex. */
  readonly id: string;
  readonly listenAddress: string;
  readonly moniker: string;
  readonly appVersion: number;
  /** Channel ids in upper-case hex. */
  readonly channels: string;
  readonly rpcAddress: string;
};

/** Where a peer is in consensus, and what it is known to have. */
export type PeerRoundView = {
  readonly height: number;
  readonly round: number;
  readonly step: number;
  readonly startTime: Time;
  readonly hasProposal: boolean;
  readonly partSetHeader: PartSetHeader | undefined;
  readonly parts: BitArray | undefined;
  readonly polRound: number;
  readonly pol: BitArray | undefined;
  readonly prevotes: BitArray | undefined;
  readonly precommits: BitArray | undefined;
  readonly lastCommitRound: number;
  readonly lastCommit: BitArray | undefined;
  /** Votes and block parts it sent that were of use. */
  readonly usefulVotes: number;
  readonly usefulParts: number;
};

/** A connected peer. */
export type PeerView = {
  readonly node: NodeDescription;
  readonly outbound: boolean;
  readonly remoteIp: string;
  /** Milliseconds since the connection was made. */
  readonly connectedMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Its place in consensus; absent before consensus knows it. */
  readonly round: PeerRoundView | undefined;
};

/** The network, as clients may see it. */
export type NetView = {
  readonly listening: boolean;
  readonly listeners: readonly string[];
  peers(): readonly PeerView[];
};

/** Actions that an operator must allow (`rpc.unsafe`). */
export type UnsafeActions = {
  flushMempool(): void;
  dialSeeds(addresses: readonly string[]): void;
  dialPeers(addresses: readonly string[], persistent: boolean): void;
};

/** Everything the RPC is built on. */
export type RpcPorts = {
  readonly chainId: string;
  readonly node: NodeDescription;
  /** This node's validator key; its power is looked up. */
  readonly validatorKey: PublicKey;
  /** JSON text of the genesis file in CometBFT's form. */
  readonly genesis: string;
  readonly chain: ChainReader;
  readonly app: AppReader;
  readonly pool: PoolPort;
  readonly consensus: ConsensusView;
  readonly net: NetView;
  readonly index: ChainIndex;
  readonly bus: EventBus;
  readonly unsafe: UnsafeActions | undefined;
};
