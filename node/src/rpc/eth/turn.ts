/**
 * The time of one request: a single call or a whole batch, and whether its client still waits.
 *
 * Upholds: all that a request asks for has one deadline; waiting for others does not count.
 *
 * @module
 */
import { LedgerError } from '../../base/errors.ts';
import { errors } from './errors.ts';
import type { EthTurn } from './ports.ts';

/** A request's time. */
export class Turn implements EthTurn {
  readonly address: string;
  readonly signal: AbortSignal;
  readonly limitMs: number;
  readonly #since = performance.now();
  #waitedMs = 0;

  /**
   * @param address - who asks
   * @param signal - aborted when nobody waits for the answer any more
   * @param limitMs - how long it may take, in milliseconds
   */
  constructor(address: string, signal: AbortSignal, limitMs: number) {
    this.address = address;
    this.signal = signal;
    this.limitMs = limitMs;
  }

  get waitedMs(): number {
    return this.#waitedMs;
  }

  get leftMs(): number {
    return this.limitMs + this.#waitedMs - (performance.now() - this.#since);
  }

  waited(ms: number): void {
    this.#waitedMs += ms;
  }

  /** @throws LedgerError ethrpc/9 if the time is over */
  check(): void {
    if (this.leftMs <= 0) throw new LedgerError(errors.TimedOut, { seconds: this.limitMs / 1_000 });
  }
}
