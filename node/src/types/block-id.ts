/**
 * How a block is named: its header hash and the header of its part set.
 *
 * Upholds: a `BlockId` is nil (nothing was voted for) or complete; nothing between is valid.
 * Spec: CometBFT spec/core/data_structures.md, "BlockID" and "PartSetHeader".
 *
 * @module
 */
import { EMPTY, equalBytes, toHex } from '../base/bytes.ts';
import { HASH_SIZE } from '../base/hash.ts';
import { always, bytes, type Codec, message, uint } from '../base/proto.ts';

/** Number of parts and the Merkle root over them. */
export type PartSetHeader = { readonly total: number; readonly hash: Uint8Array };

/** A block's name: header hash and part set header. */
export type BlockId = { readonly hash: Uint8Array; readonly partSetHeader: PartSetHeader };

/** tendermint.types.PartSetHeader. */
export const partSetHeaderCodec: Codec<PartSetHeader> = message<PartSetHeader>('PartSetHeader', {
  total: uint(1, 0xffff_ffff),
  hash: bytes(2, HASH_SIZE),
});

/** tendermint.types.BlockID. */
export const blockIdCodec: Codec<BlockId> = message<BlockId>('BlockID', {
  hash: bytes(1, HASH_SIZE),
  partSetHeader: always(2, partSetHeaderCodec),
});

/** The name of no block: what a nil vote is for. */
export const NIL_BLOCK_ID: BlockId = {
  hash: EMPTY,
  partSetHeader: { total: 0, hash: EMPTY },
};

/** Whether this names no block. */
export function isNil(id: BlockId): boolean {
  return id.hash.length === 0 && id.partSetHeader.total === 0 && id.partSetHeader.hash.length === 0;
}

/** Whether this names a block completely. */
export function isComplete(id: BlockId): boolean {
  const { hash, partSetHeader } = id;
  return (
    hash.length === HASH_SIZE && partSetHeader.total > 0 && partSetHeader.hash.length === HASH_SIZE
  );
}

/** Whether two part set headers are the same. */
export function equalPartSetHeaders(a: PartSetHeader, b: PartSetHeader): boolean {
  return a.total === b.total && equalBytes(a.hash, b.hash);
}

/** Whether two names are the same. */
export function equalBlockIds(a: BlockId, b: BlockId): boolean {
  return equalBytes(a.hash, b.hash) && equalPartSetHeaders(a.partSetHeader, b.partSetHeader);
}

/** A map key for a name; equal exactly for equal names. */
export function blockIdKey(id: BlockId): string {
  return `${toHex(id.hash)}:${id.partSetHeader.total}:${toHex(id.partSetHeader.hash)}`;
}
