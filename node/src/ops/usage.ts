/**
 * Wrong usage: what a user typed can never work, whatever the chain says.
 *
 * Upholds: a command that ends in it has done nothing, and its exit code is 2.
 *
 * @module
 */
import { decodeBech32 } from '../base/bech32.ts';
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

/** An account's address, as a user typed it for `what`. @throws LedgerError usage/1 */
export function checkAddress(text: string, what: string): string {
  if (decodeBech32(text)?.bytes.length === ADDRESS_BYTES) return text;
  return wrongUsage(
    `${what}: "${text}" is no address; one looks like metatron1… with 38 more characters ` +
      '("metatron keys list" shows yours, "metatron devnet" those of a devnet)',
  );
}
