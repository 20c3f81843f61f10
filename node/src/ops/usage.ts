/**
 * Wrong usage: what a user typed can never work, whatever the chain says.
 *
 * Upholds: a command that ends in it has done nothing, and its exit code is 2.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** Refusals of arguments and options. */
export const errors: { readonly Usage: ErrorSpec<{ readonly reason: string }> } = {
  Usage: errorSpec('usage', 1, 'client', (p) => p.reason),
};

/** @throws LedgerError usage/1: a sentence that says what is wrong and what to type instead */
export function wrongUsage(reason: string, cause?: unknown): never {
  throw new LedgerError(errors.Usage, { reason }, cause);
}
