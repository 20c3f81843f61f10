/**
 * One WebSocket client of Ethereum's JSON-RPC, with its subscriptions.
 *
 * Upholds: subscriptions of a connection, and connections that subscribe, are bounded; a connection
 * that is over has none.
 * Spec: go-ethereum rpc/subscription.go (eth_subscribe: newHeads, logs, newPendingTransactions).
 *
 * @module
 */
import { LedgerError } from '../../base/errors.ts';
import type { RpcConfig } from '../config.ts';
import type { Json } from '../json.ts';
import type { Client, Session } from '../sockets.ts';
import type { EthDispatcher, EthRequest } from './dispatch.ts';
import { badParams, errors } from './errors.ts';
import type { Feeds } from './feeds.ts';
import { newId } from './filters.ts';
import { readFilter } from './logs.ts';
import { Params } from './params.ts';
import type { EthLedger, EthTx } from './ports.ts';
import { transactionJson } from './transactions.ts';
import { Turn } from './turn.ts';
import { data, readData } from './values.ts';

/** What sessions share. */
export type EthSessionParts = {
  readonly dispatcher: EthDispatcher;
  readonly feeds: Feeds;
  readonly ledger: EthLedger;
  readonly config: RpcConfig;
  /** Time of one message, in milliseconds. */
  readonly limitMs: number;
  /** Sessions that have a subscription. */
  readonly subscribers: Set<object>;
};

type Tell = (result: Json) => void;

/** A client. */
export class EthSession implements Session {
  readonly #client: Client;
  readonly #parts: EthSessionParts;
  readonly #address: string;
  readonly #over = new AbortController();
  readonly #subscriptions = new Map<string, () => void>();

  constructor(client: Client, address: string, parts: EthSessionParts) {
    this.#client = client;
    this.#address = address;
    this.#parts = parts;
  }

  answer(text: string): Promise<string> {
    const turn = new Turn(this.#address, this.#over.signal, this.#parts.limitMs);
    return this.#parts.dispatcher.answer(text, turn, (request) => this.#extra(request));
  }

  #extra({ method, params }: EthRequest): Json | undefined {
    if (method === 'eth_subscribe') return this.#subscribe(new Params(params, 2));
    if (method === 'eth_unsubscribe') return this.#unsubscribe(new Params(params, 1));
    return undefined;
  }

  #subscribe(args: Params): string {
    const { config, subscribers } = this.#parts;
    const tooMany = (reason: string): never => {
      throw new LedgerError(errors.Busy, { reason });
    };
    if (this.#subscriptions.size >= config.maxSubscriptions) {
      tooMany(`more than ${config.maxSubscriptions} subscriptions of one connection`);
    }
    if (!subscribers.has(this) && subscribers.size >= config.maxSubscribers) {
      tooMany(`more than ${config.maxSubscribers} connections that subscribe`);
    }
    const id = newId();
    const head = `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"${id}"`;
    const tell: Tell = (result) =>
      this.#client.send(`${head},"result":${JSON.stringify(result)}}}`);
    const kind = args.at(0, (value) => value);
    this.#subscriptions.set(id, this.#start(kind, args, tell));
    subscribers.add(this);
    return id;
  }

  #start(kind: unknown, args: Params, tell: Tell): () => void {
    const { feeds } = this.#parts;
    if (kind === 'newHeads') {
      feeds.heads.add(tell);
      return () => feeds.heads.delete(tell);
    }
    if (kind === 'logs') {
      const listener = {
        filter: args.maybe(1, readFilter) ?? readFilter({}),
        deliver: (logs: readonly Json[]) => {
          for (const log of logs) tell(log);
        },
      };
      feeds.logs.add(listener);
      return () => feeds.logs.delete(listener);
    }
    if (kind === 'newPendingTransactions') {
      const full = args.maybe(1, (value) => value) === true;
      return feeds.listenToTxs((txs) => {
        for (const tx of txs) tell(full ? this.#whole(tx) : data(tx.hash));
      });
    }
    return badParams(`no "${String(kind)}" subscription in eth namespace`);
  }

  #whole(tx: EthTx): Json {
    const from = this.#parts.ledger.sender(tx) ?? new Uint8Array(20);
    return transactionJson(tx, { from });
  }

  #unsubscribe(args: Params): boolean {
    const id = args.at(0, (value) => data(readData(value, 'subscription id')));
    const end = this.#subscriptions.get(id);
    if (end === undefined) throw new LedgerError(errors.NoSubscription, {});
    end();
    this.#subscriptions.delete(id);
    if (this.#subscriptions.size === 0) this.#parts.subscribers.delete(this);
    return true;
  }

  closed(): void {
    this.#over.abort();
    for (const end of this.#subscriptions.values()) end();
    this.#subscriptions.clear();
    this.#parts.subscribers.delete(this);
  }
}
