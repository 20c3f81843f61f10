/**
 * Balances and supply, and the one way coins move between accounts.
 *
 * Upholds: a transfer neither makes nor loses coins; no balance is negative; a zero balance has no
 * record; an account that receives coins exists.
 * Layout: metatron.ledger.v1 Amount, which has the fields of a Coin; 0x1b lists the owners of a
 * denomination.
 *
 * @module
 */
import type { AccountId } from '../addresses.ts';
import { errors, refuse } from '../errors.ts';
import { KEY, key, named, type RecordKey, textHash } from '../keys.ts';
import { once } from '../once.ts';
import {
  type MutableRecords,
  type RecordCodec,
  type Records,
  readRecord,
  writeRecord,
} from '../record.ts';
import { coinCodec } from '../tx/wire.ts';
import type { Amount } from './coins.ts';

const OWNED = Uint8Array.of(1);

/** The keys of an account's balances by denomination, as far as they were asked for. */
const balanceKeys = once(() => new Map<string, RecordKey>());
/** Most denominations that are remembered of one account. */
const MAX_KEYS = 16;

/** State key of a balance. */
export function balanceKey(id: AccountId, denom: string): RecordKey {
  const keys = balanceKeys(id);
  const known = keys.get(denom);
  if (known !== undefined) return known;
  const fresh = named(key(KEY.balance, id, textHash(denom)));
  if (keys.size < MAX_KEYS) keys.set(denom, fresh);
  return fresh;
}

function supplyKey(denom: string): RecordKey {
  return named(key(KEY.supply, textHash(denom)));
}

/** A record of an amount. */
export const amountCodec: RecordCodec<Amount> = {
  encode: ({ denom, amount }) => coinCodec.encode({ denom, amount: amount.toString() }),
  decode: once((bytes) => {
    const { denom, amount } = coinCodec.decode(bytes);
    return { denom, amount: BigInt(amount) };
  }),
};

function read(state: Records, at: RecordKey): bigint {
  return readRecord(state, at, amountCodec)?.amount ?? 0n;
}

function write(state: MutableRecords, at: RecordKey, coin: Amount): void {
  if (coin.amount === 0n) state.set(at.bytes, undefined);
  else writeRecord(state, at, amountCodec, coin);
}

/** What `id` has of `denom`. */
export function getBalance(state: Records, id: AccountId, denom: string): bigint {
  return read(state, balanceKey(id, denom));
}

/** How much of `denom` there is. */
export function getSupply(state: Records, denom: string): bigint {
  return read(state, supplyKey(denom));
}

/** Sets the supply of `denom`. */
export function setSupply(state: MutableRecords, denom: string, amount: bigint): void {
  write(state, supplyKey(denom), { denom, amount });
}

/** Sets a balance and keeps the list of owners. */
export function setBalance(
  state: MutableRecords,
  id: AccountId,
  denom: string,
  before: bigint,
  amount: bigint,
): void {
  write(state, balanceKey(id, denom), { denom, amount });
  if ((before === 0n) === (amount === 0n)) return;
  const owner = key(KEY.denomOwner, textHash(denom), id);
  state.set(owner, amount === 0n ? undefined : OWNED);
}

/** Takes coins from an account. @throws LedgerError sdk/5 if it has less */
export function subtract(state: MutableRecords, id: AccountId, coins: readonly Amount[]): void {
  for (const { denom, amount } of coins) {
    const before = getBalance(state, id, denom);
    if (before < amount) {
      const reason = `spendable balance ${before}${denom} is smaller than ${amount}${denom}`;
      refuse(errors.InsufficientFunds, reason);
    }
    setBalance(state, id, denom, before, before - amount);
  }
}

/** Gives coins to an account. */
export function add(state: MutableRecords, id: AccountId, coins: readonly Amount[]): void {
  for (const { denom, amount } of coins) {
    const before = getBalance(state, id, denom);
    setBalance(state, id, denom, before, before + amount);
  }
}
