/**
 * The refusals of the client library: proofs that do not hold, nodes that do not answer.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** Refusals in codespace `proof` and `rpc-client`. */
export const errors: {
  readonly Malformed: ErrorSpec<{ readonly part: string }>;
  readonly Broken: ErrorSpec<{ readonly part: string }>;
  readonly Untrusted: ErrorSpec<{ readonly reason: string }>;
  readonly OtherSpace: ErrorSpec<{ readonly space: string; readonly wanted: string }>;
  readonly Rpc: ErrorSpec<{ readonly method: string; readonly reason: string }>;
  readonly Query: ErrorSpec<{
    readonly path: string;
    readonly space: string;
    readonly code: number;
    readonly log: string;
  }>;
  readonly Failed: ErrorSpec<{
    readonly space: string;
    readonly code: number;
    readonly log: string;
  }>;
  readonly BadId: ErrorSpec<{ readonly id: string }>;
  readonly NoSpace: ErrorSpec<{ readonly owner: string; readonly height: number }>;
  readonly BadOwner: ErrorSpec<{ readonly owner: string }>;
} = {
  Malformed: errorSpec('proof', 1, 'peer', (p) => `the proof is malformed: ${p.part}`),
  Broken: errorSpec('proof', 2, 'peer', (p) => `the proof does not hold: ${p.part}`),
  Untrusted: errorSpec('proof', 3, 'peer', (p) => `the proof is not of the chain: ${p.reason}`),
  OtherSpace: errorSpec(
    'proof',
    4,
    'peer',
    (p) => `the proof is about the space ${p.space}, not ${p.wanted}`,
  ),
  Rpc: errorSpec('rpc-client', 1, 'node', (p) => `${p.method}: ${p.reason}`),
  Query: errorSpec('rpc-client', 2, 'client', (p) => `${p.path}: ${p.log} (${p.space}/${p.code})`),
  Failed: errorSpec(
    'rpc-client',
    3,
    'client',
    (p) => `the transaction failed: ${p.log} (${p.space}/${p.code})`,
  ),
  BadId: errorSpec('rpc-client', 4, 'client', (p) => `${p.id} is no id: 64 hex digits`),
  NoSpace: errorSpec(
    'rpc-client',
    5,
    'client',
    (p) => `${p.owner} had not written anything at height ${p.height}`,
  ),
  BadOwner: errorSpec(
    'rpc-client',
    6,
    'client',
    (p) => `${p.owner} is no address: metatron1… or 0x…`,
  ),
};

/** The proof is not in its form: `part` is wrong. */
export function malformed(part: string): never {
  throw new LedgerError(errors.Malformed, { part });
}

/** The proof does not hold at `part`. */
export function broken(part: string): never {
  throw new LedgerError(errors.Broken, { part });
}
