/**
 * The RPC server: one port for JSON-RPC over POST, URL and WebSocket, REST, and metrics.
 *
 * Upholds: a POST of JSON-RPC is answered here, on node:http, before express sees it; its errors
 * are HTTP 200, as clients of CometBFT expect. Bodies, connections, rates and times are bounded.
 * Spec: CometBFT 0.38 rpc/jsonrpc/server.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { describe, LedgerError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { RpcConfig } from './config.ts';
import { errors } from './errors.ts';
import { Guard } from './guard.ts';
import { Dispatcher, errorText } from './jsonrpc.ts';
import type { RpcPorts } from './ports.ts';
import { rpcError } from './protocol-errors.ts';
import { blockRoutes } from './routes-blocks.ts';
import { nodeRoutes } from './routes-node.ts';
import { txRoutes } from './routes-tx.ts';
import { WebSocketSide } from './websocket.ts';

/** Answers what is no JSON-RPC: REST, metrics, pages. */
export type WebHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** What the server is made of. */
export type RpcServerOptions = {
  readonly config: RpcConfig;
  readonly ports: RpcPorts;
  readonly logger: Logger;
  /** Called for every path that is no JSON-RPC method. */
  readonly web: WebHandler | undefined;
};

const WS_METHODS: ReadonlySet<string> = new Set(['subscribe', 'unsubscribe', 'unsubscribe_all']);

function reply(response: ServerResponse, status: number, text: string, type: string): void {
  // A text goes out in one write with the head; a buffer would take two.
  const length = Buffer.byteLength(text);
  response.writeHead(status, { 'content-type': type, 'content-length': length });
  response.end(text);
}

const JSON_TYPE = 'application/json';
/** How many times the allowed size of a body is read before the connection is cut. */
const OVERSIZE_FACTOR = 8;

/** The RPC server of a node. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #guard: Guard;
  readonly #sockets: WebSocketSide;
  readonly #server: Server;

  constructor(options: RpcServerOptions) {
    const { config, ports, logger } = options;
    this.#options = options;
    const routes = { ...nodeRoutes(ports), ...blockRoutes(ports), ...txRoutes(ports) };
    this.#dispatcher = new Dispatcher(routes, config.maxBatch, logger);
    this.#guard = new Guard(config, () => performance.now());
    this.#sockets = new WebSocketSide({
      dispatcher: this.#dispatcher,
      bus: ports.bus,
      config,
      logger,
      take: (address) => this.#guard.take(address),
    });
    this.#server = createServer(
      { requestTimeout: config.requestTimeoutMs, keepAliveTimeout: config.keepAliveMs },
      (request, response) => this.#request(request, response),
    );
    this.#server.maxConnections = config.maxConnections;
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (thrown, socket) => refuseBytes(thrown, socket));
  }

  /** Names of the JSON-RPC methods served. */
  get methods(): readonly string[] {
    return [...Object.keys(this.#dispatcher.routes), ...WS_METHODS];
  }

  /**
   * Starts to listen.
   *
   * @returns the URL without a trailing slash
   * @throws LedgerError rpc/9 if the address cannot be had
   */
  async start(): Promise<string> {
    const { host, port } = this.#options.config;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, host, resolve);
    try {
      await promise;
    } catch (thrown) {
      const cause = describe(thrown);
      const reason = `cannot listen on ${host}:${port}: ${cause}; choose another rpc.listen`;
      throw new LedgerError(errors.Unavailable, { reason }, thrown);
    }
    this.#server.removeListener('error', reject);
    this.#server.on('error', (thrown) => {
      this.#options.logger.error('rpc server failed', { reason: describe(thrown) });
    });
    const address = this.#server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${name}:${address.port}`;
  }

  /** Stops: closes the port and every connection. */
  async stop(): Promise<void> {
    this.#sockets.close();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #request(request: IncomingMessage, response: ServerResponse): void {
    const address = request.socket.remoteAddress ?? '';
    const refusal = this.#guard.refusal(address, request.headers);
    if (refusal !== undefined) {
      request.resume();
      reply(
        response,
        refusal.status,
        errorText(null, rpcError('server', refusal.reason)),
        JSON_TYPE,
      );
      return;
    }
    const origin = this.#guard.corsOrigin(request.headers);
    if (origin !== undefined) this.#allow(origin, response);
    const { method, url = '/' } = request;
    if (method === 'OPTIONS' && origin !== undefined) reply(response, 204, '', JSON_TYPE);
    else if (method === 'POST' && (url === '/' || url === '')) this.#post(request, response);
    else if (method === 'GET' || method === 'HEAD') this.#get(url, request, response);
    else this.#other(request, response);
  }

  #allow(origin: string, response: ServerResponse): void {
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-methods', 'GET, POST, HEAD');
    response.setHeader('access-control-allow-headers', 'content-type');
    response.setHeader('vary', 'origin');
  }

  #other(request: IncomingMessage, response: ServerResponse): void {
    const { web } = this.#options;
    if (web !== undefined) {
      web(request, response);
      return;
    }
    request.resume();
    reply(response, 404, 'not found\n', 'text/plain');
  }

  #post(request: IncomingMessage, response: ServerResponse): void {
    const { maxBodyBytes } = this.#options.config;
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBodyBytes) chunks.push(chunk);
      else chunks.length = 0;
      // A little more is read so that the client sees the refusal; a flood is cut off.
      if (size > OVERSIZE_FACTOR * maxBodyBytes) request.destroy();
    });
    request.on('error', () => response.destroy());
    request.on('end', () => {
      if (size > maxBodyBytes) {
        const reason = `error reading request body: more than ${maxBodyBytes} bytes`;
        reply(response, 413, errorText(null, rpcError('request', reason)), JSON_TYPE);
        return;
      }
      if (size === 0) {
        reply(response, 200, this.#listing(request), 'text/html');
        return;
      }
      const [first] = chunks;
      const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      this.#answer(this.#dispatcher.answer(body.toString()), response, 200);
    });
  }

  #answer(answer: string | Promise<string>, response: ServerResponse, errorStatus: number): void {
    const write = (text: string) => {
      const failed = errorStatus !== 200 && text.includes('"error":') && isError(text);
      reply(response, failed ? errorStatus : 200, text, JSON_TYPE);
    };
    if (typeof answer === 'string') write(answer);
    else answer.then(write).catch(() => response.destroy());
  }

  #get(url: string, request: IncomingMessage, response: ServerResponse): void {
    const at = url.indexOf('?');
    const method = (at === -1 ? url : url.slice(0, at)).replace(/^\/|\/$/g, '');
    if (method === '') {
      reply(response, 200, this.#listing(request), 'text/html');
      return;
    }
    if (WS_METHODS.has(method)) {
      reply(response, 404, errorText(-1, rpcError('method', '')), JSON_TYPE);
      return;
    }
    const query = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
    const answer = this.#dispatcher.callUri(method, query);
    if (answer === undefined) this.#other(request, response);
    else this.#answer(answer, response, 500);
  }

  #listing(request: IncomingMessage): string {
    const host = (request.headers.host ?? '').replace(/[^\w.:[\]-]/g, '');
    const link = (name: string, params: readonly string[]): string => {
      const query = params.map((param) => `${param}=_`).join('&amp;');
      const path = `//${host}/${name}${query === '' ? '' : `?${query}`}`;
      return `<a href="${path}">${path}</a><br>`;
    };
    const lines = Object.entries(this.#dispatcher.routes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { params }]) => link(name, Object.keys(params)));
    return `<html><body>Available endpoints:<br>${lines.join('')}</body></html>`;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const address = request.socket.remoteAddress ?? '';
    const refusal = this.#guard.refusal(address, request.headers);
    const path = (request.url ?? '').split('?')[0];
    if (refusal !== undefined || path !== '/websocket') {
      const status = refusal === undefined ? '404 Not Found' : `${refusal.status} Refused`;
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.upgrade(request, socket, head);
  }
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

/** Whether the text of one answer is an error. */
function isError(text: string): boolean {
  return /^\{"jsonrpc":"2\.0","id":-1,"error":/.test(text);
}
