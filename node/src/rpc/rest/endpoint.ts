/**
 * The shape of a REST endpoint, and its refusals as RFC 9457 problems.
 *
 * Upholds: one description of an endpoint serves for checking its parameters, documenting it and
 * testing its answer.
 * Spec: RFC 9457 (problem details).
 *
 * @module
 */
import * as z from 'zod';
import { type ErrorSpec, errorSpec, LedgerError } from '../../base/errors.ts';
import { errors as rpcErrors } from '../errors.ts';
import { statusTitle } from '../protocol-errors.ts';

/** A GET endpoint: parameters of path and query together, checked by `params`. */
export type Endpoint = {
  /** Express's path, such as `/v1/blocks/:height`. */
  readonly path: string;
  readonly summary: string;
  readonly params: z.ZodObject;
  readonly answer: z.ZodType;
  readonly call: (params: Readonly<Record<string, unknown>>) => unknown;
};

/** Declares an endpoint whose `call` has the types of its schemas. */
export function endpoint<P extends z.ZodObject, A extends z.ZodType>(
  path: string,
  summary: string,
  params: P,
  answer: A,
  call: (params: z.output<P>) => z.output<A> | Promise<z.output<A>>,
): Endpoint {
  // The server reads parameters by `params`, which makes them its output.
  return { path, summary, params, answer, call: (given) => call(given as z.output<P>) };
}

/** Refusals of REST's own. */
export const errors: {
  readonly BadParams: ErrorSpec<{ readonly reason: string }>;
  readonly Query: ErrorSpec<{
    readonly codespace: string;
    readonly code: number;
    readonly log: string;
  }>;
  readonly NotYet: ErrorSpec<{ readonly height: number }>;
} = {
  BadParams: errorSpec('rest', 1, 'client', (p) => p.reason),
  Query: errorSpec('rest', 2, 'client', (p) => p.log || `${p.codespace} code ${p.code}`),
  NotYet: errorSpec(
    'rest',
    3,
    'node',
    (p) => `not provable yet: the header of height ${p.height} is still to come; ask again`,
  ),
};

/** A refusal as it is answered: RFC 9457. */
export type Problem = {
  /** A name of the kind of problem. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Space and number of the refusal. */
  readonly code: string;
};

/** The schema of a refusal. */
export const problemSchema: z.ZodType<Problem> = z
  .object({
    type: z.string().describe('A name of the kind of problem'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('Space and number of the refusal'),
  })
  .describe('Problem details, RFC 9457');

function queryStatus(thrown: LedgerError): number {
  if (!LedgerError.is(thrown, errors.Query)) return 400;
  return /NotFound|not found/i.test(thrown.message) ? 404 : 400;
}

function statusOf(thrown: LedgerError): number {
  const is = (spec: ErrorSpec<never>): boolean =>
    thrown.space === spec.space && thrown.code === spec.code;
  if (is(errors.NotYet)) return 409;
  if (is(errors.Query)) return queryStatus(thrown);
  const missing = [
    rpcErrors.NotFound,
    rpcErrors.HeightPruned,
    rpcErrors.HeightTooHigh,
    rpcErrors.HeightNotPositive,
  ];
  if (missing.some((spec) => is(spec))) return 404;
  if (is(rpcErrors.TooMany)) return 429;
  return thrown.blame === 'node' ? 503 : 400;
}

/** The problem of a given status. */
export function problem(status: number, detail: string, code: string): Problem {
  const type = `urn:metatron:problem:${code.replace('/', ':')}`;
  return { type, title: statusTitle(status), status, detail, code };
}

/** The problem of a refusal; `undefined` if it was a failure to be logged. */
export function problemOf(thrown: unknown): Problem | undefined {
  if (!(thrown instanceof LedgerError)) return undefined;
  return problem(statusOf(thrown), thrown.message, `${thrown.space}/${thrown.code}`);
}
