/**
 * What a block must be on its own, before any state is known.
 *
 * Upholds: a checked block's header commits to its transactions, evidence and last commit.
 * Absent here: comparison with the state (engine), signatures (verify-commit.ts).
 * Spec: CometBFT 0.38.25 types/block.go, Block.ValidateBasic.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type Block, dataHash } from './block.ts';
import { commitHash } from './commit.ts';
import { evidenceListHash } from './evidence.ts';
import { checkEvidence } from './evidence-checks.ts';
import { checkCommit, checkHeader } from './header-checks.ts';

/** Refusals of blocks by their form; `header-checks.ts` has the first three of this space. */
export const errors: {
  readonly NoLastCommit: ErrorSpec<Record<never, never>>;
  readonly WrongLastCommitHash: ErrorSpec<Record<never, never>>;
  readonly WrongDataHash: ErrorSpec<Record<never, never>>;
  readonly WrongEvidenceHash: ErrorSpec<Record<never, never>>;
} = {
  NoLastCommit: errorSpec('block', 4, 'peer', () => 'the block has no last commit'),
  WrongLastCommitHash: errorSpec(
    'block',
    5,
    'peer',
    () => 'the header does not name the last commit of the block',
  ),
  WrongDataHash: errorSpec(
    'block',
    6,
    'peer',
    () => 'the header does not name the transactions of the block',
  ),
  WrongEvidenceHash: errorSpec(
    'block',
    7,
    'peer',
    () => 'the header does not name the evidence of the block',
  ),
};

/**
 * Checks a block on its own.
 *
 * @throws LedgerError block/1 … block/7, or evidence/1 for evidence that is not well formed
 */
export function checkBlock(block: Block): void {
  const { header, lastCommit } = block;
  checkHeader(header);
  if (lastCommit === undefined) throw new LedgerError(errors.NoLastCommit, {});
  checkCommit(lastCommit);
  if (!equalBytes(header.lastCommitHash, commitHash(lastCommit))) {
    throw new LedgerError(errors.WrongLastCommitHash, {});
  }
  if (!equalBytes(header.dataHash, dataHash(block.data.txs))) {
    throw new LedgerError(errors.WrongDataHash, {});
  }
  for (const evidence of block.evidence.evidence) checkEvidence(evidence);
  if (!equalBytes(header.evidenceHash, evidenceListHash(block.evidence))) {
    throw new LedgerError(errors.WrongEvidenceHash, {});
  }
}
