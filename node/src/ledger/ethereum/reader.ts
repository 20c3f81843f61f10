/**
 * What Ethereum tools ask beyond the queries: transactions by their bytes, the blocks that have
 * any, base fees of old blocks, keys of records.
 *
 * Upholds: reads only; nothing here needs the state of an old height.
 *
 * @module
 */

import { u64be } from '../../base/bytes.ts';
import { attempt, LedgerError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { BlockSummary } from '../../gen/metatron/evm/v1/state.ts';
import { type AccountId, Addresses } from '../addresses.ts';
import { accountKey, getAccount } from '../auth/accounts.ts';
import { aliasKey, resolve } from '../auth/aliases.ts';
import { balanceKey } from '../bank/balances.ts';
import type { Chain } from '../chain.ts';
import { BASE_DENOM } from '../denom.ts';
import { contractKey, slotKey } from '../evm/records.ts';
import { keccak256 } from '../keccak.ts';
import { key, ROW } from '../keys.ts';
import type { Records } from '../record.ts';
import { FEE_COLLECTOR } from '../tx/fees.ts';
import type { KeyTools } from '../tx/key-tools.ts';
import { txBodyCodec, txRawCodec } from '../tx/wire.ts';
import { senderOf } from './carrier.ts';
import { baseFeeAfter } from './fee-market.ts';
import type { EthereumHost } from './host.ts';
import { getEthereumParams, tipReceiver } from './params.ts';
import { decodeEthereumTx, type EthereumTx } from './transaction.ts';
import { MSG_ETHEREUM_TX_URL, msgEthereumTxCodec } from './wrapper.ts';

/** Rows between two keys, in order or its reverse. */
export type RowRange = (range: {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly reverse: boolean;
  readonly limit: number;
}) => Promise<readonly (readonly [key: Uint8Array, value: Uint8Array])[]>;

/** What is read from. */
export type ReaderParts = {
  readonly host: EthereumHost;
  readonly chain: Chain;
  readonly keys: KeyTools;
  /** The latest state. */
  readonly latest: Records;
  /** The state after a kept height. */
  readonly view: (height: number) => Records | undefined;
  readonly rows: RowRange;
};

/** Keys of the records that make up an account. */
export type AccountKeys = {
  readonly account: Uint8Array;
  readonly balance: Uint8Array;
  readonly contract: Uint8Array;
  readonly alias: Uint8Array;
  slot(slot: Uint8Array): Uint8Array;
};

function summaryKey(height: number): Uint8Array {
  return key(ROW.evmBlock, u64be(height));
}

/** Reads for Ethereum tools. */
export class EthereumReader {
  readonly #parts: ReaderParts;
  readonly #addresses: Addresses;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#addresses = new Addresses(parts.chain.prefix);
  }

  /** The Ethereum transaction that a transaction of a block or of the pool carries, if it does. */
  transaction(tx: Uint8Array): EthereumTx | undefined {
    const found = attempt(() => {
      const { messages } = txBodyCodec.decode(txRawCodec.decode(tx).bodyBytes);
      const [message] = messages;
      if (message?.typeUrl !== MSG_ETHEREUM_TX_URL) return undefined;
      return decodeEthereumTx(msgEthereumTxCodec.decode(message.value).raw);
    });
    return found instanceof LedgerError ? undefined : found;
  }

  /** The address that signed. */
  sender(tx: Parameters<typeof senderOf>[0]): Uint8Array | undefined {
    const found = attempt(() => senderOf(tx, this.#parts.keys).address);
    return found instanceof LedgerError ? undefined : found;
  }

  /** Blocks that have Ethereum transactions, between two heights. */
  async summaries(from: number, to: number, limit: number): Promise<readonly BlockSummary[]> {
    const range = { from: summaryKey(from), to: summaryKey(to + 1), reverse: false, limit };
    return (await this.#parts.rows(range)).map(([, value]) => BlockSummary.decode(value));
  }

  /** The base fee of a block that exists or comes next. */
  async baseFee(height: number): Promise<bigint> {
    const { latest, rows, host } = this.#parts;
    const range = { from: summaryKey(0), to: summaryKey(height + 1), reverse: true, limit: 1 };
    const [row] = await rows(range);
    const last = row && BlockSummary.decode(row[1]);
    const before = last && {
      height: Number(last.height),
      baseFee: BigInt(last.baseFee),
      gasUsed: Number(last.gasUsed),
    };
    return baseFeeAfter(before, height, host.terms, getEthereumParams(latest));
  }

  /** COINBASE of a validator's blocks. */
  feeRecipient(validator: Uint8Array): Uint8Array {
    return tipReceiver(this.#parts.latest, validator) ?? FEE_COLLECTOR;
  }

  /** PREVRANDAO of the block after the one with this hash. */
  prevRandao(lastBlockHash: Uint8Array): Uint8Array {
    return sha256(lastBlockHash.length === 32 ? lastBlockHash : new Uint8Array(32));
  }

  /** Bech32 text of the account of an address. */
  account(address: Uint8Array): string {
    return this.#addresses.text(resolve(this.#parts.latest, address));
  }

  /** The sequence that an account's next transaction must have. @param account - its bech32 text */
  sequence(account: string): number {
    const id = attempt(() => this.#addresses.id(account, 'address'));
    return id instanceof LedgerError ? 0 : (getAccount(this.#parts.latest, id)?.sequence ?? 0);
  }

  /** Keys of the records of an address after `height`. */
  records(height: number, address: Uint8Array): AccountKeys {
    const id: AccountId = resolve(this.#parts.view(height) ?? this.#parts.latest, address);
    return {
      account: accountKey(id).bytes,
      balance: balanceKey(id, BASE_DENOM).bytes,
      contract: contractKey(id).bytes,
      alias: aliasKey(address).bytes,
      slot: (slot) => slotKey(id, slot).bytes,
    };
  }

  /** Ethereum's hash. */
  keccak256(bytes: Uint8Array): Uint8Array {
    return keccak256(bytes);
  }
}
