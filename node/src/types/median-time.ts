/**
 * BFT time: the block time that a commit determines.
 *
 * Upholds: the median lies within the times that validators with more than two thirds of the power
 * reported, so no third can move it alone. Votes for nil count, as in CometBFT up to 0.39.
 * Spec: CometBFT types/time/time.go and state/state.go (MedianTime), 0.38.25.
 *
 * @module
 */
import { toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { BLOCK_ID_FLAG, type Commit } from './commit.ts';
import type { Time } from './time.ts';
import type { ValidatorSet } from './validators.ts';

/** Refusals of a median. */
export const errors: {
  readonly UnknownSigner: ErrorSpec<{ readonly address: string }>;
  readonly NoSignatures: ErrorSpec<Record<never, never>>;
} = {
  UnknownSigner: errorSpec('time', 1, 'peer', (p) => `signer ${p.address} is not a validator`),
  NoSignatures: errorSpec(
    'time',
    2,
    'peer',
    () => 'the commit has no signatures to take time from',
  ),
};

/**
 * The weighted median of a commit's timestamps: what the next block's time must be.
 *
 * @throws LedgerError time/1 or time/2 if the commit is not one of `validators`
 */
export function medianTime(commit: Commit, validators: ValidatorSet): Time {
  const powers = new Map(validators.validators.map((v) => [toHex(v.address), v.power]));
  const votes = commit.signatures
    .filter((sig) => sig.blockIdFlag !== BLOCK_ID_FLAG.absent)
    .map(({ timestamp, validatorAddress }) => {
      const address = toHex(validatorAddress);
      const power = powers.get(address);
      if (power === undefined) throw new LedgerError(errors.UnknownSigner, { address });
      return { timestamp, power };
    })
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0));
  let rest = votes.reduce((sum, vote) => sum + vote.power, 0n) / 2n;
  for (const { timestamp, power } of votes) {
    if (rest <= power) return timestamp;
    rest -= power;
  }
  throw new LedgerError(errors.NoSignatures, {});
}
