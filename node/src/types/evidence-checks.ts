/**
 * What evidence must be on its own, before any state is known.
 *
 * Upholds: checked evidence has all its parts; its votes are well formed and in the one order that
 * is allowed, so the same misbehaviour has one form.
 * Absent here: what happened on this chain (verify-evidence.ts).
 * Spec: CometBFT 0.38.25 types/evidence.go, ValidateBasic.
 *
 * @module
 */
import { compareBytes, concatBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type BlockId, partSetHeaderCodec } from './block-id.ts';
import type { DuplicateVote, Evidence, LightClientAttack } from './evidence.ts';
import { type LightBlock, lightBlockFromWire } from './light-block.ts';
import { type Vote, wellFormedVote } from './vote.ts';

/** Refusals of evidence by its form. */
export const errors: { readonly Malformed: ErrorSpec<{ readonly reason: string }> } = {
  Malformed: errorSpec('evidence', 1, 'peer', (p) => `malformed evidence: ${p.reason}`),
};

function refuse(reason: string): never {
  throw new LedgerError(errors.Malformed, { reason });
}

/** The bytes by which CometBFT orders the two votes of a pair. */
export function blockIdOrder(id: BlockId): Uint8Array {
  return concatBytes(id.hash, partSetHeaderCodec.encode(id.partSetHeader));
}

/** The two votes of well-formed evidence. @throws LedgerError evidence/1 */
export function checkDuplicateVote(evidence: DuplicateVote): {
  readonly voteA: Vote;
  readonly voteB: Vote;
} {
  const { voteA, voteB } = evidence;
  if (voteA === undefined || voteB === undefined) return refuse('a vote is missing');
  if (!wellFormedVote(voteA) || !wellFormedVote(voteB)) refuse('a vote is not well formed');
  if (compareBytes(blockIdOrder(voteA.blockId), blockIdOrder(voteB.blockId)) >= 0) {
    refuse('the votes are the same or in the wrong order');
  }
  return { voteA, voteB };
}

/**
 * The conflicting block of a well-formed attack.
 *
 * @throws LedgerError evidence/1, or what `lightBlockFromWire` throws
 */
export function checkLightClientAttack(attack: LightClientAttack): LightBlock {
  const { conflictingBlock, commonHeight, totalPower } = attack;
  if (conflictingBlock === undefined) return refuse('the conflicting block is missing');
  if (totalPower <= 0n) refuse('the total power is not above 0');
  if (commonHeight <= 0) refuse('the common height is not above 0');
  const block = lightBlockFromWire(conflictingBlock);
  if (commonHeight > block.header.height) refuse('the common height is above the block');
  return block;
}

/** @throws LedgerError evidence/1, or what `lightBlockFromWire` throws */
export function checkEvidence(evidence: Evidence): void {
  if (evidence.kind === 'duplicateVote') checkDuplicateVote(evidence.value);
  else checkLightClientAttack(evidence.value);
}
