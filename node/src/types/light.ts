/**
 * The light client's step: from a header that is trusted to one that is not yet.
 *
 * Upholds: a header is trusted only if more than two thirds of its own validators signed it, and
 * either the trusted header names these validators or enough of its next ones signed it too, all
 * within the time in which they can be held to account.
 * Absent here: providers, bisection, storage.
 * Spec: CometBFT 0.38.25 light/verifier.go; spec/light-client/verification.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { afterwards, type CheckSignature, type Eventually } from './check-signature.ts';
import type { SignedHeader } from './commit.ts';
import { checkSignedHeader, type LightBlock } from './light-block.ts';
import { formatTime, type Time } from './time.ts';
import type { ValidatorSet } from './validators.ts';
import {
  errors as commitErrors,
  ONE_THIRD,
  type TrustLevel,
  verifyCommitLight,
  verifyCommitTrusting,
} from './verify-commit.ts';

/** Refusals of a light client's step; `light-block.ts` has the first four of this space. */
export const errors: {
  readonly Expired: ErrorSpec<{ readonly at: string }>;
  readonly NotNewer: ErrorSpec<{ readonly reason: string }>;
  readonly FromFuture: ErrorSpec<{ readonly time: string }>;
  readonly OtherValidators: ErrorSpec<Record<never, never>>;
  readonly NotTrusted: ErrorSpec<{ readonly power: bigint; readonly needed: bigint }>;
  readonly BadTrustLevel: ErrorSpec<{ readonly level: string }>;
} = {
  Expired: errorSpec('light', 5, 'client', (p) => `the trusted header expired at ${p.at}`),
  NotNewer: errorSpec('light', 6, 'peer', (p) => `the header is not newer in ${p.reason}`),
  FromFuture: errorSpec('light', 7, 'peer', (p) => `the header is from the future: ${p.time}`),
  OtherValidators: errorSpec(
    'light',
    8,
    'peer',
    () => 'the trusted header names other validators for this height',
  ),
  NotTrusted: errorSpec(
    'light',
    9,
    'peer',
    (p) => `trusted power ${p.power} signed, less than the needed ${p.needed}: try one between`,
  ),
  BadTrustLevel: errorSpec('light', 10, 'client', (p) => `trust level ${p.level} is not 1/3 … 1`),
};

/** Most time, in nanoseconds, by which a header may be ahead of the client's clock: 10 s. */
const MAX_CLOCK_DRIFT: Time = 10_000_000_000n;

/** How long a header is trusted by default, in nanoseconds: 168 h. */
const TRUSTING_PERIOD: Time = 604_800_000_000_000n;

/** What a light client trusts already: a header, and who signs the next one. */
export type Trusted = {
  readonly header: SignedHeader['header'];
  readonly nextValidators: ValidatorSet;
};

/** How a light client decides. Times in nanoseconds. */
export type LightPolicy = {
  readonly chainId: string;
  readonly check: CheckSignature;
  readonly now: Time;
  readonly trustingPeriod: Time;
  readonly maxClockDrift: Time;
  readonly trustLevel: TrustLevel;
};

/** Why a step is refused, if it is; a promise only if a signature check gave one. */
export type LightVerdict = Eventually<LedgerError | undefined>;

/** A policy with CometBFT's defaults. */
export function lightPolicy(
  required: Pick<LightPolicy, 'chainId' | 'check' | 'now'>,
  changes: Partial<LightPolicy> = {},
): LightPolicy {
  return {
    trustingPeriod: TRUSTING_PERIOD,
    maxClockDrift: MAX_CLOCK_DRIFT,
    trustLevel: ONE_THIRD,
    ...required,
    ...changes,
  };
}

/** Whether a header is no longer trusted at `now`. */
function hasExpired(headerTime: Time, trustingPeriod: Time, now: Time): boolean {
  return headerTime + trustingPeriod <= now;
}

function checkStep(policy: LightPolicy, trusted: Trusted, next: LightBlock): void {
  const { now, trustingPeriod, maxClockDrift } = policy;
  const { height, time } = trusted.header;
  if (hasExpired(time, trustingPeriod, now)) {
    throw new LedgerError(errors.Expired, { at: formatTime(time + trustingPeriod) });
  }
  checkSignedHeader(policy.chainId, next);
  if (next.header.height <= height) throw new LedgerError(errors.NotNewer, { reason: 'height' });
  if (next.header.time <= time) throw new LedgerError(errors.NotNewer, { reason: 'time' });
  if (next.header.time >= now + maxClockDrift) {
    throw new LedgerError(errors.FromFuture, { time: formatTime(next.header.time) });
  }
}

function ownCommit(policy: LightPolicy, next: LightBlock): LightVerdict {
  const { chainId, check } = policy;
  const signers = { chainId, check, validators: next.validators };
  return verifyCommitLight(signers, next.commit.blockId, next.header.height, next.commit);
}

function verifyAdjacent(policy: LightPolicy, trusted: Trusted, next: LightBlock): LightVerdict {
  if (!equalBytes(next.header.validatorsHash, trusted.header.nextValidatorsHash)) {
    return new LedgerError(errors.OtherValidators, {});
  }
  return ownCommit(policy, next);
}

function verifySkipping(policy: LightPolicy, trusted: Trusted, next: LightBlock): LightVerdict {
  const { chainId, check, trustLevel } = policy;
  const signers = { chainId, check, validators: trusted.nextValidators };
  return afterwards(verifyCommitTrusting(signers, next.commit, trustLevel), (refused) =>
    LedgerError.is(refused, commitErrors.TooLittlePower)
      ? new LedgerError(errors.NotTrusted, refused.params)
      : refused,
  );
}

/**
 * Checks the next header by a trusted one: the adjacent one by the validators that the trusted
 * header names, a later one by the part of them that signed it.
 *
 * @param next - a light block that `lightBlockFromWire` made, so consistent in itself
 * @returns why it is refused, if it is; light/9 asks for a header between the two
 */
export function verifyLightStep(
  policy: LightPolicy,
  trusted: Trusted,
  next: LightBlock,
): LightVerdict {
  const { numerator, denominator } = policy.trustLevel;
  if (numerator * 3n < denominator || numerator > denominator || denominator <= 0n) {
    return new LedgerError(errors.BadTrustLevel, { level: `${numerator}/${denominator}` });
  }
  try {
    checkStep(policy, trusted, next);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
  if (next.header.height === trusted.header.height + 1)
    return verifyAdjacent(policy, trusted, next);
  const skipped = verifySkipping(policy, trusted, next);
  if (skipped instanceof Promise) {
    return skipped.then((refused) => refused ?? ownCommit(policy, next));
  }
  return skipped ?? ownCommit(policy, next);
}
