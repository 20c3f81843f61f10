/**
 * The few Cosmos SDK messages REST reads: an account, its balances.
 *
 * Upholds: decoding is strict, as the ledger's own answers are canonical.
 * Spec: cosmos.auth.v1beta1 and cosmos.bank.v1beta1 of Cosmos SDK 0.50.
 *
 * @module
 */
import {
  always,
  bytes,
  bytesList,
  type Codec,
  list,
  message,
  optional,
  text,
  uint,
} from '../../base/proto.ts';

const MAX_TEXT = 256;
const MAX_VALUE = 65_536;
/** Balances in one answer, as the ledger pages them. */
const MAX_COINS = 1_000;

type Any = { readonly typeUrl: string; readonly value: Uint8Array };

const anyCodec: Codec<Any> = message<Any>('Any', {
  typeUrl: text(1, MAX_TEXT),
  value: bytes(2, MAX_VALUE),
});

/** cosmos.auth.v1beta1.QueryAccountRequest and cosmos.bank.v1beta1.QueryAllBalancesRequest. */
export const addressRequestCodec: Codec<{ readonly address: string }> = message('AddressRequest', {
  address: text(1, MAX_TEXT),
});

const accountAnswerCodec: Codec<{ readonly account: Any }> = message('QueryAccountResponse', {
  account: always(1, anyCodec),
});

/** cosmos.auth.v1beta1.BaseAccount. */
export type BaseAccount = {
  readonly address: string;
  readonly publicKey: Any | undefined;
  readonly accountNumber: number;
  readonly sequence: number;
};

const baseAccountCodec: Codec<BaseAccount> = message<BaseAccount>('BaseAccount', {
  address: text(1, MAX_TEXT),
  publicKey: optional(2, anyCodec),
  accountNumber: uint(3),
  sequence: uint(4),
});

type ModuleAccount = {
  readonly base: BaseAccount;
  readonly name: string;
  readonly permissions: readonly Uint8Array[];
};

const keyCodec: Codec<{ readonly key: Uint8Array }> = message('PubKey', {
  key: bytes(1, MAX_VALUE),
});

/** The account in a QueryAccountResponse. @throws LedgerError codec/1 */
export function readAccount(answer: Uint8Array): BaseAccount {
  const { typeUrl, value } = accountAnswerCodec.decode(answer).account;
  if (!typeUrl.endsWith('.ModuleAccount')) return baseAccountCodec.decode(value);
  return moduleAccountCodec.decode(value).base;
}

const moduleAccountCodec: Codec<ModuleAccount> = message<ModuleAccount>('ModuleAccount', {
  base: always(1, baseAccountCodec),
  name: text(2, MAX_TEXT),
  permissions: bytesList(3, MAX_TEXT, MAX_COINS),
});

/** The key's bytes, if the key is of one of the plain kinds. */
export function readKey(any: Any | undefined): Uint8Array | undefined {
  return any?.typeUrl.endsWith('.PubKey') ? keyCodec.decode(any.value).key : undefined;
}

/** cosmos.base.v1beta1.Coin. */
export type Coin = { readonly denom: string; readonly amount: string };

const coinCodec: Codec<Coin> = message<Coin>('Coin', {
  denom: text(1, MAX_TEXT),
  amount: text(2, MAX_TEXT),
});

type PageResponse = { readonly nextKey: Uint8Array; readonly total: number };

const balancesCodec: Codec<{
  readonly balances: readonly Coin[];
  readonly pagination: PageResponse | undefined;
}> = message('QueryAllBalancesResponse', {
  balances: list(1, coinCodec, MAX_COINS),
  pagination: optional(
    2,
    message<PageResponse>('PageResponse', { nextKey: bytes(1, MAX_VALUE), total: uint(2) }),
  ),
});

/** The coins in a QueryAllBalancesResponse. @throws LedgerError codec/1 */
export function readBalances(answer: Uint8Array): readonly Coin[] {
  return balancesCodec.decode(answer).balances;
}
