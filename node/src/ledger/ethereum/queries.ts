/**
 * Queries of metatron.evm.v1.Query: what Ethereum tools are answered from.
 *
 * Upholds: answers are of the asked height; a transaction or block that is not there is answered
 * with nothing, not refused.
 * Absent here: calls and gas estimates, which run code.
 *
 * @module
 */
import { EMPTY, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { ADDRESS_BYTES } from '../../base/limits.ts';
import * as q from '../../gen/metatron/evm/v1/query.ts';
import type { AccountId } from '../addresses.ts';
import { type Account, getAccount } from '../auth/accounts.ts';
import { resolve } from '../auth/aliases.ts';
import { queryAccount } from '../auth/queries.ts';
import { getBalance } from '../bank/balances.ts';
import { BASE_DENOM } from '../denom.ts';
import { grpcRefusal } from '../errors.ts';
import { codeRow, contractKey, DELEGATION_BYTES, slotKey } from '../evm/records.ts';
import { keccak256 } from '../keccak.ts';
import { decodeLoose } from '../loose.ts';
import type { Query, QueryContext } from '../module.ts';
import type { StateView } from '../store.ts';
import { readKey } from '../tx/signer.ts';
import { anyCodec } from '../tx/wire.ts';
import { getFeeMarket } from './fee-market.ts';
import { getEthereumParams } from './params.ts';
import { receiptAt, receiptOf, summaryOf } from './receipts.ts';

/** Most receipts in an answer: more than a block's gas pays for. */
const MAX_RECEIPTS = 10_000;
const WORD = 32;

const params: Query = ({ ethereum, view }) => {
  const { minBaseFee } = getEthereumParams(view);
  return q.QueryParamsResponse.encode({
    chainId: ethereum.chainId,
    minBaseFee: String(minBaseFee),
    blockGasLimit: ethereum.terms.gasLimit,
  }).finish();
};

/** The account of an address of either kind. @throws LedgerError sdk/18 */
function accountOf(context: QueryContext, text: string): AccountId {
  if (!text.startsWith('0x')) return queryAccount(context, text);
  const address = fromHex(text.slice(2));
  if (address?.length === ADDRESS_BYTES) return resolve(context.view, address);
  return grpcRefusal('InvalidArgument', 'an address is 0x and 40 hex digits, or bech32');
}

/** The address that the EVM knows an account by. */
function evmAddressOf(
  context: QueryContext,
  id: AccountId,
  account: Account | undefined,
): Uint8Array {
  if (account === undefined || account.publicKey.length === 0) return id;
  const { keys, threshold } = readKey(anyCodec.decode(account.publicKey));
  const faces = threshold === 0 ? context.ethereum.faces(keys[0] as Uint8Array) : undefined;
  return faces?.address ?? id;
}

const account: Query = (context, data) => {
  const { address } = decodeLoose(q.QueryAccountRequest, 'QueryAccountRequest', data);
  const id = accountOf(context, address);
  const found = getAccount(context.view, id);
  return q.QueryAccountResponse.encode({
    address: context.addresses.text(id),
    evmAddress: evmAddressOf(context, id, found),
    balance: String(getBalance(context.view, id, BASE_DENOM)),
    nonce: BigInt(found?.sequence ?? 0),
    codeHash: codeHash(context.view, id),
  }).finish();
};

/** The hash of an account's code, or its delegation, which is its own code. */
function codeRecord(view: StateView, id: AccountId): Uint8Array | undefined {
  return view.get(contractKey(id).bytes);
}

function codeHash(view: StateView, id: AccountId): Uint8Array {
  const record = codeRecord(view, id) ?? EMPTY;
  return record.length === DELEGATION_BYTES ? keccak256(record) : record;
}

function addressBytes(bytes: Uint8Array): Uint8Array {
  return bytes.length === ADDRESS_BYTES
    ? bytes
    : grpcRefusal('InvalidArgument', 'an address has 20 bytes');
}

const storage: Query = ({ view }, data) => {
  const request = decodeLoose(q.QueryStorageRequest, 'QueryStorageRequest', data);
  if (request.slot.length !== WORD) grpcRefusal('InvalidArgument', 'a slot has 32 bytes');
  const id = resolve(view, addressBytes(request.address));
  const found = view.get(slotKey(id, request.slot).bytes) ?? EMPTY;
  const value = new Uint8Array(WORD);
  value.set(found, WORD - found.length);
  return q.QueryStorageResponse.encode({ value }).finish();
};

const baseFee: Query = ({ view, ethereum }) => {
  const last = getFeeMarket(view);
  const { height } = view;
  return q.QueryBaseFeeResponse.encode({
    baseFee: String(ethereum.baseFee(view, height)),
    nextBaseFee: String(ethereum.baseFee(view, height + 1)),
    gasUsed: last?.height === height ? BigInt(last.gasUsed) : 0n,
  }).finish();
};

const receipt: Query = ({ view }, data) => {
  const { hash } = decodeLoose(q.QueryReceiptRequest, 'QueryReceiptRequest', data);
  if (hash.length !== WORD) grpcRefusal('InvalidArgument', 'a hash has 32 bytes');
  return q.QueryReceiptResponse.encode({ receipt: receiptOf(view, hash) }).finish();
};

function heightOf({ view }: QueryContext, asked: bigint): number {
  return asked === 0n ? view.height : Number(asked);
}

const blockReceipts: Query = (context, data) => {
  const request = decodeLoose(q.QueryBlockReceiptsRequest, 'QueryBlockReceiptsRequest', data);
  const height = heightOf(context, request.height);
  const count = Math.min(summaryOf(context.view, height)?.txCount ?? 0, MAX_RECEIPTS);
  const receipts = Array.from({ length: count }, (_, i) => receiptAt(context.view, height, i));
  const found = receipts.filter((one) => one !== undefined);
  return q.QueryBlockReceiptsResponse.encode({ receipts: found }).finish();
};

const block: Query = (context, data) => {
  const request = decodeLoose(q.QueryBlockRequest, 'QueryBlockRequest', data);
  const summary = summaryOf(context.view, heightOf(context, request.height));
  return q.QueryBlockResponse.encode({ summary }).finish();
};

const code: Query = ({ view }, data) => {
  const request = decodeLoose(q.QueryCodeRequest, 'QueryCodeRequest', data);
  const record = codeRecord(view, resolve(view, addressBytes(request.address))) ?? EMPTY;
  const isCode = record.length === 0 || record.length === DELEGATION_BYTES;
  const found = isCode ? record : present(view.row(codeRow(record)), 'row of a code');
  return q.QueryCodeResponse.encode({ code: found }).finish();
};

const PATH = '/metatron.evm.v1.Query/';

/** The queries, by path; `Wrap` is answered by tx/service.ts. */
export const queries: Readonly<Record<string, Query>> = {
  [`${PATH}Params`]: params,
  [`${PATH}Account`]: account,
  [`${PATH}Code`]: code,
  [`${PATH}Storage`]: storage,
  [`${PATH}BaseFee`]: baseFee,
  [`${PATH}Receipt`]: receipt,
  [`${PATH}BlockReceipts`]: blockReceipts,
  [`${PATH}Block`]: block,
};
