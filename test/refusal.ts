/**
 * What tests of refusals share.
 *
 * @module
 */
import { expect } from 'chai';
import { type ErrorSpec, LedgerError } from '../node/src/base/errors.ts';

/** What `work` is refused with; a test fails if it is not refused, or fails otherwise. */
export async function refusal(work: Promise<unknown> | (() => unknown)): Promise<LedgerError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
  return expect.fail('it was accepted');
}

/** Expects that `work` is refused as declared there. */
export async function refusedAs<P extends object>(
  work: Promise<unknown> | (() => unknown),
  spec: ErrorSpec<P>,
): Promise<void> {
  const refused = await refusal(work);
  expect(LedgerError.is(refused, spec), String(refused)).to.equal(true);
}
