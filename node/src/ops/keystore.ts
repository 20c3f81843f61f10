/**
 * The encrypted keystore: one file per key, each under its own passphrase.
 *
 * Upholds: secrets are encrypted with XChaCha20-Poly1305 under a key that scrypt (N 2^15, r 8, p 1)
 * makes from the passphrase and a fresh salt; name and address are bound as associated data, so a
 * file cannot be passed off as another. Files have mode 0600. A name is checked before it becomes
 * part of a path. Absent here: agents, caches of passphrases.
 * Spec: RFC 7914 (scrypt); draft-irtf-cfrg-xchacha-03.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { fromBase64, fromUtf8, toBase64, utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { SecretAccount } from './accounts.ts';
import { makeFolder, writeWhole } from './home.ts';

/** Refusals of the keystore. */
export const errors: {
  readonly BadName: ErrorSpec<{ readonly name: string }>;
  readonly Exists: ErrorSpec<{ readonly name: string }>;
  readonly Missing: ErrorSpec<{ readonly name: string; readonly folder: string }>;
  readonly WrongPassphrase: ErrorSpec<{ readonly name: string }>;
  readonly Damaged: ErrorSpec<{ readonly file: string }>;
  readonly Weak: ErrorSpec<object>;
} = {
  BadName: errorSpec(
    'keystore',
    1,
    'client',
    (p) => `"${p.name}" is no key name: use 1 to 64 of a-z A-Z 0-9 . _ -`,
  ),
  Exists: errorSpec(
    'keystore',
    2,
    'client',
    (p) => `there is a key "${p.name}" already: choose another name or delete it first`,
  ),
  Missing: errorSpec(
    'keystore',
    3,
    'client',
    (p) => `no key "${p.name}" in ${p.folder}: "metatron keys list" shows what there is`,
  ),
  WrongPassphrase: errorSpec(
    'keystore',
    4,
    'client',
    (p) => `the passphrase of "${p.name}" is not that`,
  ),
  Damaged: errorSpec('keystore', 5, 'client', (p) => `${p.file} is not a key file, or is damaged`),
  Weak: errorSpec('keystore', 6, 'client', () => 'a passphrase has at least 8 characters'),
};

/** What a key file shows without its passphrase. */
export type PublicAccount = Pick<SecretAccount, 'name' | 'address' | 'evmAddress'>;

type Sealed = PublicAccount & {
  readonly version: 1;
  readonly scrypt: { readonly n: number; readonly r: number; readonly p: number; salt: string };
  readonly nonce: string;
  readonly ciphertext: string;
};

const COST = { n: 32_768, r: 8, p: 1 } as const;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;

function fileOf(folder: string, name: string): string {
  if (!NAME.test(name) || name.startsWith('.')) throw new LedgerError(errors.BadName, { name });
  return join(folder, `${name}.json`);
}

function boundText(account: PublicAccount): Uint8Array {
  return utf8(`metatron-key-1\n${account.name}\n${account.address}\n${account.evmAddress}`);
}

function derive(passphrase: string, salt: Uint8Array): Promise<Uint8Array> {
  return scryptAsync(utf8(passphrase.normalize('NFKC')), salt, {
    N: COST.n,
    r: COST.r,
    p: COST.p,
    dkLen: 32,
  });
}

/** Encrypts an account into the keystore. @throws LedgerError keystore/1, /2 or /6 */
export async function saveAccount(
  folder: string,
  account: SecretAccount,
  passphrase: string,
): Promise<void> {
  const file = fileOf(folder, account.name);
  if (existsSync(file)) throw new LedgerError(errors.Exists, { name: account.name });
  if ([...passphrase].length < 8) throw new LedgerError(errors.Weak, {});
  const salt = new Uint8Array(randomBytes(16));
  const nonce = new Uint8Array(randomBytes(24));
  const secret = utf8(
    JSON.stringify({
      mnemonic: account.mnemonic,
      hdPath: account.hdPath,
      privateKey: account.privateKey,
    }),
  );
  const key = await derive(passphrase, salt);
  const sealed: Sealed = {
    version: 1,
    name: account.name,
    address: account.address,
    evmAddress: account.evmAddress,
    scrypt: { ...COST, salt: toBase64(salt) },
    nonce: toBase64(nonce),
    ciphertext: toBase64(xchacha20poly1305(key, nonce, boundText(account)).encrypt(secret)),
  };
  makeFolder(folder);
  writeWhole(file, `${JSON.stringify(sealed, null, 2)}\n`, 0o600);
}

function readSealed(file: string): Sealed {
  const damaged = new LedgerError(errors.Damaged, { file });
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) throw damaged;
    throw cause;
  }
  const sealed = value as Partial<Sealed> | null;
  const texts = [sealed?.name, sealed?.address, sealed?.evmAddress, sealed?.nonce];
  const whole =
    sealed?.version === 1 &&
    [...texts, sealed.ciphertext, sealed.scrypt?.salt].every((t) => typeof t === 'string') &&
    sealed.scrypt?.n === COST.n &&
    sealed.scrypt.r === COST.r &&
    sealed.scrypt.p === COST.p;
  if (!whole) throw damaged;
  return sealed as Sealed;
}

function existing(folder: string, name: string): string {
  const file = fileOf(folder, name);
  if (!existsSync(file)) throw new LedgerError(errors.Missing, { name, folder });
  return file;
}

/** What a key's file shows. @throws LedgerError keystore/1, /3 or /5 */
export function showAccount(folder: string, name: string): PublicAccount {
  const { address, evmAddress } = readSealed(existing(folder, name));
  return { name, address, evmAddress };
}

/** Every key, by name. */
export function listAccounts(folder: string): readonly PublicAccount[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => showAccount(folder, file.slice(0, -'.json'.length)));
}

/** Decrypts a key. @throws LedgerError keystore/1, /3, /4 or /5 */
export async function openAccount(
  folder: string,
  name: string,
  passphrase: string,
): Promise<SecretAccount> {
  const file = existing(folder, name);
  const sealed = readSealed(file);
  const salt = fromBase64(sealed.scrypt.salt);
  const nonce = fromBase64(sealed.nonce);
  const ciphertext = fromBase64(sealed.ciphertext);
  if (salt === undefined || nonce?.length !== 24 || ciphertext === undefined) {
    throw new LedgerError(errors.Damaged, { file });
  }
  const key = await derive(passphrase, salt);
  const shown = { name, address: sealed.address, evmAddress: sealed.evmAddress };
  let text: string | undefined;
  try {
    text = fromUtf8(xchacha20poly1305(key, nonce, boundText(shown)).decrypt(ciphertext));
  } catch {
    throw new LedgerError(errors.WrongPassphrase, { name });
  }
  const secret = JSON.parse(text ?? '{}') as Omit<SecretAccount, keyof PublicAccount>;
  return { ...shown, ...secret };
}

/** Deletes a key. @throws LedgerError keystore/1 or /3 */
export function deleteAccount(folder: string, name: string): void {
  rmSync(existing(folder, name));
}
