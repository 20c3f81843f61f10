/**
 * How types check signatures they cannot check themselves: a function handed in, and what follows.
 *
 * Upholds: an answer that is there at once stays synchronous, so that the fast path costs no turn
 * of the event loop; only a check that the provider defers makes the result a promise.
 * Absent here: cryptography; node/src/crypto provides `CheckSignature`.
 *
 * @module
 */
import type { Validator, ValidatorSet } from './validators.ts';

/** A value, now or later. */
export type Eventually<T> = T | Promise<T>;

/** Checks one Ed25519 signature by the rules of ZIP 215. Must not throw and must not reject. */
export type CheckSignature = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Eventually<boolean>;

/** As `CheckSignature`, but it may decline: `undefined` says that nothing was checked. */
export type LimitedCheck = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
) => Eventually<boolean | undefined>;

/** Against what signatures are checked. */
export type Signers<Check extends LimitedCheck = CheckSignature> = {
  readonly chainId: string;
  readonly validators: ValidatorSet;
  readonly check: Check;
};

/** `next` of a value, at once if the value is there. */
export function afterwards<T, U>(value: Eventually<T>, next: (value: T) => U): Eventually<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether a validator signed these bytes. Keys of other types than Ed25519 sign nothing. */
export function checkValidator<Answer extends boolean | undefined>(
  check: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => Eventually<Answer>,
  validator: Validator,
  message: Uint8Array,
  signature: Uint8Array,
): Eventually<Answer | false> {
  const { type, bytes } = validator.publicKey;
  return type === 'ed25519' && check(bytes, message, signature);
}

/** Position of the first `false`, or −1. */
export function firstFalse(results: readonly Eventually<boolean>[]): Eventually<number> {
  return results.some((result) => result instanceof Promise)
    ? Promise.all(results).then((settled) => settled.indexOf(false))
    : results.indexOf(false);
}
