/**
 * Ethereum's JSON-RPC on a port of its own: HTTP POST, batches, WebSocket.
 *
 * Upholds: access rules and bounds are those of the other RPC (http-port.ts, sockets.ts); errors
 * are HTTP 200. Code runs elsewhere (`EthPorts.calls`).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LedgerError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ChainEvent } from '../../types/chain-events.ts';
import type { RpcConfig } from '../config.ts';
import { HttpPort, JSON_TYPE, reply } from '../http-port.ts';
import { SocketSide } from '../sockets.ts';
import { callMethods, EthCaller } from './calls.ts';
import { EthChain } from './chain.ts';
import { EthDispatcher, type EthRequest } from './dispatch.ts';
import { errors } from './errors.ts';
import { Feeds } from './feeds.ts';
import { Fees, feeMethods } from './fees.ts';
import { Filters, filterMethods } from './filters.ts';
import { type LogLimits, LogSearch } from './logs.ts';
import type { Methods } from './methods.ts';
import { Pending } from './pending.ts';
import type { EthPorts } from './ports.ts';
import { blockMethods, chainMethods, stateMethods, transactionMethods } from './reads.ts';
import { EthSession } from './session.ts';
import { Turn } from './turn.ts';

/** What the server is made of. */
export type EthServerOptions = {
  readonly config: RpcConfig;
  readonly ports: EthPorts;
  readonly logger: Logger;
  readonly limits: LogLimits & {
    /** The price of gas below which this node takes no transaction, in wei. */
    readonly leastPrice: bigint;
    /** The most gas of a call. */
    readonly callGas: bigint;
    /** How long one request may take, a batch or a single call, in milliseconds. */
    readonly requestMs: number;
  };
};

/** Subscriptions need a connection that stays. */
function overHttp({ method }: EthRequest): undefined {
  if (method === 'eth_subscribe' || method === 'eth_unsubscribe') {
    throw new LedgerError(errors.NoSubscriptions, {});
  }
}

/** The server. */
export class EthServer {
  readonly #port: HttpPort;
  readonly #sockets: SocketSide;
  readonly #dispatcher: EthDispatcher;
  readonly #feeds: Feeds;
  readonly #filters: Filters;
  readonly #requestMs: number;

  constructor({ config, ports, logger, limits }: EthServerOptions) {
    this.#requestMs = limits.requestMs;
    const chain = new EthChain(ports);
    const pending = new Pending(ports.pool, ports.ledger);
    const logs = new LogSearch(chain, limits);
    this.#feeds = new Feeds(chain, pending, logger);
    const feeds = this.#feeds;
    this.#filters = new Filters({ chain, feeds, logs, now: () => performance.now() });
    const parts = { chain, pending, logs, submitted: () => feeds.look() };
    const methods: Methods = {
      ...chainMethods(parts),
      ...stateMethods(parts),
      ...blockMethods(parts),
      ...transactionMethods(parts),
      ...feeMethods(new Fees(chain, limits.leastPrice)),
      ...callMethods(new EthCaller(chain, limits.callGas)),
      ...filterMethods(this.#filters),
    };
    this.#dispatcher = new EthDispatcher(methods, config.maxBatch, logger);
    this.#port = new HttpPort({
      config,
      logger,
      section: 'evm',
      handlers: {
        post: (body, request, response) => this.#post(body, request, response),
        other: (request, response) => this.#other(request, response),
        upgrades: () => true,
        upgrade: (request, socket, head) => this.#sockets.upgrade(request, socket, head),
      },
    });
    const shared = {
      dispatcher: this.#dispatcher,
      feeds,
      ledger: ports.ledger,
      config,
      limitMs: limits.requestMs,
      subscribers: new Set<object>(),
    };
    this.#sockets = new SocketSide({
      config,
      logger,
      take: (address) => this.#port.guard.take(address),
      open: (client, address) => new EthSession(client, address, shared),
    });
  }

  /** Names of the methods served. */
  get methods(): readonly string[] {
    return [...this.#dispatcher.names, 'eth_subscribe', 'eth_unsubscribe'];
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
    this.#filters.stop();
    this.#feeds.stop();
    await this.#port.stop();
  }

  /** Tells subscribers of what the engine published. */
  observe(event: ChainEvent): void {
    if (event.kind === 'committed') this.#feeds.committed(event.height);
  }

  #post(body: Buffer, request: IncomingMessage, response: ServerResponse): void {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const turn = new Turn(request.socket.remoteAddress ?? '', gone.signal, this.#requestMs);
    this.#dispatcher
      .answer(body.toString(), turn, overHttp)
      .then((text) => reply(response, 200, text, JSON_TYPE))
      .catch(() => response.destroy());
  }

  #other(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const { method } = request;
    if (method === 'GET' || method === 'HEAD') {
      reply(response, 200, 'Ethereum JSON-RPC: POST here, or open a WebSocket\n', 'text/plain');
    } else reply(response, 404, 'not found\n', 'text/plain');
  }
}
