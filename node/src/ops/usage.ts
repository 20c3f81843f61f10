/**
 * Wrong usage: what a user typed can never work, whatever the chain says.
 *
 * Upholds: a command that ends in it has done nothing, and its exit code is 2.
 *
 * @module
 */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { decodeBech32 } from '../base/bech32.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** Refusals of arguments and options. */
export const errors: { readonly Usage: ErrorSpec<{ readonly reason: string }> } = {
  Usage: errorSpec('usage', 1, 'client', (p) => p.reason),
};

/** @throws LedgerError usage/1: a sentence that says what is wrong and what to type instead */
export function wrongUsage(reason: string, cause?: unknown): never {
  throw new LedgerError(errors.Usage, { reason }, cause);
}

const ADDRESS_BYTES = 20;

/** Whether a text is 0x and 40 hex digits. */
export function isEvmAddress(text: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(text);
}

/** Whether the case of an address's letters is its checksum, if it has both cases (EIP-55). */
function checksumHolds(address: string): boolean {
  const digits = address.slice(2);
  const lower = digits.toLowerCase();
  if (digits === lower || digits === digits.toUpperCase()) return true;
  const hash = toHex(keccak_256(utf8(lower)));
  return [...lower].every((digit, i) => {
    const upper = Number.parseInt(hash[i] ?? '0', 16) >= 8;
    return digits[i] === (upper ? digit.toUpperCase() : digit);
  });
}

/**
 * An account's address, bech32 or 0x, as a user typed it for `what`.
 *
 * @throws LedgerError usage/1
 */
export function checkAddress(text: string, what: string): string {
  if (decodeBech32(text)?.bytes.length === ADDRESS_BYTES) return text;
  if (!isEvmAddress(text)) {
    return wrongUsage(
      `${what}: "${text}" is no address; one looks like metatron1… with 38 more characters, or ` +
        '0x with 40 hex digits ("metatron keys list" shows yours, "metatron devnet" those of a ' +
        'devnet)',
    );
  }
  if (checksumHolds(text)) return text;
  return wrongUsage(
    `${what}: ${text} is mistyped: the case of its letters, which is their checksum (EIP-55), ` +
      'is of another address',
  );
}
