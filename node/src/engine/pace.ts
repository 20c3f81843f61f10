/**
 * How many bytes of transactions a proposer takes, so that its blocks do not outlast their round.
 *
 * A proposer sees how long its own blocks take from the proposal to the commit, and takes less when
 * they take too long, more when a full one was quick. Bytes stand for work: whatever the mix of
 * transactions costs here and on the other validators is in the time measured.
 *
 * Upholds: a decision of the proposer alone; no rule of the chain depends on it. Between fixed
 * bounds, and at least one transaction is always taken.
 * Pure.
 *
 * @module
 */

/** From proposal to commit, in milliseconds; half of it goes by before the round needs votes. */
const TARGET_MS = 500;
/** A full block that is quicker than this lets the next one be larger. */
const QUICK_MS = 350;
/**
 * Bytes of transactions: the first blocks', and the least. A busy machine is slow with small blocks
 * too; below this size the cost of a height outweighs that of its transactions.
 */
const FIRST_BYTES = 262_144;
const LEAST_BYTES = 131_072;
/** Growth after a quick block, and the most one slow block shrinks the next. */
const GROWTH = 1.25;
const SHRINK = 0.5;

/** The limit of one proposer. */
export class Pace {
  readonly #maxBytes: number;
  #bytes: number;
  #proposed: { readonly block: string; readonly bytes: number; readonly atMs: number } | undefined;

  /** @param maxBytes - the owner's limit */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#bytes = Math.min(FIRST_BYTES, maxBytes);
  }

  /** Bytes of transactions for the next block. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A block of ours with so many bytes of transactions goes out. */
  proposed(block: string, bytes: number, nowMs: number): void {
    this.#proposed = { block, bytes, atMs: nowMs };
  }

  /** The block of a height is stored. */
  committed(block: string, nowMs: number): void {
    const proposed = this.#proposed;
    this.#proposed = undefined;
    if (proposed?.block !== block) return;
    const tookMs = nowMs - proposed.atMs;
    const full = 2 * proposed.bytes > this.#bytes;
    if (tookMs > TARGET_MS) {
      const fitting = Math.floor(proposed.bytes * Math.max(SHRINK, TARGET_MS / tookMs));
      this.#bytes = Math.max(Math.min(LEAST_BYTES, this.#maxBytes), Math.min(this.#bytes, fitting));
    } else if (full && tookMs < QUICK_MS) {
      this.#bytes = Math.min(this.#maxBytes, Math.floor(this.#bytes * GROWTH));
    }
  }
}
