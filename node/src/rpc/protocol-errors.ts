/**
 * What the protocols below the RPC say of a refusal: error codes of JSON-RPC, statuses of HTTP and
 * close codes of WebSocket, the ones in use.
 *
 * Upholds: no answer carries a code that is not declared here. Messages of JSON-RPC are CometBFT's.
 * Spec: JSON-RPC 2.0 section 5.1; CometBFT 0.38 rpc/jsonrpc/types; RFC 9110; RFC 6455.
 *
 * @module
 */
import { type ErrorSpec, errorSpec } from '../base/errors.ts';

type Plain = ErrorSpec<Record<never, never>>;

/** Codes by protocol: spaces jsonrpc, http and websocket. */
export const errors: {
  readonly JsonParse: Plain;
  readonly JsonRequest: Plain;
  readonly JsonMethod: Plain;
  readonly JsonParams: Plain;
  readonly JsonInternal: Plain;
  readonly JsonServer: Plain;
  readonly BadRequest: Plain;
  readonly Forbidden: Plain;
  readonly NotFound: Plain;
  readonly Conflict: Plain;
  readonly TooLarge: Plain;
  readonly TooMany: Plain;
  readonly Failed: Plain;
  readonly Unavailable: Plain;
  readonly GoingAway: Plain;
  readonly Policy: Plain;
  readonly MessageTooBig: Plain;
} = {
  JsonParse: errorSpec('jsonrpc', -32700, 'client', () => 'Parse error. Invalid JSON'),
  JsonRequest: errorSpec('jsonrpc', -32600, 'client', () => 'Invalid Request'),
  JsonMethod: errorSpec('jsonrpc', -32601, 'client', () => 'Method not found'),
  JsonParams: errorSpec('jsonrpc', -32602, 'client', () => 'Invalid params'),
  JsonInternal: errorSpec('jsonrpc', -32603, 'node', () => 'Internal error'),
  JsonServer: errorSpec('jsonrpc', -32000, 'node', () => 'Server error'),
  BadRequest: errorSpec('http', 400, 'client', () => 'Bad request'),
  Forbidden: errorSpec('http', 403, 'client', () => 'Forbidden'),
  NotFound: errorSpec('http', 404, 'client', () => 'Not found'),
  Conflict: errorSpec('http', 409, 'node', () => 'Not possible now'),
  TooLarge: errorSpec('http', 413, 'client', () => 'Too large'),
  TooMany: errorSpec('http', 429, 'client', () => 'Too many requests'),
  Failed: errorSpec('http', 500, 'node', () => 'The node failed'),
  Unavailable: errorSpec('http', 503, 'node', () => 'Not available'),
  GoingAway: errorSpec('websocket', 1001, 'node', () => 'The node is stopping'),
  Policy: errorSpec('websocket', 1008, 'client', () => 'A bound of the connection was exceeded'),
  MessageTooBig: errorSpec('websocket', 1009, 'client', () => 'The message is too large'),
};

type Kind = 'parse' | 'request' | 'method' | 'params' | 'internal' | 'server';

/** JSON-RPC's errors by kind. */
const KINDS: Readonly<Record<Kind, Plain>> = {
  parse: errors.JsonParse,
  request: errors.JsonRequest,
  method: errors.JsonMethod,
  params: errors.JsonParams,
  internal: errors.JsonInternal,
  server: errors.JsonServer,
};

/** A JSON-RPC error object. */
export type RpcError = { readonly code: number; readonly message: string; readonly data: string };

/** The error object of a kind, with details. */
export function rpcError(kind: Kind, data: string): RpcError {
  const { code, message } = KINDS[kind];
  return { code, message: message({}), data };
}

const STATUSES: readonly Plain[] = Object.values(errors).filter(({ space }) => space === 'http');

/** What an HTTP status is called. */
export function statusTitle(status: number): string {
  return STATUSES.find(({ code }) => code === status)?.message({}) ?? 'Refused';
}
