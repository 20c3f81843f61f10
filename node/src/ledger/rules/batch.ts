/**
 * Transactions of a block that wait to be decided by the rules contract together.
 *
 * Upholds: results, gas and state are those of deciding each by itself. So a batch is decided
 * before a transaction whose plan reads what a waiting one will write, and right after one that
 * may see or change more than the rules' own state: one with an action, or on a space with a
 * policy, which may look at balances. What else runs meanwhile neither reads nor writes what the
 * waiting ones do: a policy-free decision depends on the contract's storage alone.
 *
 * @module
 */
import { invariant } from '../../base/errors.ts';
import type { ExecTxResult } from '../../types/results.ts';
import type { Undecided } from '../executor.ts';
import { isRuled } from '../module.ts';
import type { DecodedTx } from '../tx/decode.ts';
import { decide, type SystemPlace } from './system.ts';

/**
 * Most transactions and messages that are decided in one call. 120 would take 30 MiB less of the
 * second opinion's EVM, which keeps every step of a call, and a tenth more of a validator's time.
 */
const MAX_TXS = 480;
const MAX_MESSAGES = 5_000;

/** Takes the result of a transaction that waited. @param place - as given to `add` */
export type Settle = (place: number, result: ExecTxResult) => void;

type Waiting = { readonly undecided: Undecided; readonly place: number };

/** The batch of a block that is being gathered. */
export class RulesBatch {
  readonly #place: SystemPlace;
  readonly #settle: Settle;
  readonly #maxTxs: number;
  readonly #writes = new Set<string>();
  #waiting: Waiting[] = [];
  #messages = 0;

  /** @param maxTxs - most transactions in one call */
  constructor(place: SystemPlace, settle: Settle, maxTxs: number = MAX_TXS) {
    this.#place = place;
    this.#settle = settle;
    this.#maxTxs = maxTxs;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** Whether a transaction's plan reads what one that waits will write. */
  concerns(tx: DecodedTx): boolean {
    if (this.#writes.size === 0) return false;
    return tx.messages.some(
      (message) => isRuled(message) && message.reads.some((name) => this.#writes.has(name)),
    );
  }

  /** Adds a transaction. @returns whether the batch is to be decided now */
  add(undecided: Undecided, place: number): boolean {
    const { question, tx } = undecided;
    this.#waiting.push({ undecided, place });
    this.#messages += tx.messages.length;
    for (const name of question.writes) this.#writes.add(name);
    const isFull = this.#waiting.length >= this.#maxTxs || this.#messages >= MAX_MESSAGES;
    return question.endsBatch || isFull;
  }

  /** Decides what waits, in order. */
  async decide(): Promise<void> {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    this.#messages = 0;
    this.#writes.clear();
    const asked = waiting.map(({ undecided }) => undecided.asked);
    const { verdicts, logs } = await decide(this.#place, asked);
    for (const [i, { undecided, place }] of waiting.entries()) {
      const verdict = verdicts[i];
      invariant(verdict !== undefined, 'there is a verdict for each transaction');
      // Only the last has actions, which alone leave logs.
      this.#settle(place, undecided.complete(verdict, logs));
    }
  }
}
