/**
 * What the EVM is given and what it answers: blocks, calls, transactions, outcomes, its ports.
 *
 * Addresses are the 20 bytes that contracts see. Gas and amounts are bigints: wei is the smallest
 * unit of the base denomination.
 * Upholds: plain data; nothing here depends on the library that interprets code.
 * Absent here: signatures and encodings of transactions; the sender is recovered before.
 *
 * @module
 */
import type { AccountId } from '../addresses.ts';
import type { Overlay } from '../overlay.ts';
import type { MutableRecords, Records } from '../record.ts';
import type { EvmWitness } from './witness.ts';

/** The block that code sees. */
export type EvmBlock = {
  readonly height: number;
  /** BFT time in whole seconds since 1970. */
  readonly time: bigint;
  /** Address that is paid the tips: COINBASE, 20 bytes. */
  readonly proposer: Uint8Array;
  /** Wei per gas; burned. */
  readonly baseFee: bigint;
  /** GASLIMIT. */
  readonly gasLimit: bigint;
  /** PREVRANDAO, 32 bytes. */
  readonly prevRandao: Uint8Array;
  /** Hash of one of the 256 blocks before this one: 32 bytes. */
  readonly blockHash: (height: number) => Uint8Array;
};

/** An address and the slots of it that a transaction names beforehand (EIP-2930). */
export type EvmAccess = {
  readonly address: Uint8Array;
  /** 32 bytes each. */
  readonly slots: readonly Uint8Array[];
};

/** An account's signed wish to run the code of `address` (EIP-7702). */
export type EvmAuthorization = {
  /** 0 for any chain. */
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
  /** 0 or 1 in what can be valid. */
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
};

/** A call, or a creation if it names no receiver. */
export type EvmCall = {
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  /** Input, or init code. */
  readonly data: Uint8Array;
  /** For a transaction all it may use; for a bare call what its code may use. */
  readonly gasLimit: bigint;
};

/** A transaction whose sender is known. */
export type EvmTx = EvmCall & {
  readonly nonce: bigint;
  /** Wei per gas; a gas price is both of them. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly accessList: readonly EvmAccess[];
  /** Present in transactions of type 4 only. */
  readonly authorizations?: readonly EvmAuthorization[];
};

/** A log entry. */
export type EvmLog = {
  readonly address: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
};

/** What a call or a transaction did. A failed one changed nothing but fee and nonce. */
export type EvmOutcome = {
  readonly status: 0 | 1;
  /** After refunds; for a bare call without intrinsic gas. */
  readonly gasUsed: bigint;
  /** What the sender pays per gas. */
  readonly gasPrice: bigint;
  /** Empty if it failed. */
  readonly logs: readonly EvmLog[];
  /** Returned data, or the data of a revert. */
  readonly returned: Uint8Array;
  /** The address of a creation, also of a failed one. */
  readonly created: Uint8Array | undefined;
  /** Why it failed, as `revert`, `out of gas`. */
  readonly error: string | undefined;
};

/** Names of the reasons why a transaction may not run. */
export type EvmFaultCode =
  | 'nonceTooLow'
  | 'nonceTooHigh'
  | 'nonceMax'
  | 'senderNotEoa'
  | 'tipAboveFeeCap'
  | 'feeCapTooLow'
  | 'insufficientFunds'
  | 'intrinsicGas'
  | 'floorDataGas'
  | 'gasLimit'
  | 'initCodeSize'
  | 'authorizationsEmpty'
  | 'authorizationsCreate'
  | 'systemCaller';

/** Why a transaction may not run; the text is geth's. */
export type EvmFault = { readonly code: EvmFaultCode; readonly text: string };

/** The part of bank that the EVM needs: the base denomination. */
export type EvmBank = {
  balance(state: Records, id: AccountId): bigint;
  setBalance(state: MutableRecords, id: AccountId, before: bigint, after: bigint): void;
  /** Changes the supply by what the EVM burned, a negative amount. */
  changeSupply(state: MutableRecords, by: bigint): void;
};

/** What the ledger gives the EVM. */
export type EvmPorts = {
  readonly chainId: bigint;
  readonly bank: EvmBank;
  /** The account behind an address: the address itself, or what its alias names. */
  readonly resolve: (state: Records, address: Uint8Array) => AccountId;
  /**
   * Notes that an account's key was seen in an authorization.
   *
   * @param publicKey - 65 bytes: 4, x, y
   */
  readonly sight: (state: Overlay, publicKey: Uint8Array) => void;
  /**
   * The secp256k1 key that made a signature: 65 bytes, `undefined` if there is none. Any s will do.
   *
   * @param signature - r and s, 64 bytes
   * @param recovery - parity of the signature's point, 0 or 1
   */
  readonly recover: (
    hash: Uint8Array,
    signature: Uint8Array,
    recovery: number,
  ) => Uint8Array | undefined;
};

/** Replaces parts of an account for one call that leaves no trace. */
export type EvmOverride = {
  readonly address: Uint8Array;
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** Slots that change, 32 bytes each; the others stay. */
  readonly slots?: readonly (readonly [slot: Uint8Array, value: Uint8Array])[];
};

/** A call inside a call, as a tracer sees it. */
export type EvmFrame = {
  readonly kind: 'call' | 'staticcall' | 'delegatecall' | 'callcode' | 'create' | 'create2';
  readonly depth: number;
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly input: Uint8Array;
  readonly gas: bigint;
};

/** How such a call ended. */
export type EvmFrameEnd = {
  readonly gasUsed: bigint;
  readonly output: Uint8Array;
  readonly created: Uint8Array | undefined;
  readonly error: string | undefined;
};

/** Hears of every call in order; `leave` closes the last one that was entered. */
export type EvmTracer = {
  enter(frame: EvmFrame): void;
  leave(end: EvmFrameEnd): void;
};

/** How a bare call runs. */
export type EvmCallOptions = {
  /** Whether what it changes stays; by default it leaves no trace. */
  readonly keep?: boolean;
  readonly gasPrice?: bigint;
  /** Whether every address and slot is warm from the start. */
  readonly warm?: boolean;
  readonly overrides?: readonly EvmOverride[];
  readonly tracer?: EvmTracer;
  readonly witness?: EvmWitness;
  /** Receives every address and slot that was touched. */
  readonly accessed?: (accesses: readonly EvmAccess[]) => void;
};

/** The EVM over the ledger's state. Runs follow one another; none overlaps. */
export type EvmEngine = {
  /**
   * Runs a transaction that passed `faultOf` (validity.ts): buys gas, counts the nonce, executes,
   * gives back what is left, burns the base fee and pays the tip to the proposer.
   */
  execute(
    state: Overlay,
    block: EvmBlock,
    tx: EvmTx,
    tracer?: EvmTracer,
    witness?: EvmWitness,
  ): Promise<EvmOutcome>;
  /** Runs a call without fee, nonce or intrinsic gas: the system caller's, or a reader's. */
  call(
    state: Overlay,
    block: EvmBlock,
    call: EvmCall,
    options?: EvmCallOptions,
  ): Promise<EvmOutcome>;
  /** Runs init code at `call.at` and stores the code it returns, for genesis. */
  createAt(
    state: Overlay,
    block: EvmBlock,
    call: Omit<EvmCall, 'to'> & { readonly at: Uint8Array },
  ): Promise<EvmOutcome>;
};
