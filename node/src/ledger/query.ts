/**
 * ABCI queries: finds the path's handler and words refusals as the SDK's gRPC router does.
 *
 * Upholds: an answer is of one kept height, which it names; an unknown path is code 6; no query
 * changes anything or throws for what it was asked.
 * Paths: `/<proto service>/<Method>` of the modules and cosmos.tx.v1beta1.Service; `/store/<hex>`
 * or `/store/key` with the key as data (a raw record, with an ICS-23 proof if asked);
 * `/tx/decode` (JSON of a transaction); `/app/version`.
 * Spec: Cosmos SDK 0.50 baseapp/abci.go (`Query`, `gRPCErrorToSDKError`).
 *
 * @module
 */
import type { ProofOp, QueryRequest, QueryResponse } from '../abci/application.ts';
import { EMPTY, fromHex, utf8 } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { errors as keyErrors, MAX_KEY_BYTES } from '../types/packed-key.ts';
import { errors, refuse } from './errors.ts';
import type { Answer, QueryContext } from './module.ts';
import { queries } from './registry.ts';
import type { StateStore, StateView } from './store.ts';
import { serviceQueries, type TxSources } from './tx/service.ts';

/** What queries are answered from. */
export type QuerySources = TxSources & {
  readonly store: StateStore;
  readonly version: string;
  /** Undefined before genesis. */
  readonly running: Pick<QueryContext, 'addresses' | 'ethereum'> | undefined;
};

/** Answers a query; a refusal is an answer with its code. */
export async function answerQuery(
  request: QueryRequest,
  sources: QuerySources,
): Promise<QueryResponse> {
  const height = request.height === 0 ? sources.store.height : request.height;
  try {
    const answer = await route(request, sources, height);
    return response(answer instanceof Uint8Array ? { value: answer } : answer, height);
  } catch (thrown) {
    if (!(thrown instanceof LedgerError)) throw thrown;
    const { code, space: codespace, message: log } = thrown;
    return { ...response({ value: EMPTY }, height), code, codespace, log };
  }
}

function response(answer: Exclude<Answer, Uint8Array>, height: number): QueryResponse {
  return {
    code: 0,
    log: '',
    info: '',
    index: 0,
    key: answer.key ?? EMPTY,
    value: answer.value,
    proofOps: answer.proofOps,
    height,
    codespace: '',
  };
}

function route(
  request: QueryRequest,
  sources: QuerySources,
  height: number,
): Answer | Promise<Answer> {
  const { path, data, prove } = request;
  const { store, running } = sources;
  if (path === '/app/version') return utf8(sources.version);
  if (running === undefined) return refuse(errors.InvalidHeight, 'the chain has no block yet');
  const service = serviceQueries[path];
  if (service !== undefined) return service(sources, running.addresses, data);
  const query = queries.get(path);
  const isStore = path === '/store' || path.startsWith('/store/');
  if (query === undefined && !isStore) {
    return refuse(errors.UnknownRequest, `unknown query path ${path}`);
  }
  const view = viewAt(store, height);
  const { addresses, ethereum } = running;
  const context: QueryContext = { view, store, prove, addresses, ethereum };
  return query === undefined ? storeQuery(context, path, data) : query(context, data);
}

function viewAt(store: StateStore, height: number): StateView {
  const view = height <= store.height ? store.view(height) : undefined;
  if (view !== undefined) return view;
  const reason =
    height > store.height
      ? `cannot query with height in the future: ${height}, latest ${store.height}`
      : `the state at height ${height} is not kept`;
  return refuse(errors.InvalidHeight, reason);
}

async function storeQuery(context: QueryContext, path: string, data: Uint8Array): Promise<Answer> {
  const key = data.length > 0 ? data : (fromHex(path.slice('/store/'.length)) ?? EMPTY);
  if (key.length === 0 || key.length > MAX_KEY_BYTES) {
    throw new LedgerError(keyErrors.KeySize, { size: key.length });
  }
  const value = context.view.get(key) ?? EMPTY;
  return { key, value, ...(context.prove && { proofOps: [await proofOf(context.view, key)] }) };
}

/** The ICS-23 proof that a record is there, or that it is not. */
async function proofOf(view: StateView, key: Uint8Array): Promise<ProofOp> {
  return { type: 'ics23:metatron', key, data: await view.prove(key) };
}
