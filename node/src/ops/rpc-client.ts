/**
 * A small client of CometBFT's JSON-RPC, for the command line and the devnet.
 *
 * Upholds: an unreachable node, a slow one and a refusal are three different errors, each with what
 * to do. Answers are not trusted: callers read fields through `pick`.
 * Absent here: proofs; node/src/client verifies those.
 *
 * @module
 */
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { Rpc } from '../client/rpc.ts';
import { isEthereum, rpcBeside, whatToTake } from './wrong-node.ts';

/** Failures of a call. */
export const errors: {
  readonly Unreachable: ErrorSpec<{ readonly url: string; readonly reason: string }>;
  readonly Refused: ErrorSpec<{ readonly method: string; readonly reason: string }>;
  readonly Malformed: ErrorSpec<{ readonly method: string; readonly reason: string }>;
  readonly WrongNode: ErrorSpec<{ readonly url: string; readonly what: string; use: string }>;
} = {
  Unreachable: errorSpec(
    'client',
    1,
    'client',
    (p) =>
      `cannot reach ${p.url} (${p.reason}): start a node ("metatron devnet"), ` +
      'or name another with --node',
  ),
  Refused: errorSpec('client', 2, 'client', (p) => `${p.method}: ${p.reason}`),
  Malformed: errorSpec(
    'client',
    3,
    'client',
    (p) => `${p.method}: the answer is not CometBFT's (${p.reason}): check --node`,
  ),
  WrongNode: errorSpec(
    'client',
    4,
    'client',
    (p) => `${p.url} is ${p.what}, and CometBFT's RPC is wanted: ${p.use}`,
  ),
};

const TIMEOUT_MS = 15_000;

/** The value at a path of names, or `undefined`. */
export function pick(value: unknown, ...path: readonly (string | number)[]): unknown {
  let at = value;
  for (const name of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<string | number, unknown>>)[name];
  }
  return at;
}

/** The text at a path, or ''. */
export function pickText(value: unknown, ...path: readonly (string | number)[]): string {
  const found = pick(value, ...path);
  return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
}

/** An http address of a node, from `host:port`, `tcp://…` or `http://…`. */
export function httpUrl(node: string): string {
  const bare = node.replace(/^tcp:/, 'http:');
  return /^https?:/.test(bare) ? bare : `http://${bare}`;
}

type Reply = { readonly status: number; readonly text: string };

async function post(url: string, body: string): Promise<Reply> {
  const headers = { 'content-type': 'application/json' };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const answer = await fetch(url, { method: 'POST', headers, body, signal });
  return { status: answer.status, text: await answer.text() };
}

/** The JSON of a text; nothing if it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonOf(cause: unknown): string {
  const inner = cause instanceof Error ? cause.cause : undefined;
  const code = pickText(inner, 'code');
  if (code !== '') return code;
  return inner instanceof Error ? describe(inner) : describe(cause);
}

async function wrongNode(url: string, what: string, cause?: unknown): Promise<never> {
  const use = whatToTake(await rpcBeside(url));
  throw new LedgerError(errors.WrongNode, { url, what, use }, cause);
}

/** Methods that only Ethereum's JSON-RPC has. */
const ETHEREUM = /^(?:eth|web3|debug|txpool)_/;

/**
 * Calls one route.
 *
 * @throws LedgerError client/1 if nobody answers, client/2 with the node's reason, client/3 or /4
 *   if it is no node's RPC
 */
export async function call(node: string, method: string, params: object = {}): Promise<unknown> {
  const url = httpUrl(node);
  let reply: Reply;
  try {
    reply = await post(url, JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
  } catch (cause) {
    const reason = reasonOf(cause);
    if (/HTTP\/1\.1 protocol/.test(reason)) return wrongNode(url, 'no HTTP server', cause);
    throw new LedgerError(errors.Unreachable, { url, reason }, cause);
  }
  const answer = parsed(reply.text);
  const error = pick(answer, 'error');
  if (typeof error === 'object' && error !== null) {
    const reason = [pickText(error, 'message'), pickText(error, 'data')].filter((t) => t !== '');
    if (!ETHEREUM.test(method) && isEthereum(reason.join(': '))) {
      return wrongNode(url, "Ethereum's JSON-RPC");
    }
    throw new LedgerError(errors.Refused, { method, reason: reason.join(': ') });
  }
  const result = pick(answer, 'result');
  if (result !== undefined) return result;
  // Whatever speaks JSON-RPC answers with its version.
  if (pick(answer, 'jsonrpc') === undefined)
    return wrongNode(url, `something else (HTTP ${reply.status})`);
  throw new LedgerError(errors.Malformed, { method, reason: 'no result' });
}

/** A node, for the client library. */
export function nodeRpc(node: string): Rpc {
  return (method, params) => call(node, method, params);
}

/** The newest height a node has; 0 before the first block. */
export async function latestHeight(node: string): Promise<number> {
  return Number(pickText(await call(node, 'status'), 'sync_info', 'latest_block_height'));
}
