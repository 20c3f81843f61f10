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
  readonly Forbidden: ErrorSpec<Text>;
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
  Forbidden: errorSpec('rpc', 12, 'client', (p) => p.reason),
};

/** @throws LedgerError rpc/1 */
export function badParams(reason: string): never {
  throw new LedgerError(errors.BadParams, { reason });
}

/** A JSON-RPC error object. */
export type RpcError = { readonly code: number; readonly message: string; readonly data: string };

/** JSON-RPC's error codes with CometBFT's messages. */
export const RPC_ERROR = {
  parse: { code: -32700, message: 'Parse error. Invalid JSON' },
  request: { code: -32600, message: 'Invalid Request' },
  method: { code: -32601, message: 'Method not found' },
  params: { code: -32602, message: 'Invalid params' },
  internal: { code: -32603, message: 'Internal error' },
  server: { code: -32000, message: 'Server error' },
} as const;

/** The error object of a kind, with details. */
export function rpcError(kind: keyof typeof RPC_ERROR, data: string): RpcError {
  return { ...RPC_ERROR[kind], data };
}

/** The error object for a refusal; `undefined` if it was no refusal but a failure to be logged. */
export function errorOf(thrown: unknown): RpcError | undefined {
  if (!(thrown instanceof LedgerError)) return undefined;
  const params = LedgerError.is(thrown, errors.BadParams);
  return rpcError(params ? 'params' : 'internal', thrown.message);
}
