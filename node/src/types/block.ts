/**
 * Blocks: header, transactions, evidence, and the commit of the block before.
 *
 * Upholds: hashes and bytes are CometBFT's, block protocol 11. A decoded value is well formed on
 * the wire but not yet valid; `block-checks.ts` comes next, then validation against state in the
 * engine.
 * Spec: CometBFT spec/core/data_structures.md and spec/core/encoding.md.
 *
 * @module
 */
import { fromLatin1 } from '../base/bytes.ts';
import { sha256, sha256Text } from '../base/hash.ts';
import { MAX_BLOCK_BYTES } from '../base/limits.ts';
import { merkleRoot } from '../base/merkle.ts';
import { always, bytesList, type Codec, message, optional } from '../base/proto.ts';
import { type Commit, commitCodec } from './commit.ts';
import { type EvidenceList, evidenceListCodec } from './evidence.ts';
import { type Header, headerCodec } from './header.ts';

/** A transaction as the engine sees it. */
export type Tx = Uint8Array;

/** SHA-256 of a transaction: its name everywhere. */
export function txHash(tx: Tx): Uint8Array {
  return sha256(tx);
}

/** A transaction's hash as text of one character per byte: what tables of them are kept by. */
export type TxKey = string;

/** The key of a transaction. */
export function txKey(tx: Tx): TxKey {
  return sha256Text(tx);
}

type Names = { readonly keys: readonly TxKey[]; readonly hashes: readonly Uint8Array[] };

/** Names of lists of transactions, for as long as someone holds the list. */
const NAMES = new WeakMap<readonly Tx[], Names>();

function namesOf(txs: readonly Tx[]): Names {
  const known = NAMES.get(txs);
  if (known !== undefined) return known;
  const keys = txs.map(txKey);
  const names = { keys, hashes: keys.map(fromLatin1) };
  NAMES.set(txs, names);
  return names;
}

/** The hashes of a block's transactions, in order; computed once for one list. */
export function txHashes(txs: readonly Tx[]): readonly Uint8Array[] {
  return namesOf(txs).hashes;
}

/** The keys of a block's transactions, in order; computed once for one list. */
export function txKeys(txs: readonly Tx[]): readonly TxKey[] {
  return namesOf(txs).keys;
}

/** The Merkle root over the transactions' hashes. */
export function dataHash(txs: readonly Tx[]): Uint8Array {
  return merkleRoot(txHashes(txs));
}

/** Bytes a transaction takes in a block: its own and its protobuf framing. */
export function txBytesInBlock(tx: Tx): number {
  let prefix = 2;
  for (let n = tx.length; n > 0x7f; n = Math.floor(n / 128)) prefix++;
  return prefix + tx.length;
}

/** A block's transactions. */
export type Data = { readonly txs: readonly Tx[] };

/** tendermint.types.Data. At least two bytes of wire per transaction bound the count. */
export const dataCodec: Codec<Data> = message<Data>('Data', {
  txs: bytesList(1, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES / 2),
});

/** A block. `lastCommit` is present on the wire even at the first height, where it is empty. */
export type Block = {
  readonly header: Header;
  readonly data: Data;
  readonly evidence: EvidenceList;
  readonly lastCommit: Commit | undefined;
};

/** tendermint.types.Block. */
export const blockCodec: Codec<Block> = message<Block>('Block', {
  header: always(1, headerCodec),
  data: always(2, dataCodec),
  evidence: always(3, evidenceListCodec),
  lastCommit: optional(4, commitCodec),
});
