/**
 * The RPC server: one port for JSON-RPC over POST, URL and WebSocket, REST, and metrics.
 *
 * Upholds: a POST of JSON-RPC is answered here, on node:http, before express sees it; its errors
 * are HTTP 200, as clients of CometBFT expect. Bodies, connections, rates and times are bounded.
 * Spec: CometBFT 0.38 rpc/jsonrpc/server.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../base/logger.ts';
import type { RpcConfig } from './config.ts';
import { HttpPort, JSON_TYPE, reply } from './http-port.ts';
import { Dispatcher, errorText } from './jsonrpc.ts';
import type { RpcPorts } from './ports.ts';
import { rpcError } from './protocol-errors.ts';
import { blockRoutes } from './routes-blocks.ts';
import { nodeRoutes } from './routes-node.ts';
import { txRoutes } from './routes-tx.ts';
import { SocketSide } from './sockets.ts';
import { CometSession } from './websocket.ts';

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

/** The RPC server of a node. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #dispatcher: Dispatcher;
  readonly #sockets: SocketSide;
  readonly #port: HttpPort;

  constructor(options: RpcServerOptions) {
    const { config, ports, logger } = options;
    this.#options = options;
    const routes = { ...nodeRoutes(ports), ...blockRoutes(ports), ...txRoutes(ports) };
    this.#dispatcher = new Dispatcher(routes, config.maxBatch, logger);
    this.#port = new HttpPort({
      config,
      logger,
      section: 'rpc',
      handlers: {
        post: (body, request, response) => this.#post(body, request, response),
        other: (request, response) => this.#other(request, response),
        upgrades: (path) => path === '/websocket',
        upgrade: (request, socket, head) => this.#sockets.upgrade(request, socket, head),
      },
    });
    const parts = {
      dispatcher: this.#dispatcher,
      bus: ports.bus,
      config,
      subscribers: new Set<object>(),
    };
    this.#sockets = new SocketSide({
      config,
      logger,
      take: (address) => this.#port.guard.take(address),
      open: (client) => new CometSession(client, parts),
    });
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
  start(): Promise<string> {
    return this.#port.start();
  }

  /** Stops: closes the port and every connection. */
  async stop(): Promise<void> {
    this.#sockets.close();
    await this.#port.stop();
  }

  #other(request: IncomingMessage, response: ServerResponse): void {
    const { method, url = '/' } = request;
    if (method === 'GET' || method === 'HEAD') this.#get(url, request, response);
    else this.#web(request, response);
  }

  #web(request: IncomingMessage, response: ServerResponse): void {
    const { web } = this.#options;
    if (web !== undefined) {
      web(request, response);
      return;
    }
    request.resume();
    reply(response, 404, 'not found\n', 'text/plain');
  }

  #post(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    if (body.length === 0) reply(response, 200, this.#listing(request), 'text/html');
    else this.#answer(this.#dispatcher.answer(body.toString()), response, 200);
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
    if (answer === undefined) this.#web(request, response);
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
}

/** Whether the text of one answer is an error. */
function isError(text: string): boolean {
  return /^\{"jsonrpc":"2\.0","id":-1,"error":/.test(text);
}
