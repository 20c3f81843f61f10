/**
 * Applying a block that was fetched: what the next block's commit must prove first.
 *
 * Upholds: nothing is applied without the signatures of more than two thirds of the validators we
 * know to be its own. A block that they committed and that we find invalid is a defect, here or
 * there, and stops the node: to go on would be to fork.
 * Spec: CometBFT blocksync/reactor.go (processing of first and second).
 *
 * @module
 */
import { invariant, LedgerError } from '../base/errors.ts';
import type { Signers } from '../types/check-signature.ts';
import { EMPTY_COMMIT } from '../types/commit.ts';
import { checkCommit } from '../types/header-checks.ts';
import { verifyCommit } from '../types/verify-commit.ts';
import { wholeBlockOf } from './collector.ts';
import type { Driver } from './driver.ts';
import type { Executor } from './executor.ts';
import type { BlockPair } from './sync.ts';

/**
 * Applies the first of two blocks if the second's commit for it verifies.
 *
 * @param signers - the validators of the first block
 * @param commitVerified - whether the first block's own last commit was verified this way
 * @returns why its senders are to be dropped, if so
 */
export async function applyPair(
  { first, second }: BlockPair,
  signers: Signers,
  { executor, driver }: { readonly executor: Executor; readonly driver: Driver },
  commitVerified: boolean,
): Promise<LedgerError | undefined> {
  const whole = wholeBlockOf(first);
  const commit = second.lastCommit ?? EMPTY_COMMIT;
  const { height } = first.header;
  try {
    checkCommit(commit);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
  const verdict = await verifyCommit(signers, whole.blockId, height, commit);
  if (verdict !== undefined) return verdict;
  const refusal = await executor.judge(whole, commitVerified);
  invariant(
    refusal === undefined,
    `what two thirds committed at height ${height} is valid here: ${refusal?.message}`,
  );
  await driver.applySynced(whole, commit);
  return undefined;
}
