/**
 * Aliases: addresses that belong to an account of another id.
 *
 * An account has two faces: its id, from the hash of its public key, and the address that Ethereum
 * derives from the same key. Until the key is first seen the second is an account id like any
 * other; from then on it is an alias (tx/first-sight.ts).
 * Upholds: an alias is written once and never changes; an alias has no account of its own.
 * Layout: metatron.evm.v1 Alias.
 *
 * @module
 */
import { ADDRESS_BYTES } from '../../base/limits.ts';
import { bytes, type Codec, message } from '../../base/proto.ts';
import type { AccountId } from '../addresses.ts';
import { KEY, key, named, type RecordKey } from '../keys.ts';
import { type Once, once } from '../once.ts';
import {
  type MutableRecords,
  type RecordCodec,
  type Records,
  readRecord,
  writeRecord,
} from '../record.ts';
import { getAccount } from './accounts.ts';

const wireCodec: Codec<{ readonly accountId: AccountId }> = message<{
  readonly accountId: AccountId;
}>('Alias', { accountId: bytes(1, ADDRESS_BYTES) });

const aliasCodec: RecordCodec<AccountId> = {
  encode: (accountId) => wireCodec.encode({ accountId }),
  decode: once((record) => wireCodec.decode(record).accountId.slice()),
};

/** Where the alias of an address stands. */
export const aliasKey: Once<RecordKey> = once((address) => named(key(KEY.alias, address)));

/** The account that `address` is an alias of, if it is one. */
export function getAlias(state: Records, address: Uint8Array): AccountId | undefined {
  return readRecord(state, aliasKey(address), aliasCodec);
}

/** Makes `address` an alias of `id`. */
export function setAlias(state: MutableRecords, address: Uint8Array, id: AccountId): void {
  writeRecord(state, aliasKey(address), aliasCodec, id);
}

/** The account behind an address: what its alias names, or the address itself. */
export function resolve(state: Records, address: Uint8Array): AccountId {
  return getAlias(state, address) ?? address;
}

/** The same for an address that is mostly an account's own id: one read if it is. */
export function resolveId(state: Records, id: AccountId): AccountId {
  return getAccount(state, id) === undefined ? resolve(state, id) : id;
}
