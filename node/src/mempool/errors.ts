/**
 * Refusals of a transaction by the mempool.
 *
 * Spec: CometBFT 0.38 mempool (texts of refusals).
 *
 * @module
 */
import { type ErrorSpec, errorSpec } from '../base/errors.ts';

type Full = {
  readonly txs: number;
  readonly maxTxs: number;
  readonly bytes: number;
  readonly maxBytes: number;
};

/** Refusals of a transaction before or after the application's check. */
export const errors: {
  readonly InCache: ErrorSpec<Record<never, never>>;
  readonly Full: ErrorSpec<Full>;
  readonly TooLarge: ErrorSpec<{ readonly max: number; readonly size: number }>;
  readonly SenderFull: ErrorSpec<{ readonly sender: string; readonly maxTxs: number }>;
  readonly SequenceTaken: ErrorSpec<{ readonly sender: string; readonly sequence: number }>;
  readonly Empty: ErrorSpec<Record<never, never>>;
  readonly Underpriced: ErrorSpec<Record<never, never>>;
  readonly TooManyWait: ErrorSpec<{ readonly max: number }>;
} = {
  InCache: errorSpec('mempool', 1, 'client', () => 'tx already exists in cache'),
  Full: errorSpec(
    'mempool',
    2,
    'node',
    (p) =>
      `mempool is full: number of txs ${p.txs} (max: ${p.maxTxs}), ` +
      `total txs bytes ${p.bytes} (max: ${p.maxBytes})`,
  ),
  TooLarge: errorSpec(
    'mempool',
    3,
    'client',
    (p) => `Tx too large. Max size is ${p.max}, but got ${p.size}`,
  ),
  SenderFull: errorSpec(
    'mempool',
    4,
    'client',
    (p) => `mempool is full for sender ${p.sender}: at most ${p.maxTxs} pending transactions`,
  ),
  SequenceTaken: errorSpec(
    'mempool',
    5,
    'client',
    (p) => `a transaction of ${p.sender} with sequence ${p.sequence} is already pending`,
  ),
  Empty: errorSpec('mempool', 6, 'client', () => 'tx is empty'),
  Underpriced: errorSpec('mempool', 7, 'client', () => 'replacement transaction underpriced'),
  TooManyWait: errorSpec(
    'mempool',
    8,
    'node',
    (p) => `mempool is full: ${p.max} senders wait for a transaction that is missing`,
  ),
};
