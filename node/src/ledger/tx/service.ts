/**
 * Queries of cosmos.tx.v1beta1.Service, and a transaction as JSON for people.
 *
 * Upholds: a simulation runs the transaction as a block would, except that signatures are not
 * checked and gas has no bound; it changes nothing.
 * Absent here: BroadcastTx (the RPC's business) and GetTxsEvent (tx_search finds transactions).
 * Spec: Cosmos SDK 0.50 x/auth/tx/service.go.
 *
 * @module
 */
import { EMPTY, fromHex, toUpperHex, utf8 } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import * as evm from '../../gen/metatron/evm/v1/query.ts';
import type { AbciEvent, ExecTxResult, TxResult } from '../../types/results.ts';
import { formatTime, type Time } from '../../types/time.ts';
import type { Addresses } from '../addresses.ts';
import { cosmos, type Event } from '../cosmos.ts';
import { errors, grpcRefusal, refuse } from '../errors.ts';
import { wrapEthereumTx } from '../ethereum/wrapper.ts';
import { decodeLoose } from '../loose.ts';
import type { Answer } from '../module.ts';
import type { DecodedTx } from './decode.ts';
import { txMsgDataCodec } from './wire.ts';

const { txService: q, tx: types, abci } = cosmos;

/** A transaction of a block, and the block's time. */
export type FoundTx = TxResult & { readonly time: Time };

/** Finds a committed transaction by its hash. */
export type TxLookup = (hash: Uint8Array) => FoundTx | undefined | Promise<FoundTx | undefined>;

/** What the service is answered from. */
export type TxSources = {
  readonly findTx: TxLookup | undefined;
  /** @throws LedgerError if the transaction does not decode */
  readonly decode: (tx: Uint8Array) => DecodedTx;
  /** @throws LedgerError if the transaction does not decode */
  readonly simulate: (tx: Uint8Array) => Promise<ExecTxResult>;
};

type ServiceQuery = (
  sources: TxSources,
  addresses: Addresses,
  data: Uint8Array,
) => Answer | Promise<Answer>;

function wireEvents(events: readonly AbciEvent[]): Event[] {
  return events.map(({ type, attributes }) => ({
    type,
    attributes: attributes.map((a) => ({ ...a })),
  }));
}

const simulate: ServiceQuery = async (sources, _addresses, data) => {
  const request = decodeLoose(q.SimulateRequest, 'SimulateRequest', data);
  const bytes =
    request.txBytes.length === 0 && request.tx !== undefined
      ? types.Tx.encode(request.tx).finish()
      : request.txBytes;
  if (bytes.length === 0) return grpcRefusal('InvalidArgument', 'empty txBytes is not allowed');
  const result = await sources.simulate(bytes);
  if (result.code !== 0) return refuseSimulation(result);
  const msgResponses = txMsgDataCodec.decode(result.data).msgResponses.map((any) => ({ ...any }));
  const response = {
    gasInfo: { gasWanted: BigInt(result.gasWanted), gasUsed: BigInt(result.gasUsed) },
    result: { data: EMPTY, log: '', events: wireEvents(result.events), msgResponses },
  };
  return q.SimulateResponse.encode(response).finish();
};

/** The refusal of a simulated transaction, with the code it would have in a block. */
function refuseSimulation(result: ExecTxResult): never {
  const { code, codespace: space, log } = result;
  throw new LedgerError({ space, code, blame: 'client', message: () => log }, {});
}

const getTx: ServiceQuery = async (sources, _addresses, data) => {
  const { hash } = decodeLoose(q.GetTxRequest, 'GetTxRequest', data);
  if (hash === '') return grpcRefusal('InvalidArgument', 'tx hash cannot be empty');
  const bytes = fromHex(hash);
  if (bytes?.length !== 32) return grpcRefusal('InvalidArgument', `invalid tx hash ${hash}`);
  if (sources.findTx === undefined) {
    return refuse(errors.NotSupported, 'this node keeps no index of transactions');
  }
  const found = await sources.findTx(bytes);
  if (found === undefined) return grpcRefusal('NotFound', `tx not found: ${toUpperHex(bytes)}`);
  const { result } = found;
  // A Tx has the same bytes as its TxRaw.
  const tx = decodeLoose(types.Tx, 'Tx', found.tx);
  const txResponse = abci.TxResponse.fromPartial({
    height: BigInt(found.height),
    txhash: toUpperHex(bytes),
    codespace: result.codespace,
    code: result.code,
    data: toUpperHex(result.data),
    rawLog: result.log,
    info: result.info,
    gasWanted: BigInt(result.gasWanted),
    gasUsed: BigInt(result.gasUsed),
    tx: { typeUrl: '/cosmos.tx.v1beta1.Tx', value: found.tx },
    timestamp: formatTime(found.time),
    events: wireEvents(result.events),
  });
  return q.GetTxResponse.encode({ tx, txResponse }).finish();
};

const txDecode: ServiceQuery = (_sources, _addresses, data) => {
  const { txBytes } = decodeLoose(q.TxDecodeRequest, 'TxDecodeRequest', data);
  if (txBytes.length === 0) return grpcRefusal('InvalidArgument', 'invalid empty tx bytes');
  const tx = decodeLoose(types.Tx, 'Tx', txBytes);
  return q.TxDecodeResponse.encode({ tx }).finish();
};

/** A decoded transaction as `/tx/decode` answers it: JSON. */
export type TxJson = {
  readonly hash: string;
  readonly signers: readonly string[];
  readonly sequences: readonly string[];
  readonly memo: string;
  readonly timeoutHeight: string;
  readonly fee: {
    readonly amount: readonly { readonly denom: string; readonly amount: string }[];
    readonly gasLimit: string;
    readonly payer: string;
  };
  /** Message values are their amino JSON. */
  readonly messages: readonly {
    readonly typeUrl: string;
    readonly module: string;
    readonly signers: readonly string[];
    readonly value: object;
  }[];
};

function txJson(bytes: Uint8Array, tx: DecodedTx, addresses: Addresses): TxJson {
  const text = (id: Uint8Array): string => addresses.text(id);
  return {
    hash: toUpperHex(sha256(bytes)),
    signers: tx.signers.map(text),
    sequences: tx.sequences.map(String),
    memo: tx.body.memo,
    timeoutHeight: String(tx.body.timeoutHeight),
    fee: {
      amount: tx.fee.map(({ denom, amount }) => ({ denom, amount: String(amount) })),
      gasLimit: String(tx.gasLimit),
      payer: text(tx.payer),
    },
    messages: tx.messages.map((message) => ({
      typeUrl: message.typeUrl,
      module: message.module,
      signers: message.signers.map(text),
      value: message.amino().value,
    })),
  };
}

const decodeJson: ServiceQuery = (sources, addresses, data) => {
  const tx = sources.decode(data);
  return utf8(JSON.stringify(txJson(data, tx, addresses)));
};

const wrapTx: ServiceQuery = (sources, _addresses, data) => {
  const { raw } = decodeLoose(evm.QueryWrapRequest, 'QueryWrapRequest', data);
  const tx = wrapEthereumTx(raw);
  const { ethereum } = sources.decode(tx);
  return evm.QueryWrapResponse.encode({
    tx,
    hash: ethereum?.tx.hash ?? EMPTY,
    from: ethereum?.sender.address ?? EMPTY,
  }).finish();
};

const PATH = '/cosmos.tx.v1beta1.Service/';

/** The queries, by path. */
export const serviceQueries: Readonly<Record<string, ServiceQuery>> = {
  [`${PATH}Simulate`]: simulate,
  [`${PATH}GetTx`]: getTx,
  [`${PATH}TxDecode`]: txDecode,
  '/tx/decode': decodeJson,
  '/metatron.evm.v1.Query/Wrap': wrapTx,
};
