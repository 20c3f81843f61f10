/**
 * JSON-RPC over WebSocket: every method, and subscriptions to events.
 *
 * Upholds: an event's message carries the id of the `subscribe` request. A client that does not
 * read is dropped with an error once its buffer is full; it never slows the node. Requests of a
 * connection are answered in order of arrival unless a method takes its time.
 * Spec: CometBFT 0.38 rpc/core/events.go, rpc/jsonrpc/server/ws_handler.go.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { LedgerError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { BusEvent, EventBus, Subscription } from '../indexer/event-bus.ts';
import { parseQuery } from '../indexer/query.ts';
import type { RpcConfig } from './config.ts';
import { errors } from './errors.ts';
import { eventText } from './json-events.ts';
import {
  type Dispatcher,
  errorText,
  type Id,
  type Request,
  resultText,
  textParam,
} from './jsonrpc.ts';
import { errors as protocol, rpcError } from './protocol-errors.ts';

/** What all connections share. */
type Shared = {
  readonly dispatcher: Dispatcher;
  readonly bus: EventBus;
  readonly config: RpcConfig;
  readonly logger: Logger;
  /** Connections that have a subscription. */
  readonly subscribers: Set<Connection>;
  /** Takes one request from an address's allowance. */
  readonly take: (address: string) => boolean;
};

/** One client. */
class Connection {
  readonly #socket: WebSocket;
  /** What the socket writes to. */
  readonly #stream: Duplex;
  readonly #shared: Shared;
  readonly #address: string;
  readonly #subscriptions: Map<string, Subscription> = new Map();
  #pending = 0;
  #alive = true;
  #corked = false;

  constructor(socket: WebSocket, stream: Duplex, address: string, shared: Shared) {
    this.#socket = socket;
    this.#stream = stream;
    this.#address = address;
    this.#shared = shared;
    socket.on('message', (data, binary) => this.#received(data, binary));
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#closed());
  }

  /** Pings the client; drops it if the last ping was not answered. */
  ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#shared.config.maxBufferedBytes) {
      this.#drop(errors.SlowReader.message({}));
      return;
    }
    this.#cork();
    this.#socket.send(text);
  }

  /** What is sent in one turn leaves with one call to the system. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  #drop(reason: string): void {
    this.#shared.logger.warn('websocket client dropped', { address: this.#address, reason });
    this.#closed();
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(errorText(null, rpcError('server', reason)));
      this.#socket.close(protocol.Policy.code, reason);
    }
    // A client that does not read does not answer a close frame either.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  #received(data: RawData, binary: boolean): void {
    const { dispatcher, config, take } = this.#shared;
    if (binary) {
      this.#send(errorText(null, rpcError('request', 'binary messages are not supported')));
      return;
    }
    if (!take(this.#address)) {
      const reason = errors.TooFast.message({ rate: config.requestsPerSecond });
      this.#send(errorText(null, rpcError('server', reason)));
      return;
    }
    if (this.#pending >= config.maxPending) {
      this.#drop(errors.Unanswered.message({ count: config.maxPending }));
      return;
    }
    const answer = dispatcher.answer(String(data), (request) => this.#handle(request));
    if (!(answer instanceof Promise)) {
      if (answer !== '') this.#send(answer);
      return;
    }
    this.#pending++;
    answer
      .then((text) => {
        if (text !== '') this.#send(text);
      })
      .finally(() => {
        this.#pending--;
      })
      .catch(() => this.#socket.terminate());
  }

  #handle(request: Request): string | Promise<string> {
    const { dispatcher } = this.#shared;
    const { id, method, params } = request;
    try {
      if (method === 'subscribe') return this.#subscribe(id, textParam(params, 'query'));
      if (method === 'unsubscribe') return this.#unsubscribe(id, textParam(params, 'query'));
      if (method === 'unsubscribe_all') return this.#unsubscribeAll(id);
    } catch (thrown) {
      return dispatcher.failure(id, method, thrown);
    }
    return dispatcher.call(request);
  }

  #subscribe(id: Id, text: string): string {
    const { bus, config, subscribers } = this.#shared;
    const query = parseQuery(text);
    const tooMany = (reason: string) => new LedgerError(errors.TooMany, { reason });
    if (this.#subscriptions.has(text)) throw tooMany('already subscribed');
    if (this.#subscriptions.size >= config.maxSubscriptions) {
      throw tooMany(`max_subscriptions_per_client ${config.maxSubscriptions} reached`);
    }
    if (!subscribers.has(this) && subscribers.size >= config.maxSubscribers) {
      throw tooMany(`max_subscription_clients ${config.maxSubscribers} reached`);
    }
    const head =
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},` + `"result":{"query":${JSON.stringify(text)},`;
    const subscription: Subscription = {
      query,
      deliver: (event: BusEvent) => this.#send(`${head}${event.text(eventText)}}}`),
      ended: (reason) => {
        this.#subscriptions.delete(text);
        const cancelled = `subscription was cancelled (reason: ${reason})`;
        this.#send(errorText(id, rpcError('server', cancelled)));
      },
    };
    this.#subscriptions.set(text, subscription);
    subscribers.add(this);
    bus.subscribe(subscription);
    return resultText(id, '{}');
  }

  #unsubscribe(id: Id, text: string): string {
    const subscription = this.#subscriptions.get(text);
    if (subscription === undefined)
      throw new LedgerError(errors.NotFound, { what: 'subscription' });
    this.#shared.bus.unsubscribe(subscription);
    this.#subscriptions.delete(text);
    if (this.#subscriptions.size === 0) this.#shared.subscribers.delete(this);
    return resultText(id, '{}');
  }

  #unsubscribeAll(id: Id): string {
    if (this.#subscriptions.size === 0)
      throw new LedgerError(errors.NotFound, { what: 'subscription' });
    this.#closed();
    return resultText(id, '{}');
  }

  #closed(): void {
    for (const subscription of this.#subscriptions.values()) {
      this.#shared.bus.unsubscribe(subscription);
    }
    this.#subscriptions.clear();
    this.#shared.subscribers.delete(this);
  }

  /** Says good-bye when the server stops. */
  close(): void {
    this.#closed();
    this.#socket.close(protocol.GoingAway.code, 'the node is stopping');
    this.#socket.terminate();
  }
}

/** The WebSocket side of the RPC server. */
export class WebSocketSide {
  readonly #server: WebSocketServer;
  readonly #connections: Set<Connection> = new Set();
  readonly #shared: Shared;
  readonly #pings: NodeJS.Timeout;

  constructor(shared: Omit<Shared, 'subscribers'>) {
    const maxPayload = shared.config.maxBodyBytes;
    this.#shared = { ...shared, subscribers: new Set() };
    this.#server = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.ping();
    }, shared.config.pingMs);
    this.#pings.unref();
  }

  /** Number of connections. */
  get size(): number {
    return this.#connections.size;
  }

  /** Takes over a connection whose request asked for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (accepted) => {
      const address = request.socket.remoteAddress ?? '';
      const connection = new Connection(accepted, socket, address, this.#shared);
      this.#connections.add(connection);
      accepted.on('close', () => this.#connections.delete(connection));
    });
  }

  /** Closes all connections. */
  close(): void {
    clearInterval(this.#pings);
    for (const connection of this.#connections) connection.close();
    this.#server.close();
  }
}
