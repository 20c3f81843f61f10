/**
 * The part that all proofs share: a record of the state, and why the chain vouches for it.
 *
 * record → ICS-23 proof → app hash in the header of the next height → commit → validators.
 *
 * Upholds: every byte of an anchor is checked; a changed bit makes it fail. All signatures of the
 * commit are verified, not only enough of them. The validators are the ones that the caller trusts.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { Codec } from '../base/proto.ts';
import type { Signed, SimpleValidator } from '../types/bundles.ts';
import { commitCodec } from '../types/commit.ts';
import { type Header, headerCodec } from '../types/header.ts';
import { checkSignedHeader } from '../types/light-block.ts';
import { verifyAbsence, verifyMembership } from '../types/proofs.ts';
import { createValidatorSet, type ValidatorSet, validatorsHash } from '../types/validators.ts';
import { verifyCommit } from '../types/verify-commit.ts';
import { bytesOf, exactly, listOf } from './bundle.ts';
import { broken, errors, malformed } from './errors.ts';

/** What a caller must know from elsewhere to check a proof: the chain, and who signs for it. */
export type Trusted = {
  readonly chainId: string;
  /** SHA-256 Merkle root over the validators, as headers carry it; `hashOfValidators` makes it. */
  readonly validatorsHash: Uint8Array;
};

/** Ed25519 by the rules of ZIP 215, as validators check each other. */
export function checkSignature(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return ed25519.verify(signature, message, key, { zip215: true });
  } catch {
    return false;
  }
}

/** The set of these validators. */
export function validatorSet(validators: readonly SimpleValidator[]): ValidatorSet {
  return createValidatorSet(
    validators.map(({ publicKey, power }) => ({
      publicKey: { type: 'ed25519', bytes: publicKey },
      power,
    })),
  );
}

/** What headers carry for these validators: 32 bytes. */
export function hashOfValidators(validators: readonly SimpleValidator[]): Uint8Array {
  return validatorsHash(validatorSet(validators));
}

function decoded<T>(codec: Codec<T>, value: unknown, part: string): T {
  try {
    return codec.decode(bytesOf(value, part));
  } catch (thrown) {
    if (thrown instanceof LedgerError) return malformed(`${part}: ${thrown.message}`);
    throw thrown;
  }
}

function readValidators(value: unknown): readonly SimpleValidator[] {
  return listOf(value, 'validators').map((item) => {
    const { publicKey, power } = exactly(item, ['publicKey', 'power'], 'validator');
    if (typeof power !== 'string' || !/^[1-9]\d{0,18}$/.test(power)) return malformed('power');
    return { publicKey: bytesOf(publicKey, 'publicKey'), power: BigInt(power) };
  });
}

/**
 * Checks that the chain's state at the anchor's height holds `value` under `key`.
 *
 * @param value - undefined: that it holds nothing there
 * @returns the header that commits to it
 * @throws LedgerError proof/1 … proof/3
 */
export function verifyAnchor(
  json: unknown,
  key: Uint8Array,
  value: Uint8Array | undefined,
  trusted: Trusted,
): Header {
  const names = ['chainId', 'height', 'stateProof', 'header', 'commit', 'validators'];
  const anchor = exactly(json, names, 'anchor');
  const header = decoded(headerCodec, anchor['header'], 'header');
  const commit = decoded(commitCodec, anchor['commit'], 'commit');
  const { chainId } = anchor;
  if (chainId !== trusted.chainId) untrusted(`it is of ${String(chainId)}, not ${trusted.chainId}`);
  if (anchor['height'] !== header.height - 1) broken('height');
  const stateProof = bytesOf(anchor['stateProof'], 'stateProof');
  const holds =
    value === undefined
      ? verifyAbsence(stateProof, header.appHash, key)
      : verifyMembership(stateProof, header.appHash, key, value);
  if (!holds) broken('stateProof');
  verifyHeader({ header, commit, validators: readValidators(anchor['validators']) }, trusted);
  return header;
}

/**
 * Checks every signature of a header's commit, and that the trusted validators made them.
 *
 * @throws LedgerError proof/2, proof/3
 */
export function verifyHeader(signed: Signed, trusted: Trusted): void {
  const { header, commit } = signed;
  try {
    checkSignedHeader(trusted.chainId, { header, commit });
    const validators = validatorSet(signed.validators);
    if (!equalBytes(validatorsHash(validators), header.validatorsHash)) broken('validators');
    if (!equalBytes(header.validatorsHash, trusted.validatorsHash)) {
      untrusted('other validators than the trusted ones');
    }
    const signers = { chainId: trusted.chainId, validators, check: checkSignature };
    const verdict = verifyCommit(signers, commit.blockId, header.height, commit);
    if (verdict !== undefined) broken(verdict instanceof Promise ? 'commit' : verdict.message);
  } catch (thrown) {
    if (!(thrown instanceof LedgerError) || thrown.space === 'proof') throw thrown;
    broken(`header and commit: ${thrown.message}`);
  }
}

function untrusted(reason: string): never {
  throw new LedgerError(errors.Untrusted, { reason });
}
