/**
 * What Ethereum transactions did, as rows: receipts by height and index, places by hash, and a
 * summary of each block that has any.
 *
 * Upholds: a transaction that was refused has no receipt; rows are written once.
 * Spec: go-ethereum core/types (Receipt, Bloom).
 *
 * @module
 */
import { u64be } from '../../base/bytes.ts';
import { BlockSummary, type Log, Place, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import { keccak256 } from '../keccak.ts';
import { key, ROW } from '../keys.ts';
import type { Overlay } from '../overlay.ts';

/** Reads rows: a store or a view. */
export type Rows = { row(key: Uint8Array): Uint8Array | undefined };

const BLOOM_BYTES = 256;

function u32be(value: number): Uint8Array {
  return u64be(value).subarray(4);
}

function receiptRow(height: number, index: number): Uint8Array {
  return key(ROW.receipt, u64be(height), u32be(index));
}

/** Writes a receipt and the place of its transaction. */
export function putReceipt(state: Overlay, receipt: Receipt): void {
  const { hash, height, index } = receipt;
  state.putRow(receiptRow(Number(height), index), Receipt.encode(receipt).finish());
  state.putRow(key(ROW.place, hash), Place.encode({ height, index }).finish());
}

/** The receipt of a place. */
export function receiptAt(rows: Rows, height: number, index: number): Receipt | undefined {
  const bytes = rows.row(receiptRow(height, index));
  return bytes && Receipt.decode(bytes);
}

/** The receipt of a transaction by its hash. */
export function receiptOf(rows: Rows, hash: Uint8Array): Receipt | undefined {
  const bytes = rows.row(key(ROW.place, hash));
  if (bytes === undefined) return undefined;
  const { height, index } = Place.decode(bytes);
  return receiptAt(rows, Number(height), index);
}

/** Writes the summary of a block. */
export function putSummary(state: Overlay, summary: BlockSummary): void {
  const row = key(ROW.evmBlock, u64be(Number(summary.height)));
  state.putRow(row, BlockSummary.encode(summary).finish());
}

/** The summary of a block; none if it has no Ethereum transactions. */
export function summaryOf(rows: Rows, height: number): BlockSummary | undefined {
  const bytes = rows.row(key(ROW.evmBlock, u64be(height)));
  return bytes && BlockSummary.decode(bytes);
}

/** Adds logs to a bloom filter of 256 bytes. */
export function addToBloom(bloom: Uint8Array, logs: readonly Log[]): void {
  for (const { address, topics } of logs) {
    for (const word of [address, ...topics]) {
      const hash = keccak256(word);
      for (const at of [0, 2, 4]) {
        const bit = (((hash[at] as number) << 8) | (hash[at + 1] as number)) & 2047;
        const byte = BLOOM_BYTES - 1 - (bit >> 3);
        bloom[byte] = (bloom[byte] as number) | (1 << (bit & 7));
      }
    }
  }
}

/** An empty bloom filter. */
export function emptyBloom(): Uint8Array {
  return new Uint8Array(BLOOM_BYTES);
}
