/**
 * Commits: the precommits that make a block final, one entry per validator.
 *
 * Upholds: bytes and hash are CometBFT's. A decoded commit is not yet verified; `verify-commit.ts`
 * checks its signatures against a validator set.
 * Spec: CometBFT spec/core/data_structures.md, "Commit" and "CommitSig".
 *
 * @module
 */
import { EMPTY } from '../base/bytes.ts';
import { ADDRESS_BYTES, MAX_SIGNATURE_BYTES, MAX_VALIDATORS } from '../base/limits.ts';
import { merkleRoot } from '../base/merkle.ts';
import { always, bytes, type Codec, list, message, optional, uint } from '../base/proto.ts';
import { type BlockId, blockIdCodec, NIL_BLOCK_ID } from './block-id.ts';
import { type Header, headerCodec } from './header.ts';
import { type Time, timeCodec, ZERO_TIME } from './time.ts';

/** Whether a validator's signature in a commit is absent, for the block, or for nil. */
export const BLOCK_ID_FLAG = { absent: 1, commit: 2, nil: 3 } as const;

/** One validator's entry in a commit. */
export type CommitSig = {
  readonly blockIdFlag: number;
  readonly validatorAddress: Uint8Array;
  readonly timestamp: Time;
  readonly signature: Uint8Array;
};

/** tendermint.types.CommitSig. */
export const commitSigCodec: Codec<CommitSig> = message<CommitSig>('CommitSig', {
  blockIdFlag: uint(1, 3),
  validatorAddress: bytes(2, ADDRESS_BYTES),
  timestamp: always(3, timeCodec),
  signature: bytes(4, MAX_SIGNATURE_BYTES),
});

/** Precommits for a block, one entry per validator of the set, in the set's order. */
export type Commit = {
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockId;
  readonly signatures: readonly CommitSig[];
};

/** tendermint.types.Commit. */
export const commitCodec: Codec<Commit> = message<Commit>('Commit', {
  height: uint(1),
  round: uint(2),
  blockId: always(3, blockIdCodec),
  signatures: list(4, commitSigCodec, MAX_VALIDATORS),
});

/** The Merkle root over a commit's signatures, absent ones included. */
export function commitHash(commit: Commit): Uint8Array {
  return merkleRoot(commit.signatures.map(commitSigCodec.encode));
}

/** The entry of a validator whose precommit is not in the commit. */
export const ABSENT_SIG: CommitSig = {
  blockIdFlag: BLOCK_ID_FLAG.absent,
  validatorAddress: EMPTY,
  timestamp: ZERO_TIME,
  signature: EMPTY,
};

/** The commit that the first block carries. */
export const EMPTY_COMMIT: Commit = {
  height: 0,
  round: 0,
  blockId: NIL_BLOCK_ID,
  signatures: [],
};

/** A header and the commit that makes it final: what a light client checks. */
export type SignedHeader = { readonly header: Header; readonly commit: Commit };

/** tendermint.types.SignedHeader. */
export const signedHeaderCodec: Codec<{
  readonly header: Header | undefined;
  readonly commit: Commit | undefined;
}> = message('SignedHeader', {
  header: optional(1, headerCodec),
  commit: optional(2, commitCodec),
});
