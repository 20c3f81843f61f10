/**
 * Moving coins with the events that clients of the Cosmos SDK read.
 *
 * Upholds: events say exactly what moved; the receiving account is created if it did not exist.
 * Spec: Cosmos SDK 0.50 x/bank/keeper/send.go.
 *
 * @module
 */
import type { AccountId, Addresses } from '../addresses.ts';
import { createAccount, getAccount } from '../auth/accounts.ts';
import { indexed, shown } from '../events.ts';
import type { Emit } from '../module.ts';
import type { MutableRecords } from '../record.ts';
import { add, subtract } from './balances.ts';
import { type Amount, coinsText } from './coins.ts';

/** What a transfer works on. */
export type Ledger = {
  readonly state: MutableRecords;
  readonly addresses: Addresses;
  readonly emit: Emit;
};

/** Takes coins and says so. @throws LedgerError sdk/5 if the account has less */
export function spend(ledger: Ledger, from: AccountId, coins: readonly Amount[]): void {
  subtract(ledger.state, from, coins);
  ledger.emit('coin_spent', [
    indexed('spender', ledger.addresses.text(from)),
    shown('amount', coinsText(coins)),
  ]);
}

/** Gives coins and says so. */
export function receive(ledger: Ledger, to: AccountId, coins: readonly Amount[]): void {
  add(ledger.state, to, coins);
  ledger.emit('coin_received', [
    indexed('receiver', ledger.addresses.text(to)),
    shown('amount', coinsText(coins)),
  ]);
}

/** Makes sure that an account exists. @returns whether it was made */
export function ensureAccount(state: MutableRecords, id: AccountId): boolean {
  if (getAccount(state, id) !== undefined) return false;
  createAccount(state, id);
  return true;
}

/** Moves coins from one account to another. @throws LedgerError sdk/5 if the first has less */
export function transfer(
  ledger: Ledger,
  from: AccountId,
  to: AccountId,
  coins: readonly Amount[],
): void {
  spend(ledger, from, coins);
  receive(ledger, to, coins);
  const sender = ledger.addresses.text(from);
  ledger.emit('transfer', [
    indexed('recipient', ledger.addresses.text(to)),
    indexed('sender', sender),
    shown('amount', coinsText(coins)),
  ]);
  ledger.emit('message', [indexed('sender', sender)]);
}
