/**
 * The state that CheckTx sees: the committed one with the pending transactions' sequences and fees.
 *
 * Upholds: transactions that follow each other in sequence pass before the first is in a block. A
 * sequence that is pending already passes too, without effect, because only the mempool knows
 * whether the pending one is still there; the mempool keeps one transaction per sequence.
 * After a commit what the block changed is read anew, since the mempool checks those lanes again.
 *
 * @module
 */
import type { ExecTxResult } from '../types/results.ts';
import type { AccountId } from './addresses.ts';
import { accountKey, getAccount, setAccount } from './auth/accounts.ts';
import { balanceKey } from './bank/balances.ts';
import { checkTransaction, type Environment } from './executor.ts';
import { type Base, Overlay } from './overlay.ts';
import type { DecodedTx } from './tx/decode.ts';

/** Most records held; past it the state starts afresh and pending senders are checked anew. */
const MAX_RECORDS = 200_000;

/** Pending effects over the committed state. */
export class CheckState {
  readonly #base: Base;
  #pending: Overlay;

  constructor(base: Base) {
    this.#base = base;
    this.#pending = new Overlay(base);
  }

  /** Forgets what a block changed. */
  committed(keys: Iterable<Uint8Array>): void {
    if (this.#pending.size > MAX_RECORDS) this.#pending = new Overlay(this.#base);
    else this.#pending.forget(keys);
  }

  /** Runs the ante of a transaction and keeps its effect if it comes next. */
  check(env: Omit<Environment, 'state'>, tx: DecodedTx, kind: 'new' | 'recheck'): ExecTxResult {
    if (kind === 'recheck' && this.#atCommitted(tx)) this.#forgetSenders(tx);
    const next = this.#position(tx, this.#pending);
    if (next === 'behind' && this.#isPending(tx)) return this.#checkAlone(env, tx);
    const state = new Overlay(this.#pending);
    const result = checkTransaction({ ...env, state }, tx);
    if (result.code === 0)
      for (const [key, value] of state.changes()) this.#pending.set(key, value);
    return result;
  }

  /** The check of a transaction whose sequences are pending already. */
  #checkAlone(env: Omit<Environment, 'state'>, tx: DecodedTx): ExecTxResult {
    const state = new Overlay(this.#base);
    for (const [i, signer] of tx.signers.entries()) {
      const account = getAccount(state, signer);
      if (account !== undefined) setAccount(state, signer, { ...account, sequence: wanted(tx, i) });
    }
    return checkTransaction({ ...env, state }, tx);
  }

  /** Where the transaction's sequences stand to those of `state`. */
  #position(tx: DecodedTx, state: Base): 'next' | 'behind' | 'ahead' {
    let position: 'next' | 'behind' = 'next';
    for (const [i, signer] of tx.signers.entries()) {
      const sequence = sequenceOf(state, signer);
      if (wanted(tx, i) > sequence) return 'ahead';
      if (wanted(tx, i) < sequence) position = 'behind';
    }
    return position;
  }

  #atCommitted(tx: DecodedTx): boolean {
    return this.#position(tx, this.#base) === 'next';
  }

  /** Whether no sequence of the transaction is committed yet. */
  #isPending(tx: DecodedTx): boolean {
    return tx.signers.every((signer, i) => wanted(tx, i) >= sequenceOf(this.#base, signer));
  }

  #forgetSenders(tx: DecodedTx): void {
    const accounts = tx.signers.map(accountKey);
    const balances = tx.fee.map(({ denom }) => balanceKey(tx.payer, denom));
    this.#pending.forget([...accounts, ...balances]);
  }
}

function sequenceOf(state: Base, signer: AccountId): number {
  return getAccount(state, signer)?.sequence ?? 0;
}

function wanted(tx: DecodedTx, index: number): number {
  return Number(tx.authInfo.signerInfos[index]?.sequence ?? 0n);
}
