/**
 * What peers say to each other: the messages of each channel.
 *
 * Upholds: field numbers and meanings are CometBFT's p2p protocol 8. A decoded message is well
 * formed on the wire; `wellFormedMessage` (message-checks.ts) holds the rules whose breach costs
 * the sender its connection.
 * Spec: CometBFT proto tendermint.consensus, .mempool, .blocksync; channel ids of node/node.go.
 *
 * @module
 */
import { MAX_ROUND, MAX_VALIDATORS } from '../base/limits.ts';
import {
  always,
  bool,
  bytesList,
  type Codec,
  int,
  message,
  optional,
  uint,
  union,
} from '../base/proto.ts';
import { type BitArray, bitArrayCodec } from './bit-array.ts';
import { type Block, blockCodec } from './block.ts';
import { type BlockId, blockIdCodec, type PartSetHeader, partSetHeaderCodec } from './block-id.ts';
import { type Part, partCodec } from './part-set.ts';
import { type Proposal, proposalCodec, type Vote, voteCodec } from './vote.ts';

/** Channel ids. */
export const CHANNEL = {
  state: 0x20,
  data: 0x21,
  vote: 0x22,
  voteSetBits: 0x23,
  mempool: 0x30,
  evidence: 0x38,
  blocksync: 0x40,
} as const;

/** One of the channel ids. */
export type ChannelId = (typeof CHANNEL)[keyof typeof CHANNEL];

/** Where a node is: sent on every step. `lastCommitRound` is −1 at the first height. */
export type NewRoundStep = {
  readonly height: number;
  readonly round: number;
  readonly step: number;
  readonly secondsSinceStart: number;
  readonly lastCommitRound: number;
};

/** A node collects this block: a polka or a commit names it. */
export type NewValidBlock = {
  readonly height: number;
  readonly round: number;
  readonly partSetHeader: PartSetHeader;
  readonly parts: BitArray | undefined;
  readonly isCommit: boolean;
};

/** Which prevotes of the proposal's POL round the sender has. */
export type ProposalPol = {
  readonly height: number;
  readonly polRound: number;
  readonly votes: BitArray;
};

/** One part of the block of a height. */
export type BlockPart = { readonly height: number; readonly round: number; readonly part: Part };

/** The sender has this vote. */
export type HasVote = {
  readonly height: number;
  readonly round: number;
  readonly type: number;
  readonly index: number;
};

/** The sender saw +2/3 for this block. */
export type VoteSetMaj23 = {
  readonly height: number;
  readonly round: number;
  readonly type: number;
  readonly blockId: BlockId;
};

/** Which votes for this block the sender has: the answer to `VoteSetMaj23`. */
export type VoteSetBits = VoteSetMaj23 & { readonly votes: BitArray };

/** A message of channels 0x20 to 0x23. */
export type ConsensusMessage =
  | { readonly kind: 'newRoundStep'; readonly value: NewRoundStep }
  | { readonly kind: 'newValidBlock'; readonly value: NewValidBlock }
  | { readonly kind: 'proposal'; readonly value: { readonly proposal: Proposal } }
  | { readonly kind: 'proposalPol'; readonly value: ProposalPol }
  | { readonly kind: 'blockPart'; readonly value: BlockPart }
  | { readonly kind: 'vote'; readonly value: { readonly vote: Vote | undefined } }
  | { readonly kind: 'hasVote'; readonly value: HasVote }
  | { readonly kind: 'voteSetMaj23'; readonly value: VoteSetMaj23 }
  | { readonly kind: 'voteSetBits'; readonly value: VoteSetBits };

/** tendermint.consensus.Message. */
export const consensusMessageCodec: Codec<ConsensusMessage> = union<ConsensusMessage>(
  'consensus.Message',
  {
    newRoundStep: [
      1,
      message<NewRoundStep>('NewRoundStep', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        step: uint(3, 8),
        secondsSinceStart: int(4),
        lastCommitRound: int(5),
      }),
    ],
    newValidBlock: [
      2,
      message<NewValidBlock>('NewValidBlock', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        partSetHeader: always(3, partSetHeaderCodec),
        parts: optional(4, bitArrayCodec),
        isCommit: bool(5),
      }),
    ],
    proposal: [
      3,
      message<{ readonly proposal: Proposal }>('consensus.Proposal', {
        proposal: always(1, proposalCodec),
      }),
    ],
    proposalPol: [
      4,
      message<ProposalPol>('ProposalPOL', {
        height: uint(1),
        polRound: uint(2, MAX_ROUND),
        votes: always(3, bitArrayCodec),
      }),
    ],
    blockPart: [
      5,
      message<BlockPart>('BlockPart', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        part: always(3, partCodec),
      }),
    ],
    vote: [
      6,
      message<{ readonly vote: Vote | undefined }>('consensus.Vote', {
        vote: optional(1, voteCodec),
      }),
    ],
    hasVote: [
      7,
      message<HasVote>('HasVote', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        type: uint(3, 2),
        index: uint(4, MAX_VALIDATORS),
      }),
    ],
    voteSetMaj23: [
      8,
      message<VoteSetMaj23>('VoteSetMaj23', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        type: uint(3, 2),
        blockId: always(4, blockIdCodec),
      }),
    ],
    voteSetBits: [
      9,
      message<VoteSetBits>('VoteSetBits', {
        height: uint(1),
        round: uint(2, MAX_ROUND),
        type: uint(3, 2),
        blockId: always(4, blockIdCodec),
        votes: always(5, bitArrayCodec),
      }),
    ],
  },
);

/** A message of the mempool channel; `maxTxBytes` bounds each transaction and `max` their sum. */
export type MempoolMessage = {
  readonly kind: 'txs';
  readonly value: { readonly txs: readonly Uint8Array[] };
};

/** tendermint.mempool.Message, for a node that takes transactions of up to `maxTxBytes`. */
export function mempoolMessageCodec(maxTxBytes: number): Codec<MempoolMessage> {
  return union<MempoolMessage>('mempool.Message', {
    txs: [
      1,
      message<MempoolMessage['value']>('Txs', { txs: bytesList(1, maxTxBytes, maxTxBytes) }),
    ],
  });
}

/** A message of the blocksync channel. */
export type BlocksyncMessage =
  | { readonly kind: 'blockRequest'; readonly value: { readonly height: number } }
  | { readonly kind: 'noBlockResponse'; readonly value: { readonly height: number } }
  | { readonly kind: 'blockResponse'; readonly value: { readonly block: Block | undefined } }
  | { readonly kind: 'statusRequest'; readonly value: Record<never, never> }
  | {
      readonly kind: 'statusResponse';
      readonly value: { readonly height: number; readonly base: number };
    };

const heightOnly = (name: string): Codec<{ readonly height: number }> =>
  message<{ readonly height: number }>(name, { height: uint(1) });

/** tendermint.blocksync.Message. Extended commits are refused: vote extensions are off. */
export const blocksyncMessageCodec: Codec<BlocksyncMessage> = union<BlocksyncMessage>(
  'blocksync.Message',
  {
    blockRequest: [1, heightOnly('BlockRequest')],
    noBlockResponse: [2, heightOnly('NoBlockResponse')],
    blockResponse: [
      3,
      message<{ readonly block: Block | undefined }>('BlockResponse', {
        block: optional(1, blockCodec),
      }),
    ],
    statusRequest: [4, message<Record<never, never>>('StatusRequest', {})],
    statusResponse: [
      5,
      message<{ readonly height: number; readonly base: number }>('StatusResponse', {
        height: uint(1),
        base: uint(2),
      }),
    ],
  },
);
