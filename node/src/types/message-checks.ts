/**
 * The rules of peer messages whose breach costs the sender its connection.
 *
 * Upholds: a message that passed may be indexed by its fields without further bounds: bit arrays
 * have the size their message implies, names of blocks are whole, parts carry a proof of their own
 * index. Stale or useless messages are not breaches.
 * Absent here: signatures and anything that needs the state of a round.
 * Spec: CometBFT 0.38.25 consensus/reactor.go (ValidateBasic), mempool, blocksync, evidence.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError, unreachable } from '../base/errors.ts';
import { BLOCK_PART_BYTES, MAX_BLOCK_PARTS, MAX_VALIDATORS } from '../base/limits.ts';
import type { BitArray } from './bit-array.ts';
import { type BlockId, isComplete, isNil } from './block-id.ts';
import type { EvidenceList } from './evidence.ts';
import { checkEvidence } from './evidence-checks.ts';
import type {
  BlocksyncMessage,
  ConsensusMessage,
  MempoolMessage,
  NewRoundStep,
  NewValidBlock,
} from './messages.ts';
import { wellFormedPart } from './part-set.ts';
import { wellFormedProposal, wellFormedVote } from './vote.ts';

/** Breaches by peers. */
export const errors: {
  readonly Breach: ErrorSpec<{ readonly message: string; readonly reason: string }>;
} = {
  Breach: errorSpec('peer', 1, 'peer', (p) => `${p.message}: ${p.reason}`),
};

type Rules = readonly (readonly [holds: boolean, reason: string])[];

function demand(message: string, rules: Rules): void {
  const reason = rules.find(([holds]) => !holds)?.[1];
  if (reason !== undefined) throw new LedgerError(errors.Breach, { message, reason });
}

/** What the rules of consensus messages depend on besides the message. */
export type MessageContext = {
  readonly initialHeight: number;
  /** Most bytes of a block by the parameters in force. */
  readonly maxBlockBytes: number;
};

/** The most parts a block of `maxBlockBytes` may have. */
export function maxParts(maxBlockBytes: number): number {
  return Math.floor((maxBlockBytes - 1) / BLOCK_PART_BYTES) + 1;
}

function stepRules(value: NewRoundStep, { initialHeight }: MessageContext): Rules {
  const { height, step, lastCommitRound } = value;
  return [
    [height >= initialHeight, `height ${height} is below the first`],
    [step >= 1 && step <= 8, `step ${step}`],
    [lastCommitRound >= -1, `last commit round ${lastCommitRound}`],
    [
      (lastCommitRound === -1) === (height === initialHeight),
      `last commit round ${lastCommitRound} at height ${height}`,
    ],
  ];
}

function validBlockRules({ partSetHeader, parts }: NewValidBlock): Rules {
  const { total } = partSetHeader;
  return [
    [total > 0 && total <= MAX_BLOCK_PARTS, `${total} parts`],
    [partSetHeader.hash.length === 32, 'no part set hash'],
    [parts !== undefined && parts.size === total, 'as many bits as parts'],
  ];
}

function bitsRule(votes: BitArray): Rules[number] {
  return [votes.size <= MAX_VALIDATORS, `${votes.size} bits`];
}

function blockIdRule(id: BlockId): Rules[number] {
  return [isNil(id) || isComplete(id), 'block id is not whole'];
}

function typeRule(type: number): Rules[number] {
  return [type === 1 || type === 2, `vote type ${type}`];
}

function consensusRules(message: ConsensusMessage, context: MessageContext): Rules {
  switch (message.kind) {
    case 'newRoundStep':
      return stepRules(message.value, context);
    case 'newValidBlock':
      return validBlockRules(message.value);
    case 'proposal': {
      const { proposal } = message.value;
      const { total } = proposal.blockId.partSetHeader;
      return [
        [wellFormedProposal(proposal), 'not well formed'],
        [total <= maxParts(context.maxBlockBytes), `${total} parts`],
      ];
    }
    case 'proposalPol':
      return [[message.value.votes.size > 0, 'no bits'], bitsRule(message.value.votes)];
    case 'blockPart':
      return [[wellFormedPart(message.value.part), 'part is not well formed']];
    case 'vote': {
      const { vote } = message.value;
      return [[vote !== undefined && wellFormedVote(vote), 'not well formed']];
    }
    case 'hasVote':
      return [typeRule(message.value.type)];
    case 'voteSetMaj23':
      return [typeRule(message.value.type), blockIdRule(message.value.blockId)];
    case 'voteSetBits': {
      const { type, blockId, votes } = message.value;
      return [typeRule(type), blockIdRule(blockId), bitsRule(votes)];
    }
    default:
      return unreachable(message);
  }
}

/** @throws LedgerError peer/1 */
export function checkConsensusMessage(message: ConsensusMessage, context: MessageContext): void {
  demand(message.kind, consensusRules(message, context));
}

/** @throws LedgerError peer/1; `maxBatchBytes` bounds the sum of the transactions' bytes */
export function checkMempoolMessage(message: MempoolMessage, maxBatchBytes: number): void {
  const { txs } = message.value;
  demand('txs', [
    [txs.length > 0, 'no transactions'],
    [txs.every((tx) => tx.length > 0), 'an empty transaction'],
    [txs.reduce((sum, tx) => sum + tx.length, 0) <= maxBatchBytes, 'too many bytes'],
  ]);
}

/** @throws LedgerError peer/1 */
export function checkBlocksyncMessage(message: BlocksyncMessage): void {
  if (message.kind === 'statusResponse') {
    const { height, base } = message.value;
    demand('statusResponse', [[base <= height, `base ${base} above height ${height}`]]);
  }
  if (message.kind === 'blockResponse') {
    demand('blockResponse', [[message.value.block !== undefined, 'no block']]);
  }
}

/** @throws LedgerError peer/1, or what `checkEvidence` throws for a piece that is malformed */
export function checkEvidenceMessage(message: EvidenceList): void {
  demand('evidence', [[message.evidence.length > 0, 'no evidence']]);
  for (const evidence of message.evidence) checkEvidence(evidence);
}
