/**
 * Reading evidence from `broadcast_evidence`: two conflicting votes in CometBFT's JSON.
 *
 * Upholds: what is read is well formed; whether it proves anything is for the evidence pool.
 * Absent here: light-client attacks, which reach the node over the evidence channel only.
 * Spec: CometBFT 0.38 types/evidence.go (tendermint/DuplicateVoteEvidence), types/vote.go.
 *
 * @module
 */
import * as z from 'zod';
import { fromHex } from '../base/bytes.ts';
import type { BlockId } from '../types/block-id.ts';
import { type Evidence, evidenceHash } from '../types/evidence.ts';
import { parseTime } from '../types/time.ts';
import { type Vote, wellFormedVote } from '../types/vote.ts';
import { badParams } from './errors.ts';
import { decodeBase64 } from './params.ts';

const int = z.union([z.int(), z.string().regex(/^\d{1,15}$/)]).transform(Number);
const power = z.string().regex(/^\d{1,19}$/);

const blockIdSchema = z.object({
  hash: z.string(),
  parts: z.object({ total: int, hash: z.string() }),
});

const voteSchema = z.object({
  type: int,
  height: int,
  round: int,
  block_id: blockIdSchema,
  timestamp: z.string(),
  validator_address: z.string(),
  validator_index: int,
  signature: z.string(),
});

const evidenceSchema = z.object({
  type: z.literal('tendermint/DuplicateVoteEvidence'),
  value: z.object({
    vote_a: voteSchema,
    vote_b: voteSchema,
    TotalVotingPower: power,
    ValidatorPower: power,
    Timestamp: z.string(),
  }),
});

function known<T>(value: T | undefined, name: string): T {
  return value === undefined ? badParams(`evidence: ${name} is malformed`) : value;
}

function readBlockId({ hash, parts }: z.infer<typeof blockIdSchema>): BlockId {
  return {
    hash: known(fromHex(hash), 'hash'),
    partSetHeader: { total: parts.total, hash: known(fromHex(parts.hash), 'parts.hash') },
  };
}

function readVote(vote: z.infer<typeof voteSchema>): Vote {
  const read: Vote = {
    type: vote.type,
    height: vote.height,
    round: vote.round,
    blockId: readBlockId(vote.block_id),
    timestamp: known(parseTime(vote.timestamp), 'timestamp'),
    validatorAddress: known(fromHex(vote.validator_address), 'validator_address'),
    validatorIndex: vote.validator_index,
    signature: known(decodeBase64(vote.signature), 'signature'),
  };
  return wellFormedVote(read) ? read : badParams('evidence: a vote is malformed');
}

/** Evidence and its hash. @throws LedgerError rpc/1 */
export function readEvidence(input: unknown): {
  readonly value: Evidence;
  readonly hash: Uint8Array;
} {
  const parsed = evidenceSchema.safeParse(input);
  if (!parsed.success) {
    return badParams(`evidence: ${parsed.error.issues[0]?.message ?? 'malformed'}`);
  }
  const { vote_a, vote_b, TotalVotingPower, ValidatorPower, Timestamp } = parsed.data.value;
  const value: Evidence = {
    kind: 'duplicateVote',
    value: {
      voteA: readVote(vote_a),
      voteB: readVote(vote_b),
      totalPower: BigInt(TotalVotingPower),
      validatorPower: BigInt(ValidatorPower),
      timestamp: known(parseTime(Timestamp), 'Timestamp'),
    },
  };
  return { value, hash: evidenceHash(value) };
}
