/**
 * A token bucket: how much of something may happen, on average and at once.
 *
 * Upholds: over any stretch of t seconds at most `burst + rate · t` is allowed.
 * Pure: the time is handed in.
 *
 * @module
 */

/** Allows `perSecond` on average and `burst` at once. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perMs = perSecond / 1_000;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes `amount`; false if that is more than is left: nothing is taken then. */
  take(amount: number, nowMs: number): boolean {
    if (nowMs > this.#atMs) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (nowMs - this.#atMs) * this.#perMs);
      this.#atMs = nowMs;
    }
    if (amount > this.#tokens) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Whether the bucket is full at `nowMs`: nothing happened for long enough to forget it. */
  isFull(nowMs: number): boolean {
    return this.#tokens + Math.max(0, nowMs - this.#atMs) * this.#perMs >= this.#burst;
  }
}
