/**
 * Accounts as people hold them: a mnemonic, the secp256k1 key under it, and its two faces.
 *
 * Upholds: keys come from BIP-39 phrases of 24 words and BIP-32 paths of Cosmos
 * (m/44'/118'/0'/0/0), so that wallets and CosmJS give the same account.
 * The one place that names ethers for key derivation.
 * Spec: BIP-39, BIP-32, BIP-173; EIP-55.
 *
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { computeAddress, HDNodeWallet, Mnemonic, randomBytes } from 'ethers';
import { encodeBech32 } from '../base/bech32.ts';
import { fromHex, toBase64, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { hash160 } from '../base/hash.ts';

/** Refusals of keys that a user hands in. */
export const errors: {
  readonly BadMnemonic: ErrorSpec<object>;
  readonly BadPrivateKey: ErrorSpec<object>;
  readonly BadPath: ErrorSpec<{ readonly hdPath: string }>;
} = {
  BadMnemonic: errorSpec(
    'accounts',
    1,
    'client',
    () => 'not a BIP-39 mnemonic: check the words and their order',
  ),
  BadPrivateKey: errorSpec('accounts', 2, 'client', () => 'not a secp256k1 key: 64 hex digits'),
  BadPath: errorSpec(
    'accounts',
    3,
    'client',
    (p) => `${p.hdPath} is not a derivation path such as m/44'/118'/0'/0/0`,
  ),
};

/** The path of a Cosmos account. */
export const DEFAULT_HD_PATH = "m/44'/118'/0'/0/0";

/** An account with its secrets; `mnemonic` and `hdPath` are empty for an imported raw key. */
export type SecretAccount = {
  readonly name: string;
  readonly address: string;
  readonly evmAddress: string;
  readonly mnemonic: string;
  readonly hdPath: string;
  /** 64 hex digits without 0x, in lower case. */
  readonly privateKey: string;
};

/** The bech32 address of a compressed public key. */
export function accountAddress(publicKey: Uint8Array, prefix: string): string {
  return encodeBech32(prefix, hash160(publicKey));
}

/** The compressed public key of an account, in base64. */
export function publicKeyText({ privateKey }: SecretAccount): string {
  const secret = present(fromHex(privateKey), 'private key');
  return toBase64(secp256k1.getPublicKey(secret, true));
}

/** An account from a private key. @throws LedgerError accounts/2 */
export function accountFromKey(name: string, hex: string, prefix: string): SecretAccount {
  const secret = fromHex(hex.startsWith('0x') ? hex.slice(2) : hex);
  if (secret === undefined || !secp256k1.utils.isValidSecretKey(secret)) {
    throw new LedgerError(errors.BadPrivateKey, {});
  }
  const publicKey = secp256k1.getPublicKey(secret, true);
  return {
    name,
    address: accountAddress(publicKey, prefix),
    evmAddress: computeAddress(`0x${toHex(publicKey)}`),
    mnemonic: '',
    hdPath: '',
    privateKey: toHex(secret),
  };
}

/** An account from a phrase. @throws LedgerError accounts/1 or accounts/3 */
export function accountFromMnemonic(
  name: string,
  phrase: string,
  prefix: string,
  hdPath: string = DEFAULT_HD_PATH,
): SecretAccount {
  const mnemonic = phrase.trim().replace(/\s+/g, ' ');
  if (!Mnemonic.isValidMnemonic(mnemonic)) throw new LedgerError(errors.BadMnemonic, {});
  let wallet: HDNodeWallet;
  try {
    wallet = HDNodeWallet.fromPhrase(mnemonic, '', hdPath);
  } catch (cause) {
    throw new LedgerError(errors.BadPath, { hdPath }, cause);
  }
  return { ...accountFromKey(name, wallet.privateKey, prefix), mnemonic, hdPath };
}

/** A new random account. */
export function createAccount(name: string, prefix: string): SecretAccount {
  const mnemonic = Mnemonic.fromEntropy(randomBytes(32)).phrase;
  return accountFromMnemonic(name, mnemonic, prefix);
}
