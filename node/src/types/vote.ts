/**
 * Votes and proposals, the bytes their signatures cover, and the types of verified ones.
 *
 * Upholds: the consensus core accepts only `Verified` values, which only `verifyVote` and
 * `verifyProposal` make; so an unchecked signature cannot reach it.
 * Spec: CometBFT types/canonical.go, types/vote.go, types/proposal.go; vote extensions are off.
 *
 * @module
 */

import { HASH_SIZE } from '../base/hash.ts';
import {
  ADDRESS_BYTES,
  MAX_CHAIN_ID_BYTES,
  MAX_ROUND,
  MAX_SIGNATURE_BYTES,
  MAX_VALIDATORS,
} from '../base/limits.ts';
import {
  always,
  bytes,
  type Codec,
  encodeDelimited,
  int,
  message,
  optional,
  sfixed64,
  text,
  uint,
} from '../base/proto.ts';
import {
  type BlockId,
  blockIdCodec,
  isComplete,
  isNil,
  type PartSetHeader,
  partSetHeaderCodec,
} from './block-id.ts';
import { type Time, timeCodec } from './time.ts';

/** SignedMsgType values. */
export const VOTE_TYPE = { prevote: 1, precommit: 2, proposal: 32 } as const;

/** A prevote (1) or precommit (2). */
export type VoteType = 1 | 2;

/** A validator's vote for a block, or for nil. */
export type Vote = {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockId;
  readonly timestamp: Time;
  readonly validatorAddress: Uint8Array;
  readonly validatorIndex: number;
  readonly signature: Uint8Array;
};

/** tendermint.types.Vote without its extension fields, which are refused. */
export const voteCodec: Codec<Vote> = message<Vote>('Vote', {
  type: uint(1, 2),
  height: uint(2),
  round: uint(3, MAX_ROUND),
  blockId: always(4, blockIdCodec),
  timestamp: always(5, timeCodec),
  validatorAddress: bytes(6, ADDRESS_BYTES),
  validatorIndex: uint(7, MAX_VALIDATORS),
  signature: bytes(8, MAX_SIGNATURE_BYTES),
});

/** A proposer's announcement of a block. `polRound` is −1 or the round of the polka it rests on. */
export type Proposal = {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly polRound: number;
  readonly blockId: BlockId;
  readonly timestamp: Time;
  readonly signature: Uint8Array;
};

/** tendermint.types.Proposal. */
export const proposalCodec: Codec<Proposal> = message<Proposal>('Proposal', {
  type: uint(1, VOTE_TYPE.proposal),
  height: uint(2),
  round: uint(3, MAX_ROUND),
  polRound: int(4),
  blockId: always(5, blockIdCodec),
  timestamp: always(6, timeCodec),
  signature: bytes(7, MAX_SIGNATURE_BYTES),
});

type CanonicalBlockId = { readonly hash: Uint8Array; readonly partSetHeader: PartSetHeader };

const canonicalBlockIdCodec: Codec<CanonicalBlockId> = message<CanonicalBlockId>(
  'CanonicalBlockID',
  { hash: bytes(1, HASH_SIZE), partSetHeader: always(2, partSetHeaderCodec) },
);

type CanonicalVote = {
  readonly type: number;
  readonly height: number;
  readonly round: number;
  readonly blockId: CanonicalBlockId | undefined;
  readonly timestamp: Time;
  readonly chainId: string;
};

const canonicalVoteCodec: Codec<CanonicalVote> = message<CanonicalVote>('CanonicalVote', {
  type: uint(1),
  height: sfixed64(2),
  round: sfixed64(3),
  blockId: optional(4, canonicalBlockIdCodec),
  timestamp: always(5, timeCodec),
  chainId: text(6, MAX_CHAIN_ID_BYTES),
});

type CanonicalProposal = CanonicalVote & { readonly polRound: number };

const canonicalProposalCodec: Codec<CanonicalProposal> = message<CanonicalProposal>(
  'CanonicalProposal',
  {
    type: uint(1),
    height: sfixed64(2),
    round: sfixed64(3),
    polRound: int(4),
    blockId: optional(5, canonicalBlockIdCodec),
    timestamp: always(6, timeCodec),
    chainId: text(7, MAX_CHAIN_ID_BYTES),
  },
);

function canonicalId(id: BlockId): CanonicalBlockId | undefined {
  return isNil(id) ? undefined : id;
}

/** The fields of a vote that its signature covers. */
export type VoteContent = Pick<Vote, 'type' | 'height' | 'round' | 'blockId' | 'timestamp'>;

/** The bytes a vote's signature covers. */
export function voteSignBytes(chainId: string, vote: VoteContent): Uint8Array {
  const { type, height, round, timestamp } = vote;
  const blockId = canonicalId(vote.blockId);
  return encodeDelimited(
    canonicalVoteCodec.encode({ type, height, round, blockId, timestamp, chainId }),
  );
}

/** The bytes a proposal's signature covers. */
export function proposalSignBytes(
  chainId: string,
  proposal: Omit<Proposal, 'signature'>,
): Uint8Array {
  const { type, height, round, polRound, timestamp } = proposal;
  const blockId = canonicalId(proposal.blockId);
  return encodeDelimited(
    canonicalProposalCodec.encode({ type, height, round, polRound, blockId, timestamp, chainId }),
  );
}

/** Whether a vote is well formed on its own (CometBFT's ValidateBasic). */
export function wellFormedVote(vote: Vote): boolean {
  return (
    (vote.type === VOTE_TYPE.prevote || vote.type === VOTE_TYPE.precommit) &&
    vote.height > 0 &&
    (isNil(vote.blockId) || isComplete(vote.blockId)) &&
    vote.validatorAddress.length === ADDRESS_BYTES &&
    vote.signature.length > 0
  );
}

/** Whether a proposal is well formed on its own (CometBFT's ValidateBasic). */
export function wellFormedProposal(proposal: Proposal): boolean {
  return (
    proposal.type === VOTE_TYPE.proposal &&
    proposal.height > 0 &&
    proposal.polRound >= -1 &&
    proposal.polRound < proposal.round + (proposal.polRound === -1 ? 1 : 0) &&
    isComplete(proposal.blockId) &&
    proposal.signature.length > 0
  );
}

declare const verifiedBrand: unique symbol;

/** A value whose signature was checked against the validator set of its height. */
export type Verified<T> = T & { readonly [verifiedBrand]: true };
