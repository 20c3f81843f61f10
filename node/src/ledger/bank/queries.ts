/**
 * Queries of cosmos.bank.v1beta1.Query.
 *
 * Upholds: lists are in order of denomination; a zero balance is answered, not omitted, where one
 * denomination is asked for. All coins are spendable.
 * Spec: Cosmos SDK 0.50 x/bank/keeper/grpc_query.go.
 *
 * @module
 */
import { present } from '../../base/errors.ts';
import { queryAccount } from '../auth/queries.ts';
import { cosmos, type PageRequest } from '../cosmos.ts';
import { grpcRefusal } from '../errors.ts';
import { KEY, key, textHash } from '../keys.ts';
import { decodeLoose } from '../loose.ts';
import type { Query, QueryContext } from '../module.ts';
import { allRecords, type Paged, pageList, pageRecords } from '../paging.ts';
import { amountCodec, balanceKey, getBalance, getSupply } from './balances.ts';
import { type Amount, isDenom } from './coins.ts';
import { MAX_DENOMS } from './denoms.ts';
import { metadataKey } from './genesis.ts';

const { bankQueries: q, bank: types } = cosmos;

type WireCoin = { denom: string; amount: string };

function toCoin({ denom, amount }: Amount): WireCoin {
  return { denom, amount: amount.toString() };
}

function checkDenom(denom: string): void {
  if (denom === '') grpcRefusal('InvalidArgument', 'empty denom');
  if (!isDenom(denom)) grpcRefusal('InvalidArgument', `invalid denom: ${denom}`);
}

const balance: Query = async (context, data) => {
  const { address, denom } = decodeLoose(q.QueryBalanceRequest, 'QueryBalanceRequest', data);
  checkDenom(denom);
  const id = queryAccount(context, address);
  const coin = toCoin({ denom, amount: getBalance(context.view, id, denom) });
  const value = q.QueryBalanceResponse.encode({ balance: coin }).finish();
  if (!context.prove) return value;
  const at = balanceKey(id, denom).bytes;
  return {
    value,
    key: at,
    proofOps: [{ type: 'ics23:metatron', key: at, data: await context.view.prove(at) }],
  };
};

/** Amounts under a key prefix, in order of denomination. */
async function amounts(
  context: QueryContext,
  prefix: Uint8Array,
  request: PageRequest | undefined,
): Promise<Paged<WireCoin>> {
  const pairs = await allRecords(context.view, prefix, MAX_DENOMS);
  const coins = pairs.map(([, bytes]) => toCoin(amountCodec.decode(bytes)));
  coins.sort((a, b) => (a.denom < b.denom ? -1 : 1));
  return pageList(coins, (coin) => coin.denom, request);
}

const allBalances: Query = async (context, data) => {
  const request = decodeLoose(q.QueryAllBalancesRequest, 'QueryAllBalancesRequest', data);
  const id = queryAccount(context, request.address);
  const page = await amounts(context, key(KEY.balance, id), request.pagination);
  const response = { balances: [...page.items], pagination: page.pagination };
  return q.QueryAllBalancesResponse.encode(response).finish();
};

const spendableBalances: Query = async (context, data) => {
  const name = 'QuerySpendableBalancesRequest';
  const request = decodeLoose(q.QuerySpendableBalancesRequest, name, data);
  const id = queryAccount(context, request.address);
  const page = await amounts(context, key(KEY.balance, id), request.pagination);
  const response = { balances: [...page.items], pagination: page.pagination };
  return q.QuerySpendableBalancesResponse.encode(response).finish();
};

const spendableByDenom: Query = (context, data) => {
  const name = 'QuerySpendableBalanceByDenomRequest';
  const { address, denom } = decodeLoose(q.QuerySpendableBalanceByDenomRequest, name, data);
  checkDenom(denom);
  const amount = getBalance(context.view, queryAccount(context, address), denom);
  const response = { balance: toCoin({ denom, amount }) };
  return q.QuerySpendableBalanceByDenomResponse.encode(response).finish();
};

const totalSupply: Query = async (context, data) => {
  const request = decodeLoose(q.QueryTotalSupplyRequest, 'QueryTotalSupplyRequest', data);
  const page = await amounts(context, key(KEY.supply), request.pagination);
  const response = { supply: [...page.items], pagination: page.pagination };
  return q.QueryTotalSupplyResponse.encode(response).finish();
};

const supplyOf: Query = (context, data) => {
  const { denom } = decodeLoose(q.QuerySupplyOfRequest, 'QuerySupplyOfRequest', data);
  checkDenom(denom);
  const amount = toCoin({ denom, amount: getSupply(context.view, denom) });
  return q.QuerySupplyOfResponse.encode({ amount }).finish();
};

const params: Query = () => {
  const params = types.Params.fromPartial({ defaultSendEnabled: true });
  return q.QueryParamsResponse.encode({ params }).finish();
};

function metadataOf(context: QueryContext, denom: string): Uint8Array {
  checkDenom(denom);
  const bytes = context.view.get(metadataKey(denom));
  return bytes ?? grpcRefusal('NotFound', `client metadata for denom ${denom}`);
}

const denomMetadata: Query = (context, data) => {
  const name = 'QueryDenomMetadataRequest';
  const { denom } = decodeLoose(q.QueryDenomMetadataRequest, name, data);
  const metadata = types.Metadata.decode(metadataOf(context, denom));
  return q.QueryDenomMetadataResponse.encode({ metadata }).finish();
};

const denomMetadataByQuery: Query = (context, data) => {
  const name = 'QueryDenomMetadataByQueryStringRequest';
  const { denom } = decodeLoose(q.QueryDenomMetadataByQueryStringRequest, name, data);
  const metadata = types.Metadata.decode(metadataOf(context, denom));
  return q.QueryDenomMetadataByQueryStringResponse.encode({ metadata }).finish();
};

const denomsMetadata: Query = async (context, data) => {
  const name = 'QueryDenomsMetadataRequest';
  const request = decodeLoose(q.QueryDenomsMetadataRequest, name, data);
  const pairs = await allRecords(context.view, key(KEY.denomMetadata), MAX_DENOMS);
  const all = pairs.map(([, bytes]) => types.Metadata.decode(bytes));
  all.sort((a, b) => (a.base < b.base ? -1 : 1));
  const page = pageList(all, (metadata) => metadata.base, request.pagination);
  const response = { metadatas: [...page.items], pagination: page.pagination };
  return q.QueryDenomsMetadataResponse.encode(response).finish();
};

const denomOwners: Query = async (context, data) => {
  const name = 'QueryDenomOwnersRequest';
  const { denom, pagination } = decodeLoose(q.QueryDenomOwnersRequest, name, data);
  checkDenom(denom);
  const prefix = key(KEY.denomOwner, textHash(denom));
  const page = await pageRecords(context.view, prefix, pagination);
  const owners = page.items.map(([at]) => {
    const id = at.subarray(prefix.length);
    const bytes = present(
      context.view.get(balanceKey(id, denom).bytes),
      'balance of a listed owner',
    );
    return { address: context.addresses.text(id), balance: toCoin(amountCodec.decode(bytes)) };
  });
  const response = { denomOwners: owners, pagination: page.pagination };
  return q.QueryDenomOwnersResponse.encode(response).finish();
};

const sendEnabled: Query = () => q.QuerySendEnabledResponse.encode({ sendEnabled: [] }).finish();

const PATH = '/cosmos.bank.v1beta1.Query/';

/** The queries, by path. */
export const queries: Readonly<Record<string, Query>> = {
  [`${PATH}Balance`]: balance,
  [`${PATH}AllBalances`]: allBalances,
  [`${PATH}SpendableBalances`]: spendableBalances,
  [`${PATH}SpendableBalanceByDenom`]: spendableByDenom,
  [`${PATH}TotalSupply`]: totalSupply,
  [`${PATH}SupplyOf`]: supplyOf,
  [`${PATH}Params`]: params,
  [`${PATH}DenomMetadata`]: denomMetadata,
  [`${PATH}DenomMetadataByQueryString`]: denomMetadataByQuery,
  [`${PATH}DenomsMetadata`]: denomsMetadata,
  [`${PATH}DenomOwners`]: denomOwners,
  [`${PATH}SendEnabled`]: sendEnabled,
};
