/**
 * The second opinion as the ledger sees it, and what a block tells it.
 *
 * Upholds: plain data; it is asked after a height is committed and never changes state.
 * Reading on: block-witness.ts makes a `SeenBlock`, mirror.ts runs it again.
 *
 * @module
 */
import type { EvmBlock, EvmCall, EvmOutcome, EvmTx } from '../types.ts';
import type { EvmWitness } from '../witness.ts';

/** What is done when the two disagree; `off` asks nobody. */
export type OpinionMode = 'halt' | 'report' | 'off';

/** Why a run is not compared; each is a limit of the other EVM, not of the ledger's. */
export type Unmirrored =
  /** It executed BLOCKHASH of a block that there is: the other EVM has hashes of its own. */
  | 'blockHash'
  /** It met an account by one address that the block had met by another: there they are two. */
  | 'twoFaces'
  /** It met what a run that is not compared had met before it in the block. */
  | 'afterUnmirrored'
  /** The sender could not pay for it when the block began: the other's pool would refuse it. */
  | 'funded'
  /** The sender's nonce was moved by something else in the block: the other's pool would wait. */
  | 'nonceMoved'
  /** Something else than these runs changed what it met, since one of them met it before. */
  | 'between'
  /** A call that met others while there is a base fee: there its caller must have funds. */
  | 'callerFunds'
  /** What it changed was taken back with the transaction that asked for it. */
  | 'takenBack';

/** A run and what came of it. */
export type RanRun = {
  /** A call is the ledger's own, by its system caller; all it meets is warm. */
  readonly kind: 'transaction' | 'call';
  /** Hash of the transaction; empty for a call. */
  readonly hash: Uint8Array;
  readonly block: EvmBlock;
  readonly call: EvmCall | EvmTx;
  readonly outcome: EvmOutcome;
};

/** A run of the block, in order. */
export type SeenRun = Omit<RanRun, 'block'> & {
  /** Present if it is not to be compared. */
  readonly unmirrored: Unmirrored | undefined;
  /** Places in `accounts` and `slots` of what it met. */
  readonly accounts: readonly number[];
  readonly slots: readonly number[];
};

/** An account's values. */
export type AccountValues = {
  readonly balance: bigint;
  readonly nonce: bigint;
  /** The record of its code: a hash, a delegation, or nothing. */
  readonly contract: Uint8Array | undefined;
};

/** An address that the runs met, before the first that met it and after the last. */
export type SeenAccount = {
  readonly address: Uint8Array;
  readonly before: AccountValues;
  readonly after: AccountValues;
  /** Whether runs that are not compared may have changed it. */
  readonly tainted: boolean;
};

/** A slot that the runs met, in the same way. */
export type SeenSlot = {
  readonly address: Uint8Array;
  /** 64 digits of hex. */
  readonly slot: string;
  readonly before: bigint;
  readonly after: bigint;
  readonly tainted: boolean;
};

/** The runs of a block and all they met. */
export type SeenBlock = {
  readonly chainId: bigint;
  readonly block: EvmBlock;
  readonly runs: readonly SeenRun[];
  readonly accounts: readonly SeenAccount[];
  readonly slots: readonly SeenSlot[];
};

/** Watches the runs of one execution of a block. */
export type BlockObserver = EvmWitness & {
  /** The run that was watched has ended. */
  ran(run: RanRun): void;
  /** What the last run changed was taken back. */
  takenBack(): void;
  /** Runs follow that it is not told of. */
  pause(): void;
};

/** The second opinion of a node. */
export type SecondOpinion = {
  /** Hands it a committed block. */
  block(seen: SeenBlock): void;
  /** Resolves when it is not too far behind to be handed another block. */
  ready(): Promise<void>;
};
