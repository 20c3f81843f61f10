/**
 * The first sight of a public key: its Ethereum address becomes an alias of its account.
 *
 * Upholds: whatever the address got before, the account has after: coins of every denomination,
 * and the account's number if it had none of its own. It happens before fees are taken, by a
 * Cosmos transaction, an Ethereum transaction or an authorization, whichever comes first.
 * An address that has code, which no key can have but by a collision of hashes, stays what it is.
 *
 * @module
 */
import { accountCodec, getAccount, setAccount } from '../auth/accounts.ts';
import { getAlias, setAlias } from '../auth/aliases.ts';
import { add, getBalance, subtract } from '../bank/balances.ts';
import { getDenoms } from '../bank/denoms.ts';
import { KEY, key } from '../keys.ts';
import type { Overlay } from '../overlay.ts';
import type { MutableRecords } from '../record.ts';
import type { Faces } from './key-tools.ts';
import { readKey } from './signer.ts';
import { anyCodec } from './wire.ts';

/** Takes note of a key. @returns whether it was not known before */
export function firstSight(state: MutableRecords, { id, address }: Faces): boolean {
  if (getAlias(state, address) !== undefined) return false;
  if (state.get(key(KEY.contract, address)) !== undefined) return false;
  setAlias(state, address, id);
  const before = getAccount(state, address);
  if (before === undefined) return true;
  if (getAccount(state, id) === undefined) setAccount(state, id, before);
  for (const denom of getDenoms(state)) {
    const coins = [{ denom, amount: getBalance(state, address, denom) }];
    if (coins[0]?.amount === 0n) continue;
    subtract(state, address, coins);
    add(state, id, coins);
  }
  state.set(key(KEY.account, address), undefined);
  return true;
}

/** Takes note of the keys that the accounts of a genesis have. */
export function firstSights(
  state: Overlay,
  facesOf: (publicKey: Uint8Array) => Faces | undefined,
): void {
  for (const [at, value] of state.changes()) {
    if (at[0] !== KEY.account || value === undefined) continue;
    const { publicKey } = accountCodec.decode(value);
    if (publicKey.length === 0) continue;
    const { keys, threshold } = readKey(anyCodec.decode(publicKey));
    const faces = threshold === 0 ? facesOf(keys[0] as Uint8Array) : undefined;
    if (faces !== undefined) firstSight(state, faces);
  }
}
