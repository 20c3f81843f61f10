/**
 * The one error type a node throws for a refused input, and the way each refusal is declared.
 *
 * Three kinds of failure, never mixed:
 *  - `LedgerError`  an input was refused; expected, carried to the peer or client by its code.
 *  - `invariant()`  this program is wrong; the process stops rather than diverges.
 *  - anything else  comes from a library and is wrapped with `cause` where it enters.
 *
 * Upholds: a refusal is known by (space, code), which are never reused; messages are for people.
 * Pure. Imports nothing. `scripts/error-table.ts` generates docs/errors.md from the declarations.
 *
 * @module
 */

/** Where a refusal takes effect; decides what the caller does without reading the message. */
export type Blame = 'client' | 'peer' | 'node';

/** Declaration of one refusal. `code` may be consensus-visible and is never reused. */
export type ErrorSpec<P extends object> = {
  readonly space: string;
  readonly code: number;
  readonly blame: Blame;
  readonly message: (params: P) => string;
};

/**
 * Declares an error of a space; a module's table is its `errors` export.
 *
 * @param space - the codespace, as ABCI clients see it
 * @param code - above zero, unique in the space
 */
export function errorSpec<P extends object = Record<never, never>>(
  space: string,
  code: number,
  blame: Blame,
  message: (params: P) => string,
): ErrorSpec<P> {
  return { space, code, blame, message };
}

/**
 * An input was refused for a declared reason.
 *
 * Compare by `space` and `code` (or `LedgerError.is`), never by message.
 */
export class LedgerError<P extends object = object> extends Error {
  override readonly name = 'LedgerError';
  readonly space: string;
  readonly code: number;
  readonly blame: Blame;
  readonly params: P;

  constructor(spec: ErrorSpec<P>, params: P, cause?: unknown) {
    super(spec.message(params), cause === undefined ? undefined : { cause });
    this.space = spec.space;
    this.code = spec.code;
    this.blame = spec.blame;
    this.params = params;
  }

  /** Narrows an unknown thrown value to this refusal, with its typed parameters. */
  static is<P extends object>(thrown: unknown, spec: ErrorSpec<P>): thrown is LedgerError<P> {
    return (
      thrown instanceof LedgerError && thrown.space === spec.space && thrown.code === spec.code
    );
  }
}

/** Runs `work`; its refusal is returned, anything else it throws is a defect and goes on. */
export function attempt<T>(work: () => T): T | LedgerError {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
}

/** A defect of this program. Nothing catches it but the process boundary. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Stops the node when `condition`, which this program guarantees, does not hold. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantViolation(what);
}

/** Unwraps a value this program guarantees to be there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new InvariantViolation(`missing ${what}`);
  return value;
}

/** Closes a `switch` over a union, so that a new variant is a compile error here. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable variant ${JSON.stringify(value)}`);
}

/** The text of any thrown value, for logs and wrapped causes. */
export function describe(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
