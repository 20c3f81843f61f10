/**
 * What happened, one line per event, for the people who must understand a failure.
 *
 * Upholds: bounded: only the latest lines are kept.
 *
 * @module
 */

/** Lines kept. */
const MAX_LINES = 4_000;

/** A log of one run. */
export class Story {
  readonly #lines: string[] = [];
  #dropped = 0;

  /** Adds a line. @param node - who it happened to; −1 for the network */
  tell(nowMs: number, node: number, text: string): void {
    const who = node < 0 ? 'net' : `n${node}`;
    this.#lines.push(`${nowMs.toFixed(1).padStart(9)} ${who.padEnd(3)} ${text}`);
    if (this.#lines.length < 2 * MAX_LINES) return;
    this.#dropped += MAX_LINES;
    this.#lines.splice(0, MAX_LINES);
  }

  /** The last lines. */
  tail(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  /** All lines that are kept. */
  all(): readonly string[] {
    return this.#dropped > 0
      ? [`… ${this.#dropped} lines before`, ...this.#lines]
      : [...this.#lines];
  }
}
