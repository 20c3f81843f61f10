/**
 * Calling a node: JSON-RPC over HTTP, and ABCI queries on top of it.
 *
 * Upholds: a refusal of the node is an error with its codespace and code; a request ends after its
 * timeout, and an answer has at most 64 MiB.
 *
 * @module
 */
import { fromBase64, toHex } from '../base/bytes.ts';
import { describe, LedgerError } from '../base/errors.ts';
import { base64, items, member, text, whole } from './comet-json.ts';
import { errors } from './errors.ts';

/** Calls an RPC method and gives its result. */
export type Rpc = (method: string, params: Readonly<Record<string, unknown>>) => Promise<unknown>;

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_CHARS = 67_108_864;

function fail(method: string, reason: string): never {
  throw new LedgerError(errors.Rpc, { method, reason });
}

async function post(url: string, method: string, body: string): Promise<string> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    const length = Number(response.headers.get('content-length') ?? 0);
    if (length > MAX_ANSWER_CHARS) return fail(method, `an answer of ${length} bytes`);
    return await response.text();
  } catch (thrown) {
    if (thrown instanceof LedgerError) throw thrown;
    return fail(method, describe(thrown));
  }
}

/** RPC over HTTP to a node's RPC address, such as `http://127.0.0.1:26657`. */
export function httpRpc(url: string): Rpc {
  let id = 0;
  return async (method, params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params });
    const answer = await post(url, method, body);
    const json = parse(method, answer);
    const error = json['error'];
    if (typeof error === 'object' && error !== null) {
      const { message, data } = error as { message?: unknown; data?: unknown };
      return fail(method, `${String(message)}: ${String(data ?? '')}`);
    }
    return json['result'];
  };
}

function parse(method: string, answer: string): Readonly<Record<string, unknown>> {
  try {
    return member({ answer: JSON.parse(answer) as unknown }, 'answer');
  } catch (thrown) {
    return fail(method, describe(thrown));
  }
}

/** An ABCI query's answer. */
export type Answer = { readonly value: Uint8Array; readonly height: number };

/**
 * Asks the application.
 *
 * @param height - 0 for the latest
 * @throws LedgerError rpc-client/2 with the ledger's codespace and code
 */
export async function abciQuery(
  rpc: Rpc,
  path: string,
  data: Uint8Array,
  height = 0,
): Promise<Answer> {
  const response = await ask(rpc, path, data, height, false);
  const value = fromBase64(text(response, 'value')) ?? fail('abci_query', 'value is not base64');
  return { value, height: whole(response, 'height') };
}

async function ask(
  rpc: Rpc,
  path: string,
  data: Uint8Array,
  height: number,
  prove: boolean,
): Promise<Readonly<Record<string, unknown>>> {
  const params = { path, data: toHex(data), height: String(height), prove };
  const response = member(await rpc('abci_query', params), 'response');
  const code = whole(response, 'code');
  if (code !== 0) {
    const space = text(response, 'codespace');
    throw new LedgerError(errors.Query, { path, space, code, log: text(response, 'log') });
  }
  return response;
}

/** A record of the state, empty if there is none, and the ICS-23 proof of that. */
export type ProvenRecord = { readonly record: Uint8Array; readonly stateProof: Uint8Array };

/** The record under `key` in the state after `height`, with its proof. @throws rpc-client/2 */
export async function proveRecord(
  rpc: Rpc,
  key: Uint8Array,
  height: number,
): Promise<ProvenRecord> {
  const response = await ask(rpc, '/store/key', key, height, true);
  const [op] = items(member(response, 'proofOps'), 'ops');
  return { record: base64(response, 'value'), stateProof: base64(member({ op }, 'op'), 'data') };
}
