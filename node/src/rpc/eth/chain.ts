/**
 * Blocks as Ethereum's JSON-RPC shows them, and which block is meant.
 *
 * A block is the ledger's own: its hash is CometBFT's, stateRoot is the app hash that its header
 * carries (the state before it), transactionsRoot the data hash, receiptsRoot the hash of the
 * results before it. Only Ethereum transactions are listed.
 * Upholds: latest, safe and finalized are the same: what is committed is final.
 * Spec: ethereum/execution-apis (Block); EIP-1898.
 *
 * @module
 */
import { LedgerError, present } from '../../base/errors.ts';
import type { QueryParamsResponse } from '../../gen/metatron/evm/v1/query.ts';
import type { BlockSummary, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import type { Block } from '../../types/block.ts';
import type { BlockMeta } from '../../types/chain-state.ts';
import type { JsonObject } from '../json.ts';
import { errors } from './errors.ts';
import type { BlockRef } from './params.ts';
import type { EthCallBlock, EthPorts, EthTx } from './ports.ts';
import { EthQueries } from './queries.ts';
import { transactionJson } from './transactions.ts';
import { data, quantity, quantityOf } from './values.ts';

const SECOND = 1_000_000_000n;
const NO_BLOOM = `0x${'00'.repeat(256)}`;
const ZERO_HASH = `0x${'00'.repeat(32)}`;
/** Keccak-256 of an empty list of uncles. */
const NO_UNCLES = '0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347';

/** A block's transactions that are Ethereum's, with their receipts. */
export type EthTxs = readonly { readonly tx: EthTx; readonly receipt: Receipt }[];

function orZero(hash: Uint8Array): string {
  return hash.length === 32 ? data(hash) : ZERO_HASH;
}

/** Reads blocks. */
export class EthChain {
  readonly ports: EthPorts;
  readonly queries: EthQueries;
  #params: QueryParamsResponse | undefined;

  constructor(ports: EthPorts) {
    this.ports = ports;
    this.queries = new EthQueries(ports.app);
  }

  /** The height of the newest block. */
  get height(): number {
    return this.ports.chain.height;
  }

  /** The height of a block that is stored; `undefined` if there is none. */
  find(ref: BlockRef): number | undefined {
    const { chain, index } = this.ports;
    if (ref.kind === 'hash') {
      const height = index.heightOf(ref.hash);
      return height !== undefined && height >= chain.base ? height : undefined;
    }
    if (ref.kind === 'number') {
      const stored = ref.number >= chain.base && ref.number <= chain.height;
      return stored ? ref.number : undefined;
    }
    return ref.tag === 'earliest' ? Math.max(chain.base, 1) : chain.height;
  }

  /** The same of a block that must be there. @throws LedgerError ethrpc/6 */
  heightOf(ref: BlockRef): number {
    const height = this.find(ref);
    if (height === undefined) throw new LedgerError(errors.NoHeader, {});
    return height;
  }

  /** A stored block's meta. @throws LedgerError ethrpc/6 */
  meta(height: number): BlockMeta {
    const meta = this.ports.chain.meta(height);
    if (meta === undefined) throw new LedgerError(errors.NoHeader, {});
    return meta;
  }

  /** What genesis fixed: chain id, gas of a block. */
  async params(): Promise<QueryParamsResponse> {
    this.#params ??= await this.queries.params();
    return this.#params;
  }

  /** Where a call runs: in the block itself, or in the one that comes next. */
  callBlock(ref: BlockRef): EthCallBlock {
    const state = this.heightOf(ref);
    const { header } = this.meta(state);
    const pending = ref.kind === 'tag' && ref.tag === 'pending';
    return {
      state,
      height: pending ? state + 1 : state,
      time: header.time,
      proposer: header.proposerAddress,
    };
  }

  /** The Ethereum transactions of a block. */
  async transactions(height: number): Promise<EthTxs> {
    const receipts = await this.queries.receipts(height);
    if (receipts.length === 0) return [];
    const block = present(this.ports.chain.block(height), 'stored block');
    return receipts.map((receipt) => ({ tx: this.transaction(block, receipt), receipt }));
  }

  /** The transaction that a receipt is of. */
  transaction(block: Block, receipt: Receipt): EthTx {
    const carrier = present(block.data.txs[receipt.blockIndex], 'transaction of a receipt');
    return present(this.ports.ledger.transaction(carrier), 'Ethereum transaction of a receipt');
  }

  /** The header of a block, as `newHeads` tells it. */
  async header(height: number): Promise<JsonObject> {
    const { header, blockId } = this.meta(height);
    const summary = await this.queries.summary(height);
    const { ledger } = this.ports;
    const baseFee = summary === undefined ? await ledger.baseFee(height) : summary.baseFee;
    return {
      number: quantity(height),
      hash: data(blockId.hash),
      parentHash: orZero(header.lastBlockId.hash),
      nonce: '0x0000000000000000',
      sha3Uncles: NO_UNCLES,
      logsBloom: summary === undefined ? NO_BLOOM : data(summary.bloom),
      transactionsRoot: orZero(header.dataHash),
      stateRoot: orZero(header.appHash),
      receiptsRoot: orZero(header.lastResultsHash),
      miner: data(ledger.feeRecipient(header.proposerAddress)),
      difficulty: '0x0',
      extraData: '0x',
      gasLimit: quantity((await this.params()).blockGasLimit),
      gasUsed: quantity(summary?.gasUsed ?? 0n),
      timestamp: quantity(header.time / SECOND),
      baseFeePerGas: quantityOf(String(baseFee)),
      mixHash: data(ledger.prevRandao(header.lastBlockId.hash)),
    };
  }

  /** A block. @param full - whether transactions are shown whole */
  async block(height: number, full: boolean): Promise<JsonObject> {
    const meta = this.meta(height);
    const header = await this.header(height);
    const receipts = await this.queries.receipts(height);
    const place = { hash: meta.blockId.hash, height };
    const transactions = full
      ? (await this.transactions(height)).map(({ tx, receipt }) =>
          transactionJson(tx, { ...place, receipt }),
        )
      : receipts.map(({ hash }) => data(hash));
    return {
      ...header,
      totalDifficulty: '0x0',
      size: quantity(meta.blockSize),
      transactions,
      uncles: [],
    };
  }

  /** The block that may come next. */
  async pending(): Promise<JsonObject> {
    const block = await this.block(this.height, false);
    const height = this.height + 1;
    const baseFee = await this.ports.ledger.baseFee(height);
    return {
      ...block,
      number: quantity(height),
      hash: null,
      nonce: null,
      miner: null,
      parentHash: block['hash'] ?? null,
      logsBloom: NO_BLOOM,
      gasUsed: '0x0',
      baseFeePerGas: quantity(baseFee),
      transactions: [],
    };
  }

  /** How many Ethereum transactions a block has. */
  async count(height: number): Promise<number> {
    const summary: BlockSummary | undefined = await this.queries.summary(height);
    return summary?.txCount ?? 0;
  }
}
