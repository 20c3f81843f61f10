/**
 * Decoding by generated codecs, which read more than they would write: for queries.
 *
 * Absent here: transactions and records; their codecs are strict (tx/wire.ts, memory/wire.ts).
 *
 * @module
 */
import { describe } from '../base/errors.ts';
import { errors, refuse } from './errors.ts';

/** A codec as buf and ts-proto generate it. */
export type Generated<T> = { decode(bytes: Uint8Array): T };

/** @throws LedgerError sdk/2 unless `bytes` decode at all; for queries, which are not consensus */
export function decodeLoose<T>(codec: Generated<T>, name: string, bytes: Uint8Array): T {
  try {
    return codec.decode(bytes);
  } catch (cause) {
    return refuse(errors.TxDecode, `${name}: ${describe(cause)}`, cause);
  }
}
