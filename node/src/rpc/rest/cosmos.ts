/**
 * The few Cosmos SDK messages that REST and commands read: an account, its balances, what a
 * transaction carries.
 *
 * Upholds: decoding is strict, as the ledger's own answers are canonical.
 * Spec: cosmos.auth.v1beta1 and cosmos.bank.v1beta1 of Cosmos SDK 0.50.
 *
 * @module
 */
import { attempt, LedgerError } from '../../base/errors.ts';
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

type TxRaw = {
  readonly body: Uint8Array;
  readonly authInfo: Uint8Array;
  readonly signatures: readonly Uint8Array[];
};

/** Bytes of a transaction, at most: more than a block holds. */
const MAX_TX = 4_194_304;

const txRawCodec: Codec<TxRaw> = message<TxRaw>('TxRaw', {
  body: bytes(1, MAX_TX),
  authInfo: bytes(2, MAX_VALUE),
  signatures: bytesList(3, MAX_TEXT, 1),
});

const carriedCodec: Codec<Any> = message<Any>('Any', {
  typeUrl: text(1, MAX_TEXT),
  value: bytes(2, MAX_TX),
});

/** The body of a transaction that carries an Ethereum transaction and nothing else. */
const carrierCodec: Codec<{ readonly messages: readonly Any[]; readonly options: readonly Any[] }> =
  message('TxBody', { messages: list(1, carriedCodec, 1), options: list(1023, anyCodec, 1) });

const answersCodec: Codec<{ readonly answers: readonly Any[] }> = message('TxMsgData', {
  answers: list(2, carriedCodec, MAX_COINS),
});

/** The one message of a transaction of the kind that carries Ethereum transactions. */
export function carriedMessage(tx: Uint8Array): Any | undefined {
  const body = attempt(() => carrierCodec.decode(txRawCodec.decode(tx).body));
  return body instanceof LedgerError ? undefined : body.messages[0];
}

/** The answer of a transaction's first message, from the data of its result. */
export function firstAnswer(data: Uint8Array): Any | undefined {
  return answersCodec.decode(data).answers[0];
}
