/**
 * Transactions, receipts and logs as Ethereum's JSON-RPC shows them.
 *
 * Spec: ethereum/execution-apis (TransactionInfo, ReceiptInfo, Log).
 *
 * @module
 */
import type { Log, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import type { JsonObject } from '../json.ts';
import type { EthAccess, EthAuthorization, EthTx } from './ports.ts';
import { data, quantity, quantityOf } from './values.ts';

/** Where a transaction is. */
export type TxPlace = {
  readonly hash: Uint8Array;
  readonly height: number;
  readonly receipt: Receipt;
};

/** An access list. */
export function accessListJson(list: readonly EthAccess[]): readonly JsonObject[] {
  return list.map(({ address, slots }) => ({
    address: data(address),
    storageKeys: slots.map(data),
  }));
}

function authorizationJson(one: EthAuthorization): JsonObject {
  return {
    chainId: quantity(one.chainId),
    address: data(one.address),
    nonce: quantity(one.nonce),
    yParity: quantity(one.yParity),
    r: quantity(one.r),
    s: quantity(one.s),
  };
}

function signatureWord(tx: EthTx, from: number): string {
  return quantityOf(data(tx.signature.subarray(from, from + 32)));
}

function feesJson(tx: EthTx, paid: string | undefined): JsonObject {
  if (tx.type < 2) return { gasPrice: quantity(tx.maxFeePerGas) };
  return {
    gasPrice: paid === undefined ? quantity(tx.maxFeePerGas) : quantityOf(paid),
    maxFeePerGas: quantity(tx.maxFeePerGas),
    maxPriorityFeePerGas: quantity(tx.maxPriorityFeePerGas),
  };
}

/** A transaction. @param at - its place or, while it is pending, its sender */
export function transactionJson(
  tx: EthTx,
  at: TxPlace | { readonly from: Uint8Array },
): JsonObject {
  const receipt = 'receipt' in at ? at.receipt : undefined;
  const from = 'receipt' in at ? at.receipt.from : at.from;
  const parity = quantity(tx.yParity);
  const typed = tx.type !== 0;
  return {
    blockHash: 'receipt' in at ? data(at.hash) : null,
    blockNumber: 'receipt' in at ? quantity(at.height) : null,
    transactionIndex: receipt === undefined ? null : quantity(receipt.index),
    hash: data(tx.hash),
    type: quantity(tx.type),
    chainId: quantity(tx.chainId),
    from: data(from),
    to: tx.to === undefined ? null : data(tx.to),
    nonce: quantity(tx.nonce),
    value: quantity(tx.value),
    gas: quantity(tx.gasLimit),
    input: data(tx.data),
    ...feesJson(tx, receipt?.effectiveGasPrice),
    ...(typed ? { accessList: accessListJson(tx.accessList), yParity: parity } : {}),
    ...(tx.authorizations && { authorizationList: tx.authorizations.map(authorizationJson) }),
    v: typed ? parity : quantity(tx.chainId * 2n + 35n + BigInt(tx.yParity)),
    r: signatureWord(tx, 0),
    s: signatureWord(tx, 32),
  };
}

/** A log of a receipt. @param index - its place among the receipt's */
export function logJson(
  log: Log,
  index: number,
  receipt: Receipt,
  block: { readonly hash: Uint8Array; readonly time: bigint },
): JsonObject {
  return {
    address: data(log.address),
    topics: log.topics.map(data),
    data: data(log.data),
    blockNumber: quantity(receipt.height),
    blockHash: data(block.hash),
    blockTimestamp: quantity(block.time / 1_000_000_000n),
    transactionHash: data(receipt.hash),
    transactionIndex: quantity(receipt.index),
    logIndex: quantity(receipt.firstLogIndex + index),
    removed: false,
  };
}

/** Adds what a filter of 256 bytes has for these logs. */
function bloomOf(logs: readonly Log[], keccak: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  const bloom = new Uint8Array(256);
  for (const { address, topics } of logs) {
    for (const word of [address, ...topics]) {
      for (const bit of bloomBits(keccak(word))) {
        const at = 255 - (bit >> 3);
        bloom[at] = (bloom[at] ?? 0) | (1 << (bit & 7));
      }
    }
  }
  return bloom;
}

/** The three bits that a word sets, by its hash. */
export function bloomBits(hash: Uint8Array): readonly number[] {
  return [0, 2, 4].map((at) => (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2_047);
}

/** A receipt. */
export function receiptJson(
  receipt: Receipt,
  block: { readonly hash: Uint8Array; readonly time: bigint },
  keccak: (bytes: Uint8Array) => Uint8Array,
): JsonObject {
  return {
    transactionHash: data(receipt.hash),
    transactionIndex: quantity(receipt.index),
    blockHash: data(block.hash),
    blockNumber: quantity(receipt.height),
    from: data(receipt.from),
    to: receipt.to.length === 0 ? null : data(receipt.to),
    cumulativeGasUsed: quantity(receipt.cumulativeGasUsed),
    gasUsed: quantity(receipt.gasUsed),
    contractAddress:
      receipt.created.length === 0 || receipt.to.length > 0 ? null : data(receipt.created),
    logs: receipt.logs.map((log, i) => logJson(log, i, receipt, block)),
    logsBloom: data(bloomOf(receipt.logs, keccak)),
    type: quantity(receipt.type),
    status: quantity(receipt.status),
    effectiveGasPrice: quantityOf(receipt.effectiveGasPrice),
  };
}
