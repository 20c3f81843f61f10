/**
 * One HTTP port: listening, access rules, bodies; what is answered is handed in.
 *
 * Upholds: every request passes the guard before it is read; bodies, connections and times are
 * bounded; bytes that are no HTTP are answered and their connection ended.
 * Used by: server.ts (CometBFT's RPC, REST) and eth/server.ts (Ethereum's JSON-RPC).
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, LedgerError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { type BodyBound, takeBody } from './body.ts';
import type { RpcConfig } from './config.ts';
import { errors } from './errors.ts';
import { Guard } from './guard.ts';
import { errorText } from './jsonrpc.ts';
import { rpcError } from './protocol-errors.ts';

/** What answers on a port. Every request was allowed before. */
export type HttpHandlers = {
  /** A POST with its whole body, to a path that `takes`. */
  post(body: Buffer, request: IncomingMessage, response: ServerResponse): void;
  /** Anything else; its body is not read yet. */
  other(request: IncomingMessage, response: ServerResponse): void;
  /** Whether a WebSocket may be opened at this path. */
  upgrades(path: string): boolean;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
};

/** What a port is made of. */
export type HttpPortOptions = {
  readonly config: RpcConfig;
  readonly logger: Logger;
  /** Name of its section in the configuration, such as `rpc`. */
  readonly section: string;
  readonly handlers: HttpHandlers;
};

/** The content type of JSON. */
export const JSON_TYPE = 'application/json';

/** Answers a request. */
export function reply(response: ServerResponse, status: number, text: string, type: string): void {
  // A text goes out in one write with the head; a buffer would take two.
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': type, 'content-length': length });
  response.end(text);
}

/** A port. */
export class HttpPort {
  readonly guard: Guard;
  readonly #options: HttpPortOptions;
  readonly #bound: BodyBound;
  readonly #server: Server;

  constructor(options: HttpPortOptions) {
    const { config } = options;
    this.#options = options;
    const maxBytes = config.maxBodyBytes;
    const reason = `error reading request body: more than ${maxBytes} bytes`;
    const text = errorText(null, rpcError('request', reason));
    this.#bound = { maxBytes, refusal: { text, type: JSON_TYPE } };
    this.guard = new Guard(config, () => performance.now(), options.section);
    this.#server = createServer(
      { requestTimeout: config.requestTimeoutMs, keepAliveTimeout: config.keepAliveMs },
      (request, response) => this.#request(request, response),
    );
    this.#server.maxConnections = config.maxConnections;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (thrown, socket) => refuseBytes(thrown, socket));
  }

  /**
   * Starts to listen.
   *
   * @returns the URL without a trailing slash
   * @throws LedgerError rpc/9 if the address cannot be had
   */
  async start(): Promise<string> {
    const { config, section, logger } = this.#options;
    const { host, port } = config;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, host, resolve);
    try {
      await promise;
    } catch (thrown) {
      const cause = describe(thrown);
      const reason = `cannot listen on ${host}:${port}: ${cause}; choose another ${section}.listen`;
      throw new LedgerError(errors.Unavailable, { reason }, thrown);
    }
    this.#server.removeListener('error', reject);
    this.#server.on('error', (thrown) => {
      logger.error(`${section} server failed`, { reason: describe(thrown) });
    });
    const address = this.#server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${name}:${address.port}`;
  }

  /** Closes the port and every connection. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const { handlers } = this.#options;
    const address = request.socket.remoteAddress ?? '';
    const refusal = this.guard.refusal(address, request.headers);
    if (refusal !== undefined) {
      request.resume();
      const text = errorText(null, rpcError('server', refusal.reason));
      reply(response, refusal.status, text, JSON_TYPE);
      return;
    }
    const origin = this.guard.corsOrigin(request.headers);
    if (origin !== undefined) allow(origin, response);
    const { method, url = '/' } = request;
    if (method === 'OPTIONS' && origin !== undefined) reply(response, 204, '', JSON_TYPE);
    else if (method === 'POST' && (url === '/' || url === '')) this.#post(request, response);
    else handlers.other(request, response);
  }

  #post(request: IncomingMessage, response: ServerResponse): void {
    const { handlers } = this.#options;
    takeBody(request, response, this.#bound, (body) => handlers.post(body, request, response));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { handlers } = this.#options;
    const address = request.socket.remoteAddress ?? '';
    const refusal = this.guard.refusal(address, request.headers);
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (refusal !== undefined || !handlers.upgrades(path)) {
      const status = refusal === undefined ? '404 Not Found' : `${refusal.status} Refused`;
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    handlers.upgrade(request, socket, head);
  }
}

function allow(origin: string, response: ServerResponse): void {
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'GET, POST, HEAD');
  response.setHeader('access-control-allow-headers', 'content-type');
  response.setHeader('vary', 'origin');
}

/** Answers bytes that are no HTTP request, and ends their connection. */
function refuseBytes(thrown: Error, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = errorText(null, rpcError('request', `not an HTTP request: ${thrown.message}`));
  const head = `content-type: ${JSON_TYPE}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`;
  socket.end(`HTTP/1.1 400 Bad Request\r\nconnection: close\r\n${head}\r\n${text}`, () =>
    socket.destroy(),
  );
}
