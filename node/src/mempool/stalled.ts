/**
 * The lanes that have nothing for a block, because a transaction before their first is missing.
 *
 * Upholds: at most `MAX_STALLED_LANES`; they take turns in being checked again, and one that has
 * waited `MAX_STALLED_HEIGHTS` goes.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
import { errors } from './errors.ts';
import type { Lane, PoolEntry } from './lane.ts';

const MAX_STALLED_LANES = 200;
const MAX_STALLED_HEIGHTS = 1_000;

/** Lanes that wait. */
export class StalledLanes {
  readonly #lanes = new Set<Lane>();

  get size(): number {
    return this.#lanes.size;
  }

  /** @throws LedgerError mempool/8 if `entry` would open one lane too many that waits */
  admit(entry: PoolEntry, lane: Lane): void {
    if (!entry.waits || lane.size > 0 || this.#lanes.size < MAX_STALLED_LANES) return;
    throw new LedgerError(errors.TooManyWait, { max: MAX_STALLED_LANES });
  }

  /** Takes note of whether a lane waits. */
  watch(lane: Lane, height: number): void {
    if (!lane.stalled) this.#lanes.delete(lane);
    else if (!this.#lanes.has(lane)) {
      this.#lanes.add(lane);
      lane.stalledAt = height;
    }
  }

  /** The next `limit` whose turn it is. */
  take(limit: number): readonly Lane[] {
    const next = [...this.#lanes].slice(0, limit);
    for (const lane of next) {
      this.#lanes.delete(lane);
      this.#lanes.add(lane);
    }
    return next;
  }

  /** Whether a lane has waited too long. */
  isLate(lane: Lane, height: number): boolean {
    return lane.stalled && lane.stalledAt + MAX_STALLED_HEIGHTS <= height;
  }

  clear(): void {
    this.#lanes.clear();
  }
}
