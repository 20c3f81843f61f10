/**
 * The bounds of the RPC server, with units and defaults.
 *
 * @module
 */

/** Limits and access rules of the RPC server. */
export type RpcConfig = {
  /** Address to listen on. */
  readonly host: string;
  /** Port; 0 takes a free one. */
  readonly port: number;
  /** Names a request's Host header may carry besides loopback names and `host`; `*` allows all. */
  readonly allowedHosts: readonly string[];
  /** Origins that browsers may call from, such as `https://explorer.example`; `*` allows all. */
  readonly allowedOrigins: readonly string[];
  /** Most bytes of a request's body, or of a WebSocket message. */
  readonly maxBodyBytes: number;
  /** Most requests in one batch. */
  readonly maxBatch: number;
  /** Most connections open at once, WebSocket included. */
  readonly maxConnections: number;
  /** Most requests a second from one address, and the burst it may save up. */
  readonly requestsPerSecond: number;
  /** Most connections that subscribe. */
  readonly maxSubscribers: number;
  /** Most subscriptions of one connection. */
  readonly maxSubscriptions: number;
  /** Bytes that may wait for a slow WebSocket client before it is dropped. */
  readonly maxBufferedBytes: number;
  /** Most requests of one WebSocket connection that may be unanswered. */
  readonly maxPending: number;
  /** Time to receive a whole request, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Time after which an idle connection is closed, in milliseconds. */
  readonly keepAliveMs: number;
  /** Time between pings of a WebSocket connection, in milliseconds; two unanswered close it. */
  readonly pingMs: number;
};

/** CometBFT's defaults where it has them; batches as large as CosmJS sends. */
export const DEFAULT_RPC: RpcConfig = {
  host: '127.0.0.1',
  port: 26_657,
  allowedHosts: [],
  allowedOrigins: [],
  // The largest transaction in base64, and its envelope.
  maxBodyBytes: 2_000_000,
  maxBatch: 100,
  maxConnections: 900,
  requestsPerSecond: 20_000,
  maxSubscribers: 100,
  maxSubscriptions: 5,
  maxBufferedBytes: 16_777_216,
  maxPending: 1_000,
  requestTimeoutMs: 10_000,
  keepAliveMs: 30_000,
  pingMs: 27_000,
};
