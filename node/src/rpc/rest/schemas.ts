/**
 * The shapes of REST's answers; OpenAPI is derived from these.
 *
 * Upholds: numbers that may pass 2^53 (amounts, powers) are decimal strings; heights and indexes
 * are numbers; hashes are upper-case hex, ids of memories lower-case hex, times RFC 3339.
 *
 * @module
 */
import * as z from 'zod';
import { ENTRY_PROOF, type EntryProof } from '../../types/bundles.ts';
import { type EthereumAnswer, ethereumSchema } from './contract-schemas.ts';

/** Entries on a page by default, and at most. */
export const DEFAULT_LIMIT = 20;
export const MAX_LIMIT = 100;

const count = z.int().min(0);
const hex = z.string().regex(/^[0-9A-Fa-f]*$/);
const base64 = z.string();
const time = z.string().describe('RFC 3339, UTC');
const decimal = z.string().regex(/^-?\d+$/);
const json = z.record(z.string(), z.unknown());

/** Any JSON object. */
export type JsonRecord = { readonly [name: string]: unknown };

const next = z.string().nullable().describe('The cursor of the next page; null on the last');

/** How this node stands. */
export type StatusAnswer = {
  readonly chainId: string;
  readonly moniker: string;
  readonly version: string;
  readonly latestHeight: number;
  readonly latestHash: string;
  readonly latestTime: string;
  readonly appHash: string;
  readonly earliestHeight: number;
  readonly catchingUp: boolean;
  readonly validators: number;
  readonly peers: number;
  readonly pendingTransactions: number;
};

/** The schema of `StatusAnswer`. */
export const statusSchema: z.ZodType<StatusAnswer> = z.object({
  chainId: z.string(),
  moniker: z.string(),
  version: z.string().describe("CometBFT's version this node speaks"),
  latestHeight: count,
  latestHash: hex,
  latestTime: time,
  appHash: hex,
  earliestHeight: count,
  catchingUp: z.boolean(),
  validators: count,
  peers: count,
  pendingTransactions: count,
});

/** A block in a list. */
export type BlockSummary = {
  readonly height: number;
  readonly hash: string;
  readonly time: string;
  readonly proposer: string;
  readonly transactions: number;
  readonly bytes: number;
};

/** The schema of `BlockSummary`. */
const blockSummarySchema: z.ZodType<BlockSummary> = z.object({
  height: count,
  hash: hex,
  time: time,
  proposer: hex,
  transactions: count,
  bytes: count,
});

/** An event of the application. */
export type EventAnswer = {
  readonly type: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: string;
    readonly index: boolean;
  }[];
};

/** The schema of `EventAnswer`. */
const eventSchema: z.ZodType<EventAnswer> = z.object({
  type: z.string(),
  attributes: z.array(z.object({ key: z.string(), value: z.string(), index: z.boolean() })),
});

/** A block. */
export type BlockAnswer = {
  readonly height: number;
  readonly hash: string;
  readonly time: string;
  readonly proposer: string;
  readonly transactions: number;
  readonly bytes: number;
  readonly appHash: string;
  readonly lastCommit: {
    readonly height: number;
    readonly round: number;
    readonly signed: number;
    readonly absent: number;
  };
  readonly transactionHashes: readonly string[];
  readonly evidence: number;
  readonly events: readonly EventAnswer[];
};

/** The schema of `BlockAnswer`. */
export const blockSchema: z.ZodType<BlockAnswer> = z.object({
  height: count,
  hash: hex,
  time: time,
  proposer: hex,
  transactions: count,
  bytes: count,
  appHash: hex.describe('The state after the height before'),
  lastCommit: z.object({ height: count, round: count, signed: count, absent: count }),
  transactionHashes: z.array(hex),
  evidence: count,
  events: z.array(eventSchema),
});

/** A transaction in a list. */
export type TxSummary = {
  readonly hash: string;
  readonly height: number;
  readonly index: number;
  readonly code: number;
  readonly codespace: string;
  readonly gasWanted: string;
  readonly gasUsed: string;
  readonly bytes: number;
};

/** The schema of `TxSummary`. */
const txSummarySchema: z.ZodType<TxSummary> = z.object({
  hash: hex,
  height: count,
  index: count,
  code: count.describe('0 is success'),
  codespace: z.string(),
  gasWanted: decimal,
  gasUsed: decimal,
  bytes: count,
});

/** A committed transaction. */
export type TxAnswer = {
  readonly hash: string;
  readonly height: number;
  readonly index: number;
  readonly code: number;
  readonly codespace: string;
  readonly gasWanted: string;
  readonly gasUsed: string;
  readonly bytes: number;
  readonly time: string;
  readonly log: string;
  readonly events: readonly EventAnswer[];
  readonly raw: string;
  readonly decoded: JsonRecord | null;
  readonly ethereum: EthereumAnswer | null;
};

/** The schema of `TxAnswer`. */
export const txSchema: z.ZodType<TxAnswer> = z.object({
  hash: hex,
  height: count,
  index: count,
  code: count.describe('0 is success'),
  codespace: z.string(),
  gasWanted: decimal,
  gasUsed: decimal,
  bytes: count,
  time: time,
  log: z.string(),
  events: z.array(eventSchema),
  raw: base64,
  decoded: json.nullable().describe('As the application reads it; null if it cannot'),
  ethereum: ethereumSchema.nullable().describe('The Ethereum transaction that it carries'),
});

/** An account. */
export type AccountAnswer = {
  readonly address: string;
  readonly evmAddress: string | null;
  readonly accountNumber: string;
  readonly sequence: string;
  readonly publicKey: string | null;
  readonly balances: readonly { readonly denom: string; readonly amount: string }[];
};

/** The schema of `AccountAnswer`. */
export const accountSchema: z.ZodType<AccountAnswer> = z.object({
  address: z.string(),
  evmAddress: z
    .string()
    .nullable()
    .describe('The address of the same key in Ethereum; null until the key was seen'),
  accountNumber: decimal,
  sequence: decimal,
  publicKey: base64.nullable(),
  balances: z.array(z.object({ denom: z.string(), amount: decimal })),
});

/** A validator of a set. */
export type ValidatorAnswer = {
  readonly address: string;
  readonly publicKey: string;
  readonly power: string;
  readonly priority: string;
  readonly proposer: boolean;
};

/** The schema of `ValidatorAnswer`. */
const validatorSchema: z.ZodType<ValidatorAnswer> = z.object({
  address: hex,
  publicKey: base64,
  power: decimal,
  priority: decimal,
  proposer: z.boolean(),
});

/** The set that signs a height. */
export type ValidatorsAnswer = {
  readonly height: number;
  readonly totalPower: string;
  readonly validators: readonly ValidatorAnswer[];
};

/** The schema of `ValidatorsAnswer`. */
export const validatorsSchema: z.ZodType<ValidatorsAnswer> = z.object({
  height: count,
  totalPower: decimal,
  validators: z.array(validatorSchema),
});

/** The pending transactions. */
export type MempoolAnswer = {
  readonly transactions: number;
  readonly bytes: number;
  readonly hashes: readonly string[];
};

/** The schema of `MempoolAnswer`. */
export const mempoolSchema: z.ZodType<MempoolAnswer> = z.object({
  transactions: count,
  bytes: count,
  hashes: z.array(hex).describe('The oldest, up to `limit`'),
});

/** What a text names. */
export type SearchAnswer = {
  readonly kind: 'block' | 'transaction' | 'account' | 'contract' | 'memory';
  readonly href: string;
};

/** The schema of `SearchAnswer`. */
export const searchSchema: z.ZodType<SearchAnswer> = z.object({
  kind: z.enum(['block', 'transaction', 'account', 'contract', 'memory']),
  href: z.string(),
});

/** A memory entry. */
export type MemoryAnswer = {
  readonly id: string;
  readonly index: number;
  readonly space: string;
  readonly author: string;
  readonly key: string;
  readonly version: number;
  readonly type: string;
  readonly tags: readonly string[];
  readonly sources: readonly { readonly id: string; readonly hash: string }[];
  readonly eventTime: string | null;
  readonly height: number;
  readonly blockTime: string;
  readonly contentHash: string;
  readonly contentBytes: string;
  readonly content: string | null;
  readonly contentBase64: string | null;
};

/** The schema of `MemoryAnswer`. */
export const memorySchema: z.ZodType<MemoryAnswer> = z.object({
  id: hex,
  index: count.describe('Position in the log of its space'),
  space: hex,
  author: z.string(),
  key: z.string(),
  version: count,
  type: z.string(),
  tags: z.array(z.string()),
  sources: z.array(z.object({ id: z.string(), hash: hex })),
  eventTime: time.nullable().describe("The author's claim"),
  height: count,
  blockTime: time,
  contentHash: hex,
  contentBytes: decimal,
  content: z.string().nullable().describe('Text; null if it is not UTF-8 or was erased'),
  contentBase64: base64.nullable().describe('Bytes; null if it is text or was erased'),
});

/** A page of memory entries. */
export type MemoryList = {
  readonly memories: readonly MemoryAnswer[];
  readonly total: number;
  readonly height: number;
  readonly next: string | null;
};

/** The schema of `MemoryList`. */
export const memoryListSchema: z.ZodType<MemoryList> = z.object({
  memories: z.array(memorySchema),
  total: count,
  height: count.describe('The state that was read'),
  next: next,
});

const anchorSchema = z
  .object({
    chainId: z.string(),
    height: count.describe('The state; the header is of the next height'),
    stateProof: base64.describe('ICS-23 CommitmentProof of the record under the app hash'),
    header: base64.describe('tendermint.types.Header'),
    commit: base64.describe('tendermint.types.Commit'),
    validators: z.array(z.object({ publicKey: base64, power: decimal })),
  })
  .describe('From a record of the state up to signed validators');

/** Schema of everything that ties a memory entry to a signed header. */
export const proofSchema: z.ZodType<EntryProof> = z.object({
  format: z.literal(ENTRY_PROOF),
  index: count,
  entry: z.object({ leaf: base64, content: base64 }),
  space: z.object({ id: base64, record: base64 }),
  logPath: z.array(base64).describe('RFC 6962 inclusion path, from the leaf up'),
  anchor: anchorSchema,
});

/** A page of blocks, newest first. */
export type BlockList = {
  readonly blocks: readonly BlockSummary[];
  readonly next: string | null;
};

/** The schema of `BlockList`. */
export const blockListSchema: z.ZodType<BlockList> = z.object({
  blocks: z.array(blockSummarySchema),
  next: next,
});

/** A page of transactions, newest first. */
export type TxList = {
  readonly transactions: readonly TxSummary[];
  readonly next: string | null;
};

/** The schema of `TxList`. */
export const txListSchema: z.ZodType<TxList> = z.object({
  transactions: z.array(txSummarySchema),
  next: next,
});
