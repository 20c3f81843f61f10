/**
 * ABCI 2.0: the one seam between the engine, which orders bytes, and the application, which gives
 * them meaning.
 *
 * Upholds: the application sees no peer, no clock and no random number; the engine never decodes a
 * transaction. Calls of one kind are not made concurrently, except `query` and `checkTx`.
 * `finalizeBlock` is deterministic and writes nothing durable; `commit` hands what it made to the
 * height's batch, which the engine then syncs. A crash before that runs the height again.
 * Absent here: state-sync snapshots and vote extensions.
 * Spec: CometBFT 0.38 spec/abci; names in camel case.
 *
 * @module
 */
import type { ConsensusParams } from '../types/params.ts';
import type { ExecTxResult, FinalizeBlockResponse } from '../types/results.ts';
import type { Time } from '../types/time.ts';
import type { ValidatorUpdate } from '../types/validators.ts';

/** What the application last committed. `lastHeight` 0 asks for `initChain`. */
export type Info = {
  readonly data: string;
  readonly version: string;
  readonly appVersion: number;
  readonly lastHeight: number;
  readonly lastAppHash: Uint8Array;
};

/** What a new chain starts from; sent once, before the first block. */
export type InitChainRequest = {
  readonly time: Time;
  readonly chainId: string;
  readonly params: ConsensusParams;
  readonly validators: readonly ValidatorUpdate[];
  /** The genesis file's app_state: JSON text. */
  readonly appState: Uint8Array;
  readonly initialHeight: number;
};

/** What the application makes of the genesis. */
export type InitChainResponse = {
  /** Parts of the parameters to replace. */
  readonly params: Partial<ConsensusParams> | undefined;
  /** Empty: the genesis file's validators stand. */
  readonly validators: readonly ValidatorUpdate[];
  readonly appHash: Uint8Array;
};

/** A transaction that wants to enter the pool, or to stay there after a block. */
export type CheckTxRequest = { readonly tx: Uint8Array; readonly kind: 'new' | 'recheck' };

/** Whether a transaction may be in the pool; a promise of nothing more. */
export type CheckTxResponse = ExecTxResult & {
  /** Extension: the mempool keeps one lane per sender, in order of `sequence`. */
  readonly sender: string | undefined;
  readonly sequence: number | undefined;
  /** Extension: higher goes first between lanes; default 0. */
  readonly priority: number;
  /** Extension: transactions of a block stand in ascending order of it; default 0. */
  readonly phase?: number;
  /** Extension: whether one of this sender is missing before it, so that it cannot stand yet. */
  readonly waits?: boolean;
  /** Extension: whoever takes its place must bid a tenth more, of each; it has as many. */
  readonly bids?: readonly bigint[];
};

/** One validator's proven misbehaviour. */
export type Misbehavior = {
  readonly type: 'duplicateVote' | 'lightClientAttack';
  readonly address: Uint8Array;
  readonly power: bigint;
  readonly height: number;
  readonly time: Time;
  readonly totalPower: bigint;
};

/** How one validator took part in the last commit. */
export type VoteInfo = {
  readonly address: Uint8Array;
  readonly power: bigint;
  readonly blockIdFlag: number;
};

/** How the validators voted on the block before. */
export type CommitInfo = { readonly round: number; readonly votes: readonly VoteInfo[] };

/** What every call about a proposed or decided block carries. */
export type BlockContext = {
  readonly height: number;
  readonly time: Time;
  readonly misbehavior: readonly Misbehavior[];
  readonly nextValidatorsHash: Uint8Array;
  readonly proposerAddress: Uint8Array;
};

/** Transactions from which the proposer builds a block. */
export type PrepareProposalRequest = BlockContext & {
  readonly maxTxBytes: number;
  readonly txs: readonly Uint8Array[];
  readonly localLastCommit: CommitInfo;
};

/** A proposed block that validators accept or refuse. */
export type ProcessProposalRequest = BlockContext & {
  readonly txs: readonly Uint8Array[];
  readonly proposedLastCommit: CommitInfo;
  readonly hash: Uint8Array;
};

/** A decided block to execute. */
export type FinalizeBlockRequest = BlockContext & {
  readonly txs: readonly Uint8Array[];
  readonly decidedLastCommit: CommitInfo;
  readonly hash: Uint8Array;
};

/** Heights below `retainHeight` may be pruned; 0 keeps all. */
export type CommitResponse = { readonly retainHeight: number };

/** A question about the state at a height. */
export type QueryRequest = {
  readonly path: string;
  readonly data: Uint8Array;
  /** 0 asks for the last committed height. */
  readonly height: number;
  readonly prove: boolean;
};

/** One operation of a proof: ICS-23 commitment proofs have type `ics23:…`. */
export type ProofOp = {
  readonly type: string;
  readonly key: Uint8Array;
  readonly data: Uint8Array;
};

/** The answer to a question, with a proof if it was asked for. */
export type QueryResponse = {
  readonly code: number;
  readonly log: string;
  readonly info: string;
  readonly index: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly proofOps: readonly ProofOp[] | undefined;
  readonly height: number;
  readonly codespace: string;
};

/** The application behind the engine. */
export type Application = {
  info(): Promise<Info>;
  initChain(request: InitChainRequest): Promise<InitChainResponse>;
  /** Cheap and read-only; passing promises nothing. May answer at once. */
  checkTx(request: CheckTxRequest): CheckTxResponse | Promise<CheckTxResponse>;
  /**
   * Extension: `checkTx` of these comes next, in this order. What depends on the bytes and keys
   * alone, such as signatures, may be worked out for all of them at once; nothing is answered.
   */
  expectTxs?(txs: readonly Uint8Array[]): void;
  /** Chooses from `txs` (mempool order) what to propose, within `maxTxBytes`. */
  prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]>;
  /** Whether the proposal is acceptable; coherent with `prepareProposal`. */
  processProposal(request: ProcessProposalRequest): Promise<boolean>;
  finalizeBlock(request: FinalizeBlockRequest): Promise<FinalizeBlockResponse>;
  /** Stages the finalized height for the height's batch. */
  commit(): Promise<CommitResponse>;
  query(request: QueryRequest): Promise<QueryResponse>;
};
