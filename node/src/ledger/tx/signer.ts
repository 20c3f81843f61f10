/**
 * Who signed: public keys of signers, plain and multisig, and the check of their signatures.
 *
 * Upholds: a key is accepted for an account only if the account's id derives from it. A multisig
 * needs its threshold, and each of its signatures must be valid.
 * Absent here: other key types; they are refused by code 8.
 * Spec: Cosmos SDK 0.50 x/auth/ante/sigverify.go, crypto/keys/multisig; amino key encoding.
 *
 * @module
 */
import { concatBytes, equalBytes, latin1 } from '../../base/bytes.ts';
import { hash160, sha256Truncated } from '../../base/hash.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import type { Account } from '../auth/accounts.ts';
import { errors, refuse } from '../errors.ts';
import type { DecodedTx } from './decode.ts';
import { decodeCosmos } from './decode.ts';
import { type SignerData, signDigest } from './sign-docs.ts';
import type { Signatures, SignerKey } from './signatures.ts';
import {
  type Any,
  anyCodec,
  type BitArray,
  type Multi,
  multiSignatureCodec,
  multisigKeyCodec,
  pubKeyCodec,
  SIGN_MODE,
} from './wire.ts';

/** Type URLs of public keys. */
export const SECP256K1_URL = '/cosmos.crypto.secp256k1.PubKey';
export const MULTISIG_URL = '/cosmos.crypto.multisig.LegacyAminoPubKey';

const SECP256K1_BYTES = 33;
/** A PubKey message: tag, length, key. */
const PLAIN_KEY_BYTES = 2 + SECP256K1_BYTES;
/** Amino prefixes: of a multisig, and of a secp256k1 key with its length. */
const AMINO_MULTISIG = Uint8Array.of(0x22, 0xc1, 0xf7, 0xe2);
const AMINO_SECP256K1 = Uint8Array.of(0xeb, 0x5a, 0xe9, 0x87, SECP256K1_BYTES);

/** What signatures are checked with. */
export type Checker = {
  readonly mode: 'execute' | 'check' | 'simulate';
  readonly chainId: string;
  readonly addresses: Addresses;
  readonly signatures: Signatures;
};

/** The id of the account that `key` controls. */
function keyAccountId(key: Pick<SignerKey, 'keys' | 'threshold'>): AccountId {
  if (key.threshold === 0) return hash160(key.keys[0] as Uint8Array);
  const parts = key.keys.flatMap((k) => [
    Uint8Array.of(0x12, AMINO_SECP256K1.length + SECP256K1_BYTES),
    AMINO_SECP256K1,
    k,
  ]);
  return sha256Truncated(concatBytes(AMINO_MULTISIG, Uint8Array.of(0x08, key.threshold), ...parts));
}

function plainKey(any: Any): Uint8Array {
  if (any.typeUrl !== SECP256K1_URL) {
    return refuse(errors.InvalidPubKey, `unrecognized public key type: ${any.typeUrl}`);
  }
  const { key } = decodeCosmos(pubKeyCodec, any.value);
  if (key.length === SECP256K1_BYTES) return key;
  return refuse(errors.InvalidPubKey, `secp256k1 key of ${key.length} bytes`);
}

/** Reads a public key. @throws LedgerError sdk/8 if it is of no known kind */
export function readKey(any: Any): SignerKey {
  if (any.typeUrl !== MULTISIG_URL) {
    return { any, signatures: 1, keys: [plainKey(any)], threshold: 0 };
  }
  const { threshold, publicKeys } = decodeCosmos(multisigKeyCodec, any.value);
  const keys = publicKeys.map(plainKey);
  if (threshold === 0 || threshold > keys.length) {
    return refuse(errors.InvalidPubKey, `threshold ${threshold} of ${keys.length} keys`);
  }
  return { any, signatures: keys.length, keys, threshold };
}

/** A key and the id of the account that it controls. */
type OwnedKey = SignerKey & { readonly id: AccountId };

/** Most keys that are remembered. */
const MAX_KEYS = 10_000;
const ownedKeys = new Map<string, OwnedKey>();

/** A key's id takes as long as the rest of a transaction; answers are remembered. */
function ownedKey(any: Any): OwnedKey {
  const plain = any.typeUrl === SECP256K1_URL && any.value.length === PLAIN_KEY_BYTES;
  const name = plain ? latin1(any.value) : undefined;
  const known = name === undefined ? undefined : ownedKeys.get(name);
  if (known !== undefined) return known;
  // The bytes of a transaction are not kept for its key.
  const key = readKey({ typeUrl: any.typeUrl, value: any.value.slice() });
  const owned = { ...key, id: keyAccountId(key) };
  if (name !== undefined) {
    if (ownedKeys.size >= MAX_KEYS) ownedKeys.clear();
    ownedKeys.set(name, owned);
  }
  return owned;
}

/**
 * The key of signer `index`: as it came with the transaction, else as the account knows it.
 *
 * @throws LedgerError sdk/8 if there is none, or it is not the account's
 */
export function signerKey(
  stored: Uint8Array,
  given: Any | undefined,
  signer: AccountId,
  checker: Checker,
  index: number,
): SignerKey {
  if (given === undefined && stored.length === 0) {
    if (checker.mode === 'simulate') return { any: given, signatures: 1, keys: [], threshold: 0 };
    return refuse(errors.InvalidPubKey, 'pubkey on account is not set');
  }
  const key = ownedKey(given ?? anyCodec.decode(stored));
  if (equalBytes(key.id, signer)) return key;
  const text = checker.addresses.text(signer);
  const reason = `pubKey does not match signer address ${text} with signer index: ${index}`;
  return refuse(errors.InvalidPubKey, reason);
}

/** The key of signer `index`, if it is known to have signed, by this very account. */
export function knownSigner(
  tx: DecodedTx,
  index: number,
  account: Pick<Account, 'number' | 'publicKey'>,
): SignerKey | undefined {
  const known = tx.signed[index];
  if (known === undefined || known.accountNumber !== account.number) return undefined;
  return equalBytes(known.stored, account.publicKey) ? known.key : undefined;
}

/** @throws LedgerError sdk/4 unless signer `index` signed the transaction */
export function verifySigner(
  checker: Checker,
  tx: DecodedTx,
  index: number,
  key: SignerKey,
  account: Pick<Account, 'number' | 'publicKey'>,
): void {
  const info = tx.authInfo.signerInfos[index];
  const signature = tx.raw.signatures[index];
  const { single, multi } = info?.modeInfo ?? { single: undefined, multi: undefined };
  const sequence = tx.sequences[index] ?? 0;
  const signer = { chainId: checker.chainId, accountNumber: account.number, sequence };
  const wanted = key.threshold === 0 ? single : multi;
  if (signature === undefined || wanted === undefined || (single && multi)) {
    refuse(errors.Unauthorized, 'signature mode does not fit the public key');
  }
  const valid =
    key.threshold === 0
      ? checker.signatures.valid(
          key.keys[0] as Uint8Array,
          signDigest(tx, single?.mode ?? SIGN_MODE.unspecified, signer),
          signature,
          !tx.kept,
        )
      : validMultisig(checker, tx, key, multi as Multi, signature, signer);
  if (!valid) refuse(errors.Unauthorized, failure(single?.mode, signer));
  tx.signed[index] = { accountNumber: account.number, stored: account.publicKey, key };
}

/**
 * Checks the signatures of a transaction whose accounts are known, and remembers the valid ones.
 *
 * @throws LedgerError what `verifySigner` throws for the first that is not valid
 */
export function verifySigners(
  checker: Checker,
  tx: DecodedTx,
  accountOf: (id: AccountId) => Account | undefined,
): void {
  for (const [i, signer] of tx.signers.entries()) {
    const account = accountOf(signer);
    if (account === undefined || knownSigner(tx, i, account) !== undefined) continue;
    const given = tx.authInfo.signerInfos[i]?.publicKey;
    const key = signerKey(account.publicKey, given, signer, checker, i);
    verifySigner(checker, tx, i, key, account);
  }
}

function failure(mode: number | undefined, signer: SignerData): string {
  const sequence = mode === SIGN_MODE.direct ? `, sequence (${signer.sequence})` : '';
  return (
    `signature verification failed; please verify account number (${signer.accountNumber})` +
    `${sequence} and chain-id (${signer.chainId})`
  );
}

function validMultisig(
  checker: Checker,
  tx: DecodedTx,
  key: SignerKey,
  multi: Multi,
  signature: Uint8Array,
  signer: SignerData,
): boolean {
  const { signatures } = decodeCosmos(multiSignatureCodec, signature);
  const signed = signingKeys(multi.bitarray, key.keys);
  if (signed === undefined || signed.length < key.threshold) return false;
  if (signatures.length !== signed.length || multi.modeInfos.length !== signed.length) return false;
  const digests = new Map<number, Uint8Array>();
  return signed.every((publicKey, i) => {
    const mode = multi.modeInfos[i]?.single?.mode ?? SIGN_MODE.unspecified;
    const digest = digests.get(mode) ?? signDigest(tx, mode, signer);
    digests.set(mode, digest);
    return checker.signatures.valid(publicKey, digest, signatures[i] as Uint8Array, !tx.kept);
  });
}

function signingKeys(
  bits: BitArray | undefined,
  keys: readonly Uint8Array[],
): readonly Uint8Array[] | undefined {
  if (bits === undefined) return undefined;
  const { extraBitsStored, elems } = bits;
  const size = extraBitsStored === 0 ? elems.length * 8 : (elems.length - 1) * 8 + extraBitsStored;
  if (size !== keys.length) return undefined;
  return keys.filter((_, i) => ((elems[i >> 3] as number) >> (7 - (i % 8))) & 1);
}
