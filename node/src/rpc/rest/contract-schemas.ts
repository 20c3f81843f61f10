/**
 * The shapes of REST's answers about contracts and Ethereum transactions.
 *
 * Upholds: amounts are decimal strings; addresses, hashes and data of the EVM are 0x and lower-case
 * hex digits, as Ethereum's tools write them.
 *
 * @module
 */
import * as z from 'zod';

const count = z.int().min(0);
const decimal = z.string().regex(/^-?\d+$/);
const data = z.string().regex(/^0x[0-9a-f]*$/);
const time = z.string().describe('RFC 3339, UTC');
const next = z.string().nullable().describe('The cursor of the next page; null on the last');
const abi = z.array(z.record(z.string(), z.unknown()));

/** A value of a call, as JSON: whole numbers are decimal strings, bytes 0x and hex. */
export type ArgValue = string | boolean | readonly ArgValue[];

/** One argument. */
export type Arg = { readonly name: string; readonly type: string; readonly value: unknown };

/** A call, an event or an error in the words of an ABI. */
export type Decoded = {
  /** The contract, or the standard, whose ABI this is. */
  readonly contract: string;
  readonly name: string;
  readonly signature: string;
  readonly args: readonly Arg[];
};

const decoded = z.object({
  contract: z
    .string()
    .describe("One of the ledger's contracts, or a standard that the data fit, such as ERC-20"),
  name: z.string(),
  signature: z.string(),
  args: z.array(
    z.object({
      name: z.string(),
      type: z.string(),
      value: z.unknown().describe('Numbers are decimal strings; lists and structures are arrays'),
    }),
  ),
});

/** An error with the error that it passes on. */
export type DecodedError = Decoded & { readonly reason: Decoded | null };

const decodedError = decoded.extend({
  reason: decoded.nullable().describe('What a policy refused with, if an ABI knows it'),
});

/** An event of a contract. */
export type LogAnswer = {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  /** Place among the logs of the block. */
  readonly logIndex: number;
  readonly decoded: Decoded | null;
};

const log = z.object({
  address: data,
  topics: z.array(data),
  data: data,
  logIndex: count.describe('Place among the logs of the block'),
  decoded: decoded.nullable(),
});

/** The Ethereum transaction that a transaction carries. */
export type EthereumAnswer = {
  readonly hash: string;
  readonly type: number;
  readonly chainId: string;
  readonly nonce: number;
  readonly from: string;
  readonly to: string | null;
  readonly value: string;
  readonly input: string;
  readonly call: Decoded | null;
  readonly gasLimit: string;
  readonly maxFeePerGas: string;
  readonly maxPriorityFeePerGas: string;
  readonly outcome: {
    readonly status: number;
    readonly gasUsed: string;
    readonly effectiveGasPrice: string;
    readonly created: string | null;
    readonly returned: string;
    readonly error: string | null;
    readonly decodedError: DecodedError | null;
    readonly logs: readonly LogAnswer[];
  } | null;
};

/** The schema of `EthereumAnswer`. */
export const ethereumSchema: z.ZodType<EthereumAnswer> = z.object({
  hash: data.describe('Keccak-256, as Ethereum names the transaction'),
  type: count,
  chainId: decimal,
  nonce: count,
  from: data,
  to: data.nullable().describe('null: creates a contract'),
  value: decimal,
  input: data,
  call: decoded.nullable(),
  gasLimit: decimal,
  maxFeePerGas: decimal,
  maxPriorityFeePerGas: decimal,
  outcome: z
    .object({
      status: count.describe('1 is success'),
      gasUsed: decimal,
      effectiveGasPrice: decimal,
      created: data.nullable().describe('Address of the contract that it made'),
      returned: data.describe('What the call returned, or reverted with'),
      error: z.string().nullable(),
      decodedError: decodedError.nullable(),
      logs: z.array(log),
    })
    .nullable()
    .describe('null if it was refused before it ran'),
});

/** One of the ledger's contracts. */
export type LedgerContractAnswer = {
  readonly name: string;
  readonly address: string;
  readonly codeHash: string | null;
};

/** The schema of the list of the ledger's contracts. */
export const contractListSchema: z.ZodType<{
  readonly contracts: readonly LedgerContractAnswer[];
}> = z.object({
  contracts: z.array(
    z.object({
      name: z.string(),
      address: data,
      codeHash: data.nullable().describe('null if this chain does not have it'),
    }),
  ),
});

/** An address with code. */
export type ContractAnswer = {
  readonly address: string;
  readonly account: string;
  readonly name: string | null;
  readonly balance: string;
  readonly nonce: string;
  readonly codeHash: string;
  readonly codeBytes: number;
  readonly code: string;
  readonly delegate: string | null;
  readonly abi: readonly Readonly<Record<string, unknown>>[] | null;
};

/** The schema of `ContractAnswer`. */
export const contractSchema: z.ZodType<ContractAnswer> = z.object({
  address: data,
  account: z.string().describe('The same address in bech32'),
  name: z.string().nullable().describe("The name of one of the ledger's contracts"),
  balance: decimal,
  nonce: decimal,
  codeHash: data,
  codeBytes: count,
  code: data,
  delegate: data.nullable().describe('Whose code runs, if the account delegated (EIP-7702)'),
  abi: abi.nullable().describe("Known for the ledger's contracts"),
});

/** An event with its transaction. */
export type ContractEvent = LogAnswer & {
  readonly height: number;
  readonly time: string;
  readonly ethereumHash: string;
};

/** A page of a contract's events. */
export type ContractEvents = {
  readonly events: readonly ContractEvent[];
  readonly next: string | null;
};

/** The schema of `ContractEvents`. */
export const contractEventsSchema: z.ZodType<ContractEvents> = z.object({
  events: z.array(log.extend({ height: count, time: time, ethereumHash: data })),
  next: next,
});

/** A transfer of tokens. */
export type Transfer = {
  readonly standard: 'ERC-20' | 'ERC-721';
  readonly token: string;
  readonly from: string;
  readonly to: string;
  readonly amount: string | null;
  readonly tokenId: string | null;
  readonly height: number;
  readonly time: string;
  readonly ethereumHash: string;
  readonly logIndex: number;
};

/** A page of transfers. */
export type TransferList = {
  readonly transfers: readonly Transfer[];
  readonly next: string | null;
};

/** The schema of `TransferList`. */
export const transferListSchema: z.ZodType<TransferList> = z.object({
  transfers: z.array(
    z.object({
      standard: z.enum(['ERC-20', 'ERC-721']),
      token: data,
      from: data,
      to: data,
      amount: decimal.nullable().describe("Of an ERC-20, in the token's smallest unit"),
      tokenId: decimal.nullable().describe('Of an ERC-721'),
      height: count,
      time: time,
      ethereumHash: data,
      logIndex: count,
    }),
  ),
  next: next,
});
