/**
 * Light blocks: a header, the commit that makes it final, and the validators who signed it.
 *
 * Upholds: a `LightBlock` is consistent in itself: its commit is for its header, and its header
 * names its validators. Nothing about signatures is said yet.
 * Absent here: trust (light.ts).
 * Spec: CometBFT 0.38.25 types/light.go, ValidateBasic of LightBlock and SignedHeader.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { SignedHeader } from './commit.ts';
import type { WireLightBlock } from './evidence.ts';
import { headerHash } from './header.ts';
import { checkCommit, checkHeader } from './header-checks.ts';
import { type ValidatorSet, validatorSetFromWire, validatorsHash } from './validators.ts';

/** A final header with its signers. */
export type LightBlock = SignedHeader & { readonly validators: ValidatorSet };

/** Refusals of light blocks by their form. */
export const errors: {
  readonly Incomplete: ErrorSpec<{ readonly missing: string }>;
  readonly WrongChain: ErrorSpec<{ readonly chainId: string; readonly expected: string }>;
  readonly WrongCommit: ErrorSpec<{ readonly reason: string }>;
  readonly WrongValidators: ErrorSpec<Record<never, never>>;
} = {
  Incomplete: errorSpec('light', 1, 'peer', (p) => `the light block has no ${p.missing}`),
  WrongChain: errorSpec(
    'light',
    2,
    'peer',
    (p) => `the header is of chain ${p.chainId}, not ${p.expected}`,
  ),
  WrongCommit: errorSpec('light', 3, 'peer', (p) => `the commit is for another ${p.reason}`),
  WrongValidators: errorSpec(
    'light',
    4,
    'peer',
    () => 'the header does not name the validators of the light block',
  ),
};

/**
 * Checks that a header and its commit belong together.
 *
 * @throws LedgerError light/2, light/3, block/1, block/2 or block/3
 */
export function checkSignedHeader(chainId: string, { header, commit }: SignedHeader): void {
  checkHeader(header);
  checkCommit(commit);
  if (header.chainId !== chainId) {
    throw new LedgerError(errors.WrongChain, { chainId: header.chainId, expected: chainId });
  }
  if (commit.height !== header.height) {
    throw new LedgerError(errors.WrongCommit, { reason: 'height' });
  }
  if (!equalBytes(commit.blockId.hash, headerHash(header))) {
    throw new LedgerError(errors.WrongCommit, { reason: 'block' });
  }
}

/**
 * The light block that a wire value stands for; by default its own chain id is as good as any.
 *
 * @throws LedgerError light/1 … light/4, block/1 … block/3, validators/1
 */
export function lightBlockFromWire(wire: WireLightBlock, chainId?: string): LightBlock {
  const { header, commit } = wire.signedHeader ?? {};
  if (header === undefined) throw new LedgerError(errors.Incomplete, { missing: 'header' });
  if (commit === undefined) throw new LedgerError(errors.Incomplete, { missing: 'commit' });
  if (wire.validatorSet === undefined) {
    throw new LedgerError(errors.Incomplete, { missing: 'validators' });
  }
  checkSignedHeader(chainId ?? header.chainId, { header, commit });
  const validators = validatorSetFromWire(wire.validatorSet);
  if (!equalBytes(validatorsHash(validators), header.validatorsHash)) {
    throw new LedgerError(errors.WrongValidators, {});
  }
  return { header, commit, validators };
}
