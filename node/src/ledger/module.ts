/**
 * The shape of a ledger module: messages, queries, genesis; and what execution hands to them.
 *
 * Upholds: a message handler reads and writes only through its context, which has no clock, no
 * randomness and no way around the frames that a failed transaction reverts.
 * Absent here: modules. `registry.ts` lists them; their order is consensus.
 *
 * @module
 */

import type { QueryResponse } from '../abci/application.ts';
import type { EventAttribute } from '../types/results.ts';
import type { Time } from '../types/time.ts';
import type { AccountId, Addresses } from './addresses.ts';
import type { EthereumHost } from './ethereum/host.ts';
import type { GasMeter } from './gas.ts';
import type { Overlay } from './overlay.ts';
import type { Allowed, Question } from './rules/question.ts';
import type { LogHead, StateStore, StateView } from './store.ts';

/** The block being executed. */
export type Block = {
  readonly height: number;
  readonly time: Time;
  /** Consensus address of its proposer; empty if that is not known. */
  readonly proposer: Uint8Array;
};

/**
 * What happens inside a transaction, as subscribers see it.
 *
 * @param unique - how many of the first attributes have values that cannot come twice
 */
export type Emit = (type: string, attributes: readonly EventAttribute[], unique?: number) => void;

/** What a message is executed with. */
export type Context = {
  readonly block: Block;
  readonly state: Overlay;
  readonly gas: GasMeter;
  readonly addresses: Addresses;
  readonly emit: Emit;
  /** The message's place in its transaction, from 0. */
  readonly messageIndex: number;
  /** The sequence with which `signer` signed this transaction. */
  sequenceOf(signer: AccountId): number;
};

/** What is known of a message of a transaction from its bytes. */
type MessageFacts = {
  readonly typeUrl: string;
  readonly responseUrl: string;
  /** The module that executes it: the `module` of its event. */
  readonly module: string;
  /** Who must sign, in order. */
  readonly signers: readonly AccountId[];
  /** The message as SIGN_MODE_LEGACY_AMINO_JSON shows it. */
  amino(): AminoMessage;
};

/** A message that the ledger alone decides. */
export type PlainMessage = MessageFacts & {
  /** @returns the response's protobuf bytes @throws LedgerError: the transaction is reverted */
  execute(context: Context): Uint8Array;
};

/** A message that the rules contract decides, together with all others of its transaction. */
export type RuledMessage = MessageFacts & {
  /** Names of records that `plan` reads and that other ruled messages write. */
  readonly reads: readonly string[];
  /** Checks all that is the ledger's to check, and asks. Writes nothing. @throws LedgerError */
  plan(context: Context, question: Question): void;
  /** Carries out what was allowed; cannot be refused. @returns the response's protobuf bytes */
  apply(context: Context, allowed: Allowed): Uint8Array;
};

/** A message of a transaction, decoded and checked as far as its bytes go. */
export type DecodedMessage = PlainMessage | RuledMessage;

/** Whether the rules contract decides a message. */
export function isRuled(message: DecodedMessage): message is RuledMessage {
  return 'plan' in message;
}

/** A message in a StdSignDoc. */
export type AminoMessage = { readonly type: string; readonly value: object };

/** A message type that transactions may carry. */
export type MessageType = {
  readonly typeUrl: string;
  readonly aminoName: string;
  /** @throws LedgerError on what is not canonical or can never be executed */
  decode(bytes: Uint8Array, addresses: Addresses): DecodedMessage;
};

/** What a query reads. */
export type QueryContext = {
  readonly view: StateView;
  readonly store: StateStore;
  readonly addresses: Addresses;
  readonly ethereum: EthereumHost;
  readonly prove: boolean;
};

/** What a query answers: the response's protobuf bytes, and a proof if one was asked for. */
export type Answer =
  | Uint8Array
  | (Pick<QueryResponse, 'value'> & Partial<Pick<QueryResponse, 'key' | 'proofOps'>>);

/** Answers one query path. @throws LedgerError: the code and log of the answer */
export type Query = (context: QueryContext, data: Uint8Array) => Answer | Promise<Answer>;

/** What genesis is loaded with. */
export type GenesisContext = {
  readonly state: Overlay;
  readonly addresses: Addresses;
  readonly height: number;
  /** Says that a part of the genesis has no effect here. */
  ignored(what: string): void;
};

/** One capability of the ledger. */
export type Module = {
  readonly name: string;
  readonly messages: readonly MessageType[];
  /** By ABCI path. */
  readonly queries: Readonly<Record<string, Query>>;
  /** Loads the module's part of app_state. @throws LedgerError if it is malformed */
  readonly genesis?: (context: GenesisContext, section: unknown) => void;
  /** Writes the record that carries a log's new size and root; once per touched log and block. */
  readonly sealLog?: (state: Overlay, log: Uint8Array, head: LogHead) => void;
};
