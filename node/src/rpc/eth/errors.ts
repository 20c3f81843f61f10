/**
 * What Ethereum's JSON-RPC refuses, and how a refusal looks there.
 *
 * Upholds: codes and texts of the answers are geth's where it has them; texts of unexpected
 * failures stay in the log. A refusal of another part (a transaction that the ledger does not take)
 * travels as -32000 with its own text.
 * Spec: JSON-RPC 2.0; EIP-1474; go-ethereum rpc/errors.go, internal/ethapi/errors.go.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../../base/errors.ts';

type Text = { readonly reason: string };

/** Refusals. */
export const errors: {
  readonly BadParams: ErrorSpec<Text>;
  readonly NoMethod: ErrorSpec<{ readonly method: string }>;
  readonly Reverted: ErrorSpec<Text & { readonly data: string }>;
  readonly BadRequest: ErrorSpec<Text>;
  readonly BadJson: ErrorSpec<object>;
  readonly NoHeader: ErrorSpec<object>;
  readonly StateNotKept: ErrorSpec<{ readonly height: number }>;
  readonly Failed: ErrorSpec<Text>;
  readonly TimedOut: ErrorSpec<{ readonly seconds: number }>;
  readonly Busy: ErrorSpec<Text>;
  readonly TooMuch: ErrorSpec<Text>;
  readonly NoFilter: ErrorSpec<object>;
  readonly NoTransaction: ErrorSpec<object>;
  readonly NoSubscriptions: ErrorSpec<object>;
  readonly NoSubscription: ErrorSpec<object>;
} = {
  BadParams: errorSpec('ethrpc', 1, 'client', (p) => p.reason),
  NoMethod: errorSpec(
    'ethrpc',
    2,
    'client',
    (p) => `the method ${p.method} does not exist/is not available`,
  ),
  Reverted: errorSpec('ethrpc', 3, 'client', (p) => p.reason),
  BadRequest: errorSpec('ethrpc', 4, 'client', (p) => p.reason),
  BadJson: errorSpec('ethrpc', 5, 'client', () => 'parse error'),
  NoHeader: errorSpec('ethrpc', 6, 'client', () => 'header not found'),
  StateNotKept: errorSpec(
    'ethrpc',
    7,
    'client',
    (p) => `required historical state unavailable: the state of block ${p.height} is not kept`,
  ),
  Failed: errorSpec('ethrpc', 8, 'client', (p) => p.reason),
  TimedOut: errorSpec('ethrpc', 9, 'client', (p) => `execution aborted (timeout = ${p.seconds}s)`),
  Busy: errorSpec('ethrpc', 10, 'node', (p) => p.reason),
  TooMuch: errorSpec('ethrpc', 11, 'client', (p) => p.reason),
  NoFilter: errorSpec('ethrpc', 12, 'client', () => 'filter not found'),
  NoTransaction: errorSpec('ethrpc', 13, 'client', () => 'transaction not found'),
  NoSubscriptions: errorSpec('ethrpc', 14, 'client', () => 'notifications not supported'),
  NoSubscription: errorSpec('ethrpc', 15, 'client', () => 'subscription not found'),
};

/** Codes of JSON-RPC by those of ours; every other refusal is a server error. */
const CODES: ReadonlyMap<number, number> = new Map([
  [errors.BadParams.code, -32_602],
  [errors.NoMethod.code, -32_601],
  [errors.Reverted.code, 3],
  [errors.BadRequest.code, -32_600],
  [errors.BadJson.code, -32_700],
  [errors.Busy.code, -32_005],
  [errors.TooMuch.code, -32_005],
  [errors.NoSubscriptions.code, -32_601],
]);
const SERVER_ERROR = -32_000;
const INTERNAL_ERROR = -32_603;

/** A JSON-RPC error object as geth writes it: `data` only where there is some. */
export type EthError = {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
};

/** What a client is told of a failure of ours. */
export const INTERNAL: EthError = {
  code: INTERNAL_ERROR,
  message: 'the node could not answer; its log says why',
};

/** What geth says where the mempool has words of its own, by the mempool's code. */
export const POOL_TEXTS: ReadonlyMap<number, string> = new Map([
  [1, 'already known'],
  [2, 'txpool is full'],
  [4, 'txpool is full'],
  [5, 'replacement transaction underpriced'],
  [8, 'txpool is full'],
]);

/** The error object for a refusal; `undefined` if it was none but a failure to be logged. */
export function ethErrorOf(thrown: unknown): EthError | undefined {
  if (!(thrown instanceof LedgerError)) return undefined;
  const { space, code, message } = thrown;
  if (space === 'ethrpc') {
    const base = { code: CODES.get(code) ?? SERVER_ERROR, message };
    const reverted = LedgerError.is(thrown, errors.Reverted) ? thrown.params.data : '';
    return reverted === '' ? base : { ...base, data: reverted };
  }
  const text = space === 'mempool' ? POOL_TEXTS.get(code) : undefined;
  return { code: SERVER_ERROR, message: text ?? message };
}

/** @throws LedgerError ethrpc/1 */
export function badParams(reason: string): never {
  throw new LedgerError(errors.BadParams, { reason });
}

/** @throws LedgerError ethrpc/8 */
export function fails(reason: string): never {
  throw new LedgerError(errors.Failed, { reason });
}
