/**
 * Accounts: number, sequence and public key under a 20-byte id; parameters of transactions.
 *
 * Upholds: account numbers are given once, in order; a sequence only grows.
 * Absent here: signatures (tx/ante.ts) and coins (bank).
 * Layout: metatron.ledger.v1 Account, AuthParams, NextAccountNumber.
 *
 * @module
 */
import { EMPTY } from '../../base/bytes.ts';
import { bytes, type Codec, message, text, textList, uint } from '../../base/proto.ts';
import {
  AuthParams as AuthParamsRecord,
  NextAccountNumber,
} from '../../gen/metatron/ledger/v1/state.ts';
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

/** An account. */
export type Account = {
  readonly number: number;
  readonly sequence: number;
  /** The key as a protobuf Any; empty until the account signs. */
  readonly publicKey: Uint8Array;
  /** Empty for accounts of people. */
  readonly moduleName: string;
  readonly permissions: readonly string[];
};

/** Parameters of transactions. */
export type AuthParams = {
  readonly maxMemoCharacters: number;
  readonly txSigLimit: number;
  readonly txSizeCostPerByte: number;
  readonly sigVerifyCostEd25519: number;
  readonly sigVerifyCostSecp256k1: number;
};

/** The SDK's defaults. */
export const DEFAULT_AUTH_PARAMS: AuthParams = {
  maxMemoCharacters: 256,
  txSigLimit: 7,
  txSizeCostPerByte: 10,
  sigVerifyCostEd25519: 590,
  sigVerifyCostSecp256k1: 1000,
};

/** Bounds of a record that only this module writes: a multisig's key is the largest. */
const MAX_PUBLIC_KEY_BYTES = 65_536;
const MAX_NAME_BYTES = 256;

const PARAMS_KEY = named(key(KEY.authParams));
const NEXT_NUMBER_KEY = key(KEY.nextAccountNumber);

/** State key of an account. */
export const accountKey: Once<RecordKey> = once((id: AccountId) => named(key(KEY.account, id)));

/** The number is stored as one more, so that it is never left out. */
const wireCodec: Codec<Account> = message<Account>('Account', {
  number: uint(1),
  sequence: uint(2),
  publicKey: bytes(3, MAX_PUBLIC_KEY_BYTES),
  moduleName: text(4, MAX_NAME_BYTES),
  permissions: textList(5, MAX_NAME_BYTES, MAX_NAME_BYTES),
});

/** An account's record. */
export const accountCodec: RecordCodec<Account> = {
  encode: (account) => wireCodec.encode({ ...account, number: account.number + 1 }),
  decode: once((bytes) => {
    const record = wireCodec.decode(bytes);
    return { ...record, number: record.number - 1 };
  }),
};

/** The account of `id`, if it exists. */
export function getAccount(state: Records, id: AccountId): Account | undefined {
  return readRecord(state, accountKey(id), accountCodec);
}

/** Writes an account. */
export function setAccount(state: MutableRecords, id: AccountId, account: Account): void {
  writeRecord(state, accountKey(id), accountCodec, account);
}

/** The number the next account gets. */
export function nextAccountNumber(state: Records): number {
  const bytes = state.get(NEXT_NUMBER_KEY);
  return bytes === undefined ? 0 : Number(NextAccountNumber.decode(bytes).value);
}

/** Sets the number the next account gets; 0 is the number of a state that has none. */
export function setNextAccountNumber(state: MutableRecords, value: number): void {
  if (value === 0) return;
  state.set(NEXT_NUMBER_KEY, NextAccountNumber.encode({ value: BigInt(value) }).finish());
}

/** Makes an account with the next number. */
export function createAccount(
  state: MutableRecords,
  id: AccountId,
  moduleName = '',
  permissions: readonly string[] = [],
): Account {
  const number = nextAccountNumber(state);
  setNextAccountNumber(state, number + 1);
  const account = { number, sequence: 0, publicKey: EMPTY, moduleName, permissions };
  setAccount(state, id, account);
  return account;
}

const paramsCodec: RecordCodec<AuthParams> = {
  encode: (params) =>
    AuthParamsRecord.encode({
      maxMemoCharacters: BigInt(params.maxMemoCharacters),
      txSigLimit: BigInt(params.txSigLimit),
      txSizeCostPerByte: BigInt(params.txSizeCostPerByte),
      sigVerifyCostEd25519: BigInt(params.sigVerifyCostEd25519),
      sigVerifyCostSecp256k1: BigInt(params.sigVerifyCostSecp256k1),
    }).finish(),
  decode: once((bytes): AuthParams => {
    const record = AuthParamsRecord.decode(bytes);
    return {
      maxMemoCharacters: Number(record.maxMemoCharacters),
      txSigLimit: Number(record.txSigLimit),
      txSizeCostPerByte: Number(record.txSizeCostPerByte),
      sigVerifyCostEd25519: Number(record.sigVerifyCostEd25519),
      sigVerifyCostSecp256k1: Number(record.sigVerifyCostSecp256k1),
    };
  }),
};

/** Parameters in force. */
export function getAuthParams(state: Records): AuthParams {
  return readRecord(state, PARAMS_KEY, paramsCodec) ?? DEFAULT_AUTH_PARAMS;
}

/** Sets the parameters. */
export function setAuthParams(state: MutableRecords, params: AuthParams): void {
  writeRecord(state, PARAMS_KEY, paramsCodec, params);
}
