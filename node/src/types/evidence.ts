/**
 * Evidence of misbehaviour: the two forms that blocks and peers carry.
 *
 * Upholds: bytes and hashes are CometBFT's, the defect in the light-client hash included. Decoded
 * evidence proves nothing yet; `verify-evidence.ts` checks it.
 * Spec: CometBFT types/evidence.go; proto tendermint.types.EvidenceList.
 *
 * @module
 */
import { concatBytes } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { MAX_EVIDENCE_BYTES, MAX_VALIDATORS } from '../base/limits.ts';
import { merkleRoot } from '../base/merkle.ts';
import { always, type Codec, int64, list, message, optional, uint, union } from '../base/proto.ts';
import { Writer } from '../base/wire.ts';
import { signedHeaderCodec } from './commit.ts';
import { headerHash } from './header.ts';
import { type Time, timeCodec } from './time.ts';
import {
  type Validator,
  validatorCodec,
  validatorSetCodec,
  type WireValidatorSet,
} from './validators.ts';
import { type Vote, voteCodec } from './vote.ts';

/** Two votes of one validator for different blocks in one step. */
export type DuplicateVote = {
  readonly voteA: Vote | undefined;
  readonly voteB: Vote | undefined;
  readonly totalPower: bigint;
  readonly validatorPower: bigint;
  readonly timestamp: Time;
};

/** tendermint.types.DuplicateVoteEvidence. */
const duplicateVoteCodec: Codec<DuplicateVote> = message<DuplicateVote>('DuplicateVoteEvidence', {
  voteA: optional(1, voteCodec),
  voteB: optional(2, voteCodec),
  totalPower: int64(3),
  validatorPower: int64(4),
  timestamp: always(5, timeCodec),
});

type WireSignedHeader = ReturnType<typeof signedHeaderCodec.decode>;

/** A signed header with the validator set that signed it, as light clients exchange them. */
export type WireLightBlock = {
  readonly signedHeader: WireSignedHeader | undefined;
  readonly validatorSet: WireValidatorSet | undefined;
};

/** tendermint.types.LightBlock. */
const lightBlockCodec: Codec<WireLightBlock> = message<WireLightBlock>('LightBlock', {
  signedHeader: optional(1, signedHeaderCodec),
  validatorSet: optional(2, validatorSetCodec),
});

/** A block that validators signed outside the chain to deceive a light client. */
export type LightClientAttack = {
  readonly conflictingBlock: WireLightBlock | undefined;
  readonly commonHeight: number;
  readonly byzantineValidators: readonly Validator[];
  readonly totalPower: bigint;
  readonly timestamp: Time;
};

/** tendermint.types.LightClientAttackEvidence. */
const lightClientAttackCodec: Codec<LightClientAttack> = message<LightClientAttack>(
  'LightClientAttackEvidence',
  {
    conflictingBlock: optional(1, lightBlockCodec),
    commonHeight: uint(2),
    byzantineValidators: list(3, validatorCodec, MAX_VALIDATORS),
    totalPower: int64(4),
    timestamp: always(5, timeCodec),
  },
);

/** One piece of evidence. */
export type Evidence =
  | { readonly kind: 'duplicateVote'; readonly value: DuplicateVote }
  | { readonly kind: 'lightClientAttack'; readonly value: LightClientAttack };

/** tendermint.types.Evidence. */
export const evidenceCodec: Codec<Evidence> = union<Evidence>('Evidence', {
  duplicateVote: [1, duplicateVoteCodec],
  lightClientAttack: [2, lightClientAttackCodec],
});

/** A list of evidence, in a block or in a message. */
export type EvidenceList = { readonly evidence: readonly Evidence[] };

/** tendermint.types.EvidenceList. */
export const evidenceListCodec: Codec<EvidenceList> = message<EvidenceList>('EvidenceList', {
  evidence: list(1, evidenceCodec, MAX_EVIDENCE_BYTES / 64),
});

/** The bytes of evidence without the union around it: what is hashed in blocks. */
export function evidenceBytes(evidence: Evidence): Uint8Array {
  return evidence.kind === 'duplicateVote'
    ? duplicateVoteCodec.encode(evidence.value)
    : lightClientAttackCodec.encode(evidence.value);
}

/** The name of a piece of evidence: 32 bytes. */
export function evidenceHash(evidence: Evidence): Uint8Array {
  if (evidence.kind === 'duplicateVote') return sha256(evidenceBytes(evidence));
  const header = evidence.value.conflictingBlock?.signedHeader?.header;
  // CometBFT names no such evidence; nothing accepts it, but a name for refusing it is needed.
  if (header === undefined) return sha256(evidenceBytes(evidence));
  const zigzag = new Writer();
  zigzag.varint64(BigInt(evidence.value.commonHeight) * 2n);
  // CometBFT copies 31 of the 32 bytes of the hash and leaves the last one zero.
  const name = concatBytes(headerHash(header).subarray(0, 31), new Uint8Array(1));
  return sha256(concatBytes(name, zigzag.finish()));
}

/** The Merkle root over a block's evidence, as its header carries it. */
export function evidenceListHash(list: EvidenceList): Uint8Array {
  return merkleRoot(list.evidence.map(evidenceBytes));
}

/** The height a piece of evidence is about. */
export function evidenceHeight(evidence: Evidence): number {
  return evidence.kind === 'duplicateVote'
    ? (evidence.value.voteA?.height ?? 0)
    : evidence.value.commonHeight;
}
