/**
 * The part that all proofs share: a record of the state, and why the chain vouches for it.
 *
 * record → ICS-23 proof → app hash in the header of the next height → commit → validators.
 *
 * Upholds: every byte of an anchor is checked; a changed bit makes it fail. All signatures of the
 * commit are verified, not only enough of them. The validators are the ones that the caller trusts.
 * JSON form: bytes are canonical base64, whole numbers are JSON numbers, powers decimal text.
 *
 * @module
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { equalBytes, fromBase64, toBase64 } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { Codec } from '../base/proto.ts';
import { type Commit, commitCodec } from '../types/commit.ts';
import { type Header, headerCodec } from '../types/header.ts';
import { checkSignedHeader } from '../types/light-block.ts';
import { verifyMembership } from '../types/proofs.ts';
import { createValidatorSet, type ValidatorSet, validatorsHash } from '../types/validators.ts';
import { verifyCommit } from '../types/verify-commit.ts';
import type { SimpleValidator } from './comet-json.ts';
import { broken, errors, malformed } from './errors.ts';

/** JSON of an anchor. */
export type AnchorJson = {
  readonly chainId: string;
  /** The state's height; `header` is of the next one. */
  readonly height: number;
  /** cosmos.ics23.v1.CommitmentProof of the record. */
  readonly stateProof: string;
  /** tendermint.types.Header and Commit. */
  readonly header: string;
  readonly commit: string;
  readonly validators: readonly { readonly publicKey: string; readonly power: string }[];
};

/** What a caller must know from elsewhere to check a proof: the chain, and who signs for it. */
export type Trusted = {
  readonly chainId: string;
  /** SHA-256 Merkle root over the validators, as headers carry it; `hashOfValidators` makes it. */
  readonly validatorsHash: Uint8Array;
};

/** Ed25519 by the rules of ZIP 215, as validators check each other. */
function checkSignature(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, key, { zip215: true });
  } catch {
    return false;
  }
}

function validatorSet(validators: readonly SimpleValidator[]): ValidatorSet {
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

/** Bytes of canonical base64. @throws LedgerError proof/1 */
export function bytesOf(value: unknown, part: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes ?? malformed(part);
}

/** `value` as an object with exactly these members. @throws LedgerError proof/1 */
export function exactly(
  value: unknown,
  names: readonly string[],
  part: string,
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed(part);
  const found = Object.keys(value).sort();
  if (found.join() !== [...names].sort().join()) malformed(`members of ${part}`);
  return value as Readonly<Record<string, unknown>>;
}

/** `value` as a list. @throws LedgerError proof/1 */
export function listOf(value: unknown, part: string): readonly unknown[] {
  return Array.isArray(value) ? value : malformed(part);
}

/** Builds the JSON of an anchor. */
export function anchorJson(
  height: number,
  stateProof: Uint8Array,
  header: Header,
  commit: Commit,
  validators: readonly SimpleValidator[],
): AnchorJson {
  return {
    chainId: header.chainId,
    height,
    stateProof: toBase64(stateProof),
    header: toBase64(headerCodec.encode(header)),
    commit: toBase64(commitCodec.encode(commit)),
    validators: validators.map(({ publicKey, power }) => ({
      publicKey: toBase64(publicKey),
      power: String(power),
    })),
  };
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
 * @returns the header that commits to it
 * @throws LedgerError proof/1 … proof/3
 */
export function verifyAnchor(
  json: unknown,
  key: Uint8Array,
  value: Uint8Array,
  trusted: Trusted,
): Header {
  const names = ['chainId', 'height', 'stateProof', 'header', 'commit', 'validators'];
  const anchor = exactly(json, names, 'anchor');
  const header = decoded(headerCodec, anchor['header'], 'header');
  const commit = decoded(commitCodec, anchor['commit'], 'commit');
  if (anchor['chainId'] !== trusted.chainId) untrusted(`chain id ${String(anchor['chainId'])}`);
  if (anchor['height'] !== header.height - 1) broken('height');
  const stateProof = bytesOf(anchor['stateProof'], 'stateProof');
  if (!verifyMembership(stateProof, header.appHash, key, value)) broken('stateProof');
  verifyHeader(header, commit, readValidators(anchor['validators']), trusted);
  return header;
}

function verifyHeader(
  header: Header,
  commit: Commit,
  listed: readonly SimpleValidator[],
  trusted: Trusted,
): void {
  try {
    checkSignedHeader(trusted.chainId, { header, commit });
    const validators = validatorSet(listed);
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
