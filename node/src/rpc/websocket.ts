/**
 * JSON-RPC over WebSocket: every method, and subscriptions to events.
 *
 * Upholds: an event's message carries the id of the `subscribe` request.
 * Absent here: connections and their bounds (sockets.ts).
 * Spec: CometBFT 0.38 rpc/core/events.go, rpc/jsonrpc/server/ws_handler.go.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
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
import { rpcError } from './protocol-errors.ts';
import type { Client, Session } from './sockets.ts';

/** What the sessions of a port share. */
export type SessionParts = {
  readonly dispatcher: Dispatcher;
  readonly bus: EventBus;
  readonly config: RpcConfig;
  /** Sessions that have a subscription. */
  readonly subscribers: Set<object>;
};

/** One client's subscriptions. */
export class CometSession implements Session {
  readonly #client: Client;
  readonly #parts: SessionParts;
  readonly #subscriptions: Map<string, Subscription> = new Map();

  constructor(client: Client, parts: SessionParts) {
    this.#client = client;
    this.#parts = parts;
  }

  answer(text: string): string | Promise<string> {
    return this.#parts.dispatcher.answer(text, (request) => this.#handle(request));
  }

  #handle(request: Request): string | Promise<string> {
    const { dispatcher } = this.#parts;
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
    const { bus, config, subscribers } = this.#parts;
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
      deliver: (event: BusEvent) => this.#client.send(`${head}${event.text(eventText)}}}`),
      ended: (reason) => {
        this.#subscriptions.delete(text);
        const cancelled = `subscription was cancelled (reason: ${reason})`;
        this.#client.send(errorText(id, rpcError('server', cancelled)));
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
    this.#parts.bus.unsubscribe(subscription);
    this.#subscriptions.delete(text);
    if (this.#subscriptions.size === 0) this.#parts.subscribers.delete(this);
    return resultText(id, '{}');
  }

  #unsubscribeAll(id: Id): string {
    if (this.#subscriptions.size === 0)
      throw new LedgerError(errors.NotFound, { what: 'subscription' });
    this.closed();
    return resultText(id, '{}');
  }

  closed(): void {
    for (const subscription of this.#subscriptions.values()) {
      this.#parts.bus.unsubscribe(subscription);
    }
    this.#subscriptions.clear();
    this.#parts.subscribers.delete(this);
  }
}
