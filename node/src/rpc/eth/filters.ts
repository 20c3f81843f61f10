/**
 * Filters that clients poll: eth_newFilter and its kin.
 *
 * Upholds: a filter that nobody asks for in five minutes is gone; filters, and what waits in them,
 * are bounded: the oldest unread entries are dropped first.
 * Spec: go-ethereum eth/filters/api.go.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { LedgerError } from '../../base/errors.ts';
import type { Json } from '../json.ts';
import type { EthChain } from './chain.ts';
import { errors } from './errors.ts';
import type { Feeds } from './feeds.ts';
import { type LogQuery, type LogSearch, readFilter } from './logs.ts';
import type { Methods } from './methods.ts';
import type { Params } from './params.ts';
import { data, readData } from './values.ts';

/** Time after which a filter that is not asked for is gone. */
const EXPIRY_MS = 300_000;
const MAX_FILTERS = 1_000;
/** Most entries that wait in one filter. */
const MAX_UNREAD = 10_000;

type Filter = {
  readonly query: LogQuery | undefined;
  unread: Json[];
  askedAt: number;
  readonly end: () => void;
};

/** What filters are made of. */
export type FilterParts = {
  readonly chain: EthChain;
  readonly feeds: Feeds;
  readonly logs: LogSearch;
  /** Milliseconds that only grow. */
  readonly now: () => number;
};

/** A name that cannot be guessed. */
export function newId(): string {
  return data(randomBytes(16));
}

/** The filters of a node. */
export class Filters {
  readonly #parts: FilterParts;
  readonly #filters = new Map<string, Filter>();

  constructor(parts: FilterParts) {
    this.#parts = parts;
  }

  #add(query: LogQuery | undefined, start: (filter: { push(entry: Json): void }) => () => void) {
    this.#expire();
    if (this.#filters.size >= MAX_FILTERS) {
      throw new LedgerError(errors.Busy, { reason: `more than ${MAX_FILTERS} filters` });
    }
    const unread: Json[] = [];
    const end = start({
      push: (entry) => {
        if (unread.length >= MAX_UNREAD) unread.shift();
        unread.push(entry);
      },
    });
    const id = newId();
    this.#filters.set(id, { query, unread, askedAt: this.#parts.now(), end });
    return id;
  }

  #expire(): void {
    const now = this.#parts.now();
    for (const [id, filter] of this.#filters) {
      if (now - filter.askedAt > EXPIRY_MS) this.#remove(id, filter);
    }
  }

  #remove(id: string, filter: Filter): void {
    filter.end();
    this.#filters.delete(id);
  }

  #find(args: Params): readonly [id: string, filter: Filter] {
    this.#expire();
    const id = args.at(0, (value) => data(readData(value, 'filter id')));
    const filter = this.#filters.get(id);
    if (filter === undefined) throw new LedgerError(errors.NoFilter, {});
    filter.askedAt = this.#parts.now();
    return [id, filter];
  }

  /** eth_newFilter. */
  addLogs(args: Params): string {
    const query = args.at(0, readFilter);
    const { feeds } = this.#parts;
    return this.#add(query, (filter) => {
      const listener = {
        filter: query,
        deliver: (logs: readonly Json[]) => {
          for (const log of logs) filter.push(log);
        },
      };
      feeds.logs.add(listener);
      return () => feeds.logs.delete(listener);
    });
  }

  /** eth_newBlockFilter. */
  addBlocks(): string {
    const { feeds } = this.#parts;
    return this.#add(undefined, (filter) => {
      const listener = (header: { readonly [name: string]: Json | undefined }): void =>
        filter.push(header['hash'] ?? null);
      feeds.heads.add(listener);
      return () => feeds.heads.delete(listener);
    });
  }

  /** eth_newPendingTransactionFilter. */
  addTxs(): string {
    const { feeds } = this.#parts;
    return this.#add(undefined, (filter) =>
      feeds.listenToTxs((txs) => {
        for (const { hash } of txs) filter.push(data(hash));
      }),
    );
  }

  /** eth_getFilterChanges. */
  changes(args: Params): Json {
    const [, filter] = this.#find(args);
    return filter.unread.splice(0);
  }

  /** eth_getFilterLogs. */
  allLogs(args: Params): Json | Promise<Json> {
    const [, { query }] = this.#find(args);
    if (query === undefined) throw new LedgerError(errors.NoFilter, {});
    return this.#parts.logs.search(query);
  }

  /** eth_uninstallFilter. */
  remove(args: Params): boolean {
    this.#expire();
    const id = args.at(0, (value) => data(readData(value, 'filter id')));
    const filter = this.#filters.get(id);
    if (filter !== undefined) this.#remove(id, filter);
    return filter !== undefined;
  }

  /** Ends all. */
  stop(): void {
    for (const [id, filter] of this.#filters) this.#remove(id, filter);
  }
}

/** The methods about filters. */
export function filterMethods(filters: Filters): Methods {
  return {
    eth_newFilter: { most: 1, call: (args) => filters.addLogs(args) },
    eth_newBlockFilter: { most: 0, call: () => filters.addBlocks() },
    eth_newPendingTransactionFilter: { most: 1, call: () => filters.addTxs() },
    eth_getFilterChanges: { most: 1, call: (args) => filters.changes(args) },
    eth_getFilterLogs: { most: 1, call: (args) => filters.allLogs(args) },
    eth_uninstallFilter: { most: 1, call: (args) => filters.remove(args) },
  };
}
