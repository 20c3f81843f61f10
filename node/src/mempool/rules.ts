/**
 * Which transaction may take another's place, and in which order a block has them.
 *
 * Upholds: a replacement pays for what relaying it costs: where a transaction names its bids, a
 * tenth more of each, as in geth; elsewhere a higher priority.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
import { errors } from './errors.ts';
import type { PoolEntry } from './lane.ts';

/** Percent that each bid must rise by. */
const PRICE_BUMP = 10n;

function outbids(bids: readonly bigint[], before: readonly bigint[]): boolean {
  return bids.every((bid, i) => {
    const old = before[i] ?? 0n;
    return bid > old && bid * 100n >= old * (100n + PRICE_BUMP);
  });
}

/** @throws LedgerError mempool/5 or mempool/7 unless `entry` may take the place of `rival` */
export function checkReplacement(rival: PoolEntry, entry: PoolEntry): void {
  if (entry.bids !== undefined && rival.bids !== undefined) {
    if (outbids(entry.bids, rival.bids)) return;
    throw new LedgerError(errors.Underpriced, {});
  }
  if (entry.priority > rival.priority) return;
  const { sender = '', sequence } = entry;
  throw new LedgerError(errors.SequenceTaken, { sender, sequence });
}

/** Entries in the order of their phases, else as they are. */
export function inPhases(entries: readonly PoolEntry[]): readonly PoolEntry[] {
  if (entries.every(({ phase }) => phase === 0)) return entries;
  return [...entries].sort((a, b) => a.phase - b.phase);
}
