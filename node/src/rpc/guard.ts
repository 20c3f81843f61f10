/**
 * Who may call: Host and Origin checks, and a rate limit per address.
 *
 * Upholds: a web page cannot reach a node on the reader's own machine: a request whose Host is not
 * ours (DNS rebinding) or whose Origin is not allowed is refused before it is read.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { RpcConfig } from './config.ts';
import { errors } from './errors.ts';

const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** Addresses whose rate is remembered; the oldest is forgotten first. */
const MAX_ADDRESSES = 10_000;

/** The name in a Host header, without the port. */
export function hostName(header: string): string {
  const colon = header.startsWith('[')
    ? header.indexOf(':', header.indexOf(']'))
    : header.lastIndexOf(':');
  return (colon === -1 ? header : header.slice(0, colon)).toLowerCase();
}

type Bucket = { tokens: number; at: number };

/** Decides on requests before they are read. */
export class Guard {
  readonly #config: RpcConfig;
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  readonly #buckets: Map<string, Bucket> = new Map();
  readonly #now: () => number;
  readonly #section: string;

  /**
   * @param now - milliseconds that only grow
   * @param section - of the configuration, whose keys a refusal names
   */
  constructor(config: RpcConfig, now: () => number, section = 'rpc') {
    this.#config = config;
    this.#section = section;
    this.#hosts = new Set([config.host, ...config.allowedHosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(config.allowedOrigins);
    this.#now = now;
  }

  /** The allowed origin to answer with, if the request has one. */
  corsOrigin(headers: IncomingHttpHeaders): string | undefined {
    const { origin } = headers;
    return origin !== undefined && this.#allowsOrigin(origin, headers.host) ? origin : undefined;
  }

  #allowsOrigin(origin: string, host: string | undefined): boolean {
    if (this.#origins.has('*') || this.#origins.has(origin)) return true;
    // A page that this server itself delivered.
    return host !== undefined && origin === `http://${host}`;
  }

  /** Why the request is refused, as HTTP status and text; `undefined` if it may go on. */
  refusal(
    address: string,
    headers: IncomingHttpHeaders,
  ): { readonly status: 403 | 429; readonly reason: string } | undefined {
    const { host, origin } = headers;
    if (!this.#hosts.has('*')) {
      const name = hostName(host ?? '');
      if (!LOOPBACK.has(name) && !this.#hosts.has(name)) {
        const params = { what: `host ${name}`, setting: `${this.#section}.hosts` };
        return { status: 403, reason: errors.Forbidden.message(params) };
      }
    }
    if (origin !== undefined && !this.#allowsOrigin(origin, host)) {
      const params = { what: 'origin', setting: `${this.#section}.origins` };
      return { status: 403, reason: errors.Forbidden.message(params) };
    }
    if (this.take(address)) return undefined;
    const params = { rate: this.#config.requestsPerSecond };
    return { status: 429, reason: errors.TooFast.message(params) };
  }

  /** Takes one request from an address's allowance. */
  take(address: string): boolean {
    const rate = this.#config.requestsPerSecond;
    const now = this.#now();
    let bucket = this.#buckets.get(address);
    if (bucket === undefined) {
      if (this.#buckets.size >= MAX_ADDRESSES) {
        for (const oldest of this.#buckets.keys()) {
          this.#buckets.delete(oldest);
          break;
        }
      }
      bucket = { tokens: rate, at: now };
      this.#buckets.set(address, bucket);
    }
    bucket.tokens = Math.min(rate, bucket.tokens + ((now - bucket.at) * rate) / 1_000);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
