/**
 * A call that a reader asks for: what runs, in which block, over which changes of the state.
 *
 * Upholds: plain data, so that it can be handed from one thread to another.
 * Spec: the transaction object, state and block overrides of eth_call (ethereum/execution-apis).
 *
 * @module
 */
import type { Time } from '../../types/time.ts';
import type { EvmAccess, EvmAuthorization, EvmFrame, EvmFrameEnd } from '../evm/types.ts';

/** Changes of one account, for one call. */
export type CallOverride = {
  readonly address: Uint8Array;
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** Slots and their values, 32 bytes each. */
  readonly slots?: readonly (readonly [slot: Uint8Array, value: Uint8Array])[];
  /** Whether `slots` are all that the account has. */
  readonly whole?: boolean;
};

/** Changes of the block that code sees. */
export type BlockOverride = {
  readonly number?: number;
  readonly time?: bigint;
  readonly gasLimit?: bigint;
  readonly feeRecipient?: Uint8Array;
  readonly prevRandao?: Uint8Array;
  readonly baseFee?: bigint;
};

/** The block in which a call runs, on the state after `state`. */
export type CallBlock = {
  readonly state: number;
  readonly height: number;
  readonly time: Time;
  readonly proposer: Uint8Array;
};

/** A call. */
export type CallRequest = {
  readonly block: CallBlock;
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  /** Absent: as much as may be. */
  readonly gas: bigint | undefined;
  /** Wei per gas; both 0 if nothing was said. */
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  /** Absent: the account's. */
  readonly nonce: bigint | undefined;
  readonly accessList: readonly EvmAccess[];
  readonly authorizations: readonly EvmAuthorization[] | undefined;
  readonly overrides: readonly CallOverride[];
  readonly blockOverride: BlockOverride;
  /** The most gas that a call may use, whatever it asks for. */
  readonly gasCap: bigint;
};

/** What a call did. */
export type CallOutcome = {
  readonly status: 0 | 1;
  readonly gasUsed: bigint;
  readonly returned: Uint8Array;
  readonly error: string | undefined;
};

/** A call with the calls that it made. */
export type CallTree = EvmFrame & { end: EvmFrameEnd; readonly calls: CallTree[] };

/** A block to be run again, up to one of its transactions. */
export type ReplayRequest = {
  readonly height: number;
  readonly time: Time;
  readonly proposer: Uint8Array;
  /** The block's transactions up to the one that is asked for. */
  readonly txs: readonly Uint8Array[];
};

/** What is asked of whoever runs calls. */
export type CallJob =
  | { readonly kind: 'call'; readonly request: CallRequest }
  | { readonly kind: 'estimate'; readonly request: CallRequest }
  | { readonly kind: 'accessList'; readonly request: CallRequest }
  | { readonly kind: 'trace'; readonly request: CallRequest }
  | { readonly kind: 'replay'; readonly request: ReplayRequest };

/** What comes back. */
export type CallAnswer =
  | { readonly kind: 'call'; readonly outcome: CallOutcome }
  /** Why it may not run at all, in geth's words. */
  | { readonly kind: 'fault'; readonly text: string }
  | { readonly kind: 'estimate'; readonly gas: bigint }
  | {
      readonly kind: 'accessList';
      readonly list: readonly EvmAccess[];
      readonly outcome: CallOutcome;
    }
  | { readonly kind: 'trace'; readonly tree: CallTree; readonly outcome: CallOutcome };
