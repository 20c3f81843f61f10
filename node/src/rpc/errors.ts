/**
 * What the RPC refuses, and how a refusal looks in JSON-RPC.
 *
 * Upholds: every failure of a request becomes a declared error object; texts of unexpected failures
 * stay in the log. Codes and texts are CometBFT's where it has them.
 * Spec: JSON-RPC 2.0 section 5.1; CometBFT 0.38 rpc/jsonrpc/types, rpc/core.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type RpcError, rpcError } from './protocol-errors.ts';

type Text = { readonly reason: string };

/** Refusals of the RPC's own. */
export const errors: {
  readonly BadParams: ErrorSpec<Text>;
  readonly HeightNotPositive: ErrorSpec<{ readonly height: number }>;
  readonly HeightTooHigh: ErrorSpec<{ readonly height: number; readonly latest: number }>;
  readonly HeightPruned: ErrorSpec<{ readonly height: number; readonly base: number }>;
  readonly NotFound: ErrorSpec<{ readonly what: string }>;
  readonly BadPage: ErrorSpec<{ readonly pages: number; readonly page: number }>;
  readonly BadOrder: ErrorSpec<Record<never, never>>;
  readonly BadRange: ErrorSpec<{ readonly min: number; readonly max: number }>;
  readonly Unavailable: ErrorSpec<Text>;
  readonly TimedOut: ErrorSpec<Record<never, never>>;
  readonly TooMany: ErrorSpec<Text>;
  readonly Forbidden: ErrorSpec<{ readonly what: string; readonly setting: string }>;
  readonly TooFast: ErrorSpec<{ readonly rate: number }>;
  readonly Unanswered: ErrorSpec<{ readonly count: number }>;
  readonly SlowReader: ErrorSpec<Record<never, never>>;
} = {
  BadParams: errorSpec('rpc', 1, 'client', (p) => p.reason),
  HeightNotPositive: errorSpec(
    'rpc',
    2,
    'client',
    (p) => `height must be greater than 0, but got ${p.height}`,
  ),
  HeightTooHigh: errorSpec(
    'rpc',
    3,
    'client',
    (p) =>
      `height ${p.height} must be less than or equal to the current blockchain height ${p.latest}`,
  ),
  HeightPruned: errorSpec(
    'rpc',
    4,
    'client',
    (p) => `height ${p.height} is not available, lowest height is ${p.base}`,
  ),
  NotFound: errorSpec('rpc', 5, 'client', (p) => `${p.what} not found`),
  BadPage: errorSpec(
    'rpc',
    6,
    'client',
    (p) => `page should be within [1, ${p.pages}] range, given ${p.page}`,
  ),
  BadOrder: errorSpec(
    'rpc',
    7,
    'client',
    () => 'expected order_by to be either `asc` or `desc` or empty',
  ),
  BadRange: errorSpec(
    'rpc',
    8,
    'client',
    (p) => `min height ${p.min} can't be greater than max height ${p.max}`,
  ),
  Unavailable: errorSpec('rpc', 9, 'node', (p) => p.reason),
  TimedOut: errorSpec(
    'rpc',
    10,
    'node',
    () => 'timed out waiting for tx to be included in a block',
  ),
  TooMany: errorSpec('rpc', 11, 'client', (p) => p.reason),
  Forbidden: errorSpec(
    'rpc',
    12,
    'client',
    (p) => `${p.what} is not allowed: add it to ${p.setting}`,
  ),
  TooFast: errorSpec('rpc', 13, 'client', (p) => `more than ${p.rate} requests a second`),
  Unanswered: errorSpec('rpc', 14, 'client', (p) => `more than ${p.count} requests are unanswered`),
  SlowReader: errorSpec('rpc', 15, 'client', () => 'the client reads too slowly'),
};

/** @throws LedgerError rpc/1 */
export function badParams(reason: string): never {
  throw new LedgerError(errors.BadParams, { reason });
}

/** The error object for a refusal; `undefined` if it was no refusal but a failure to be logged. */
export function errorOf(thrown: unknown): RpcError | undefined {
  if (!(thrown instanceof LedgerError)) return undefined;
  const params = LedgerError.is(thrown, errors.BadParams);
  return rpcError(params ? 'params' : 'internal', thrown.message);
}
