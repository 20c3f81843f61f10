/**
 * What Ethereum's JSON-RPC needs from the rest of the node; node-eth.ts wires it.
 *
 * Upholds: state is read by the ledger's ABCI queries; code runs where consensus does not: `calls`.
 * The shapes of calls and answers are the ledger's own (ledger/ethereum/call-request.ts).
 *
 * @module
 */
import type { BlockSummary } from '../../gen/metatron/evm/v1/state.ts';
import type { ChainIndex } from '../../indexer/chain-index.ts';
import type { Time } from '../../types/time.ts';
import type { AppReader, ChainReader, Submission } from '../ports.ts';

/** An address and slots that a transaction names beforehand. */
export type EthAccess = { readonly address: Uint8Array; readonly slots: readonly Uint8Array[] };

/** A signed wish to run another account's code. */
export type EthAuthorization = {
  readonly chainId: bigint;
  readonly address: Uint8Array;
  readonly nonce: bigint;
  readonly yParity: bigint;
  readonly r: bigint;
  readonly s: bigint;
};

/** An Ethereum transaction that a ledger transaction carries. */
export type EthTx = {
  readonly hash: Uint8Array;
  readonly type: 0 | 1 | 2 | 4;
  readonly chainId: bigint;
  readonly nonce: bigint;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gasLimit: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly accessList: readonly EthAccess[];
  readonly authorizations?: readonly EthAuthorization[];
  /** What was signed: 32 bytes. */
  readonly digest: Uint8Array;
  /** r and s: 64 bytes. */
  readonly signature: Uint8Array;
  readonly yParity: 0 | 1;
};

/** The records that make up an account, for proofs. */
export type EthRecords = {
  readonly account: Uint8Array;
  readonly balance: Uint8Array;
  readonly contract: Uint8Array;
  /** Of the address itself: it says whether the account has another id. */
  readonly alias: Uint8Array;
  slot(slot: Uint8Array): Uint8Array;
};

/** What is known of the ledger beyond its queries. */
export type EthLedger = {
  /** The transaction that a ledger transaction carries, if it does. */
  transaction(tx: Uint8Array): EthTx | undefined;
  /** The address that signed. */
  sender(tx: EthTx): Uint8Array | undefined;
  /** Blocks that have Ethereum transactions, between two heights, in ascending order. */
  summaries(from: number, to: number, limit: number): Promise<readonly BlockSummary[]>;
  /** The base fee of a block that exists or comes next. */
  baseFee(height: number): Promise<bigint>;
  /** COINBASE of a validator's blocks. */
  feeRecipient(validator: Uint8Array): Uint8Array;
  /** PREVRANDAO of the block after the one with this hash. */
  prevRandao(lastBlockHash: Uint8Array): Uint8Array;
  /** Bech32 text of the account of an address: the mempool's name of a sender. */
  account(address: Uint8Array): string;
  /** What the next transaction of such a sender must have as its nonce, after the last block. */
  sequence(account: string): number;
  records(height: number, address: Uint8Array): EthRecords;
  keccak256(bytes: Uint8Array): Uint8Array;
};

/** The block in which a call runs, on the state after `state`. */
export type EthCallBlock = {
  readonly state: number;
  readonly height: number;
  readonly time: Time;
  readonly proposer: Uint8Array;
};

/** Changes of one account, for one call. */
export type EthOverride = {
  readonly address: Uint8Array;
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly slots?: readonly (readonly [slot: Uint8Array, value: Uint8Array])[];
  /** Whether `slots` are all that the account has. */
  readonly whole?: boolean;
};

/** Changes of the block that code sees. */
export type EthBlockOverride = {
  readonly number?: number;
  readonly time?: bigint;
  readonly gasLimit?: bigint;
  readonly feeRecipient?: Uint8Array;
  readonly prevRandao?: Uint8Array;
  readonly baseFee?: bigint;
};

/** A call. */
export type EthCall = {
  readonly block: EthCallBlock;
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly gas: bigint | undefined;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
  readonly nonce: bigint | undefined;
  readonly accessList: readonly EthAccess[];
  readonly authorizations: readonly EthAuthorization[] | undefined;
  readonly overrides: readonly EthOverride[];
  readonly blockOverride: EthBlockOverride;
  readonly gasCap: bigint;
};

/** What a call did. */
export type EthOutcome = {
  readonly status: 0 | 1;
  readonly gasUsed: bigint;
  readonly returned: Uint8Array;
  readonly error: string | undefined;
};

/** A call with the calls that it made. */
export type EthCallTree = {
  readonly kind: 'call' | 'staticcall' | 'delegatecall' | 'callcode' | 'create' | 'create2';
  readonly from: Uint8Array;
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly input: Uint8Array;
  readonly gas: bigint;
  readonly end: {
    readonly gasUsed: bigint;
    readonly output: Uint8Array;
    readonly created: Uint8Array | undefined;
    readonly error: string | undefined;
  };
  readonly calls: readonly EthCallTree[];
};

/** A block to be run again, up to the last of these transactions. */
export type EthReplay = {
  readonly height: number;
  readonly time: Time;
  readonly proposer: Uint8Array;
  readonly txs: readonly Uint8Array[];
};

/** What is asked of whoever runs code. */
export type EthJob =
  | { readonly kind: 'call' | 'estimate' | 'accessList' | 'trace'; readonly request: EthCall }
  | { readonly kind: 'replay'; readonly request: EthReplay };

/** What comes back. */
export type EthAnswer =
  | { readonly kind: 'call'; readonly outcome: EthOutcome }
  /** Why it may not run at all, in geth's words. */
  | { readonly kind: 'fault'; readonly text: string }
  | { readonly kind: 'estimate'; readonly gas: bigint }
  | {
      readonly kind: 'accessList';
      readonly list: readonly EthAccess[];
      readonly outcome: EthOutcome;
    }
  | { readonly kind: 'trace'; readonly tree: EthCallTree; readonly outcome: EthOutcome }
  /** The state of the height is not kept. */
  | { readonly kind: 'notKept'; readonly height: number }
  | { readonly kind: 'timedOut'; readonly seconds: number }
  | { readonly kind: 'busy'; readonly reason: string };

/** The time of a request, and whether its client still waits. */
export type EthTurn = {
  /** Who asks. */
  readonly address: string;
  readonly signal: AbortSignal;
  /** What is left of its time, in milliseconds; waiting for others does not count. */
  readonly leftMs: number;
  /** How long it waited for others, in milliseconds. */
  readonly waitedMs: number;
  waited(ms: number): void;
};

/** Runs code away from consensus. */
export type EthCalls = { run(job: EthJob, turn: EthTurn): Promise<EthAnswer> };

/** A pending transaction. */
export type EthPoolEntry = {
  readonly tx: Uint8Array;
  readonly key: string;
  readonly sender: string | undefined;
  readonly sequence: number;
};

/** The pool of pending transactions. */
export type EthPool = {
  /** In order of arrival. */
  list(limit: number): readonly EthPoolEntry[];
  /** @throws LedgerError mempool/… if it is refused before or after the application's check */
  submit(tx: Uint8Array): Submission | Promise<Submission>;
};

/** Everything Ethereum's JSON-RPC is built on. */
export type EthPorts = {
  readonly chain: ChainReader;
  readonly app: Pick<AppReader, 'query'>;
  readonly ledger: EthLedger;
  readonly calls: EthCalls;
  readonly pool: EthPool;
  readonly index: Pick<ChainIndex, 'heightOf'>;
  /** Whether the node is still fetching old blocks. */
  readonly catchingUp: () => boolean;
  readonly peerCount: () => number;
  /** Name and version of this program. */
  readonly version: string;
};
