/**
 * Queries of cosmos.auth.v1beta1.Query.
 *
 * Upholds: an account that does not exist is answered with the NotFound text that clients read.
 * Absent here: AccountAddressByID, for which there is no index.
 * Spec: Cosmos SDK 0.50 x/auth/keeper/grpc_query.go.
 *
 * @module
 */
import { LedgerError } from '../../base/errors.ts';
import { ADDRESS_BYTES } from '../../base/limits.ts';
import { type AccountId, moduleAccountId } from '../addresses.ts';
import { type Any, type BaseAccount, cosmos } from '../cosmos.ts';
import { grpcRefusal } from '../errors.ts';
import { KEY, key } from '../keys.ts';
import { decodeLoose } from '../loose.ts';
import type { Query, QueryContext } from '../module.ts';
import { pageRecords } from '../paging.ts';
import { anyCodec } from '../tx/wire.ts';
import { type Account, accountCodec, getAccount, getAuthParams } from './accounts.ts';
import { resolveId } from './aliases.ts';

const { authQueries: q, auth: types } = cosmos;

/** Accounts that modules hold; each name's id is derived from it. */
const MODULE_ACCOUNTS: readonly string[] = ['fee_collector'];

/** The id of an address in a query. @throws LedgerError sdk/18 in gRPC's words */
function queryAddress(context: QueryContext, text: string): AccountId {
  try {
    return context.addresses.id(text, 'address');
  } catch (thrown) {
    if (thrown instanceof LedgerError) return grpcRefusal('InvalidArgument', thrown.message);
    throw thrown;
  }
}

/** The id of the account that an address in a query belongs to. @throws LedgerError sdk/18 */
export function queryAccount(context: QueryContext, text: string): AccountId {
  return resolveId(context.view, queryAddress(context, text));
}

function baseAccount(context: QueryContext, id: AccountId, account: Account): BaseAccount {
  const pubKey = account.publicKey.length > 0 ? anyCodec.decode(account.publicKey) : undefined;
  return types.BaseAccount.fromPartial({
    address: context.addresses.text(id),
    ...(pubKey && { pubKey: { typeUrl: pubKey.typeUrl, value: pubKey.value } }),
    accountNumber: BigInt(account.number),
    sequence: BigInt(account.sequence),
  });
}

function accountAny(context: QueryContext, id: AccountId, account: Account): Any {
  const base = baseAccount(context, id, account);
  if (account.moduleName === '') {
    const value = types.BaseAccount.encode(base).finish();
    return { typeUrl: '/cosmos.auth.v1beta1.BaseAccount', value };
  }
  const value = types.ModuleAccount.encode({
    baseAccount: base,
    name: account.moduleName,
    permissions: [...account.permissions],
  }).finish();
  return { typeUrl: '/cosmos.auth.v1beta1.ModuleAccount', value };
}

function findAccount(context: QueryContext, address: string): [AccountId, Account] {
  if (address === '') return grpcRefusal('InvalidArgument', 'Address cannot be empty');
  const id = queryAccount(context, address);
  const account = getAccount(context.view, id);
  return account === undefined
    ? grpcRefusal('NotFound', `account ${address} not found`)
    : [id, account];
}

function moduleAccount(context: QueryContext, name: string): Any | undefined {
  const id = moduleAccountId(name);
  const account = getAccount(context.view, id);
  return account && accountAny(context, id, account);
}

const account: Query = (context, data) => {
  const { address } = decodeLoose(q.QueryAccountRequest, 'QueryAccountRequest', data);
  const found = findAccount(context, address);
  return q.QueryAccountResponse.encode({ account: accountAny(context, ...found) }).finish();
};

const accountInfo: Query = (context, data) => {
  const { address } = decodeLoose(q.QueryAccountInfoRequest, 'QueryAccountInfoRequest', data);
  const found = findAccount(context, address);
  return q.QueryAccountInfoResponse.encode({ info: baseAccount(context, ...found) }).finish();
};

const accounts: Query = async (context, data) => {
  const { pagination } = decodeLoose(q.QueryAccountsRequest, 'QueryAccountsRequest', data);
  const page = await pageRecords(context.view, key(KEY.account), pagination);
  const list = page.items.map(([at, bytes]) =>
    accountAny(context, at.subarray(1), accountCodec.decode(bytes)),
  );
  const response = { accounts: list, pagination: page.pagination };
  return q.QueryAccountsResponse.encode(response).finish();
};

const params: Query = (context) => {
  const p = getAuthParams(context.view);
  const params = types.Params.fromPartial({
    maxMemoCharacters: BigInt(p.maxMemoCharacters),
    txSigLimit: BigInt(p.txSigLimit),
    txSizeCostPerByte: BigInt(p.txSizeCostPerByte),
    sigVerifyCostEd25519: BigInt(p.sigVerifyCostEd25519),
    sigVerifyCostSecp256k1: BigInt(p.sigVerifyCostSecp256k1),
  });
  return q.QueryParamsResponse.encode({ params }).finish();
};

const moduleAccounts: Query = (context) => {
  const found = MODULE_ACCOUNTS.map((name) => moduleAccount(context, name));
  const accounts = found.filter((any) => any !== undefined);
  return q.QueryModuleAccountsResponse.encode({ accounts }).finish();
};

const moduleAccountByName: Query = (context, data) => {
  const request = q.QueryModuleAccountByNameRequest;
  const { name } = decodeLoose(request, 'QueryModuleAccountByNameRequest', data);
  const any = moduleAccount(context, name);
  if (any === undefined) return grpcRefusal('NotFound', `account ${name} not found`);
  return q.QueryModuleAccountByNameResponse.encode({ account: any }).finish();
};

const bech32Prefix: Query = (context) =>
  q.Bech32PrefixResponse.encode({ bech32Prefix: context.addresses.prefix }).finish();

const bytesToString: Query = (context, data) => {
  const request = q.AddressBytesToStringRequest;
  const { addressBytes } = decodeLoose(request, 'AddressBytesToStringRequest', data);
  if (addressBytes.length !== ADDRESS_BYTES) {
    return grpcRefusal('InvalidArgument', 'address length must be 20 bytes');
  }
  const addressString = context.addresses.text(addressBytes);
  return q.AddressBytesToStringResponse.encode({ addressString }).finish();
};

const stringToBytes: Query = (context, data) => {
  const request = q.AddressStringToBytesRequest;
  const { addressString } = decodeLoose(request, 'AddressStringToBytesRequest', data);
  const addressBytes = queryAddress(context, addressString);
  return q.AddressStringToBytesResponse.encode({ addressBytes }).finish();
};

const PATH = '/cosmos.auth.v1beta1.Query/';

/** The queries, by path. */
export const queries: Readonly<Record<string, Query>> = {
  [`${PATH}Account`]: account,
  [`${PATH}AccountInfo`]: accountInfo,
  [`${PATH}Accounts`]: accounts,
  [`${PATH}Params`]: params,
  [`${PATH}ModuleAccounts`]: moduleAccounts,
  [`${PATH}ModuleAccountByName`]: moduleAccountByName,
  [`${PATH}Bech32Prefix`]: bech32Prefix,
  [`${PATH}AddressBytesToString`]: bytesToString,
  [`${PATH}AddressStringToBytes`]: stringToBytes,
};
