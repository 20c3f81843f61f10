/**
 * JSON-RPC 2.0: from the text of a request or batch to the text of its answer.
 *
 * Upholds: any text gets a declared answer or, for notifications, none; unexpected failures are
 * logged and answered without their text. Requests of a batch run one after the other.
 * Spec: JSON-RPC 2.0; CometBFT 0.38 rpc/jsonrpc/server/http_json_handler.go, types/types.go.
 *
 * @module
 */
import { describe } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { badParams, errorOf } from './errors.ts';
import type { Json } from './json.ts';
import { readJsonParams, readUriParams } from './params.ts';
import { type RpcError, rpcError } from './protocol-errors.ts';
import type { Route, Routes } from './route.ts';

/** A request's id. */
export type Id = string | number;

/** A request that has an id. */
export type Request = { readonly id: Id; readonly method: string; readonly params: unknown };

type Eventually<T> = T | Promise<T>;

/** The text of an answer with a result that is already text. */
export function resultText(id: Id | null, result: string): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;
}

/** The text of an answer with an error. */
export function errorText(id: Id | null, error: Pick<RpcError, 'code' | 'message'>): string {
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"error":${JSON.stringify(error)}}`;
}

/** What one element of a request's JSON is. */
type Element =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'notification' }
  | { readonly kind: 'bad'; readonly reason: string };

/** Most characters of an id. */
export const MAX_ID_LENGTH = 1_000;

function readElement(value: unknown): Element {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'bad', reason: 'a request is an object' };
  }
  const { id, method, params } = value as Readonly<Record<string, unknown>>;
  if (id === undefined || id === null) return { kind: 'notification' };
  const number = typeof id === 'number' && Number.isFinite(id);
  const text = typeof id === 'string' && id.length <= MAX_ID_LENGTH;
  if (!number && !text) return { kind: 'bad', reason: 'an id is a string or a number' };
  if (method !== undefined && typeof method !== 'string') {
    return { kind: 'bad', reason: 'a method is a string' };
  }
  // CometBFT cuts the fraction off.
  const kept = typeof id === 'number' ? Math.trunc(id) : (id as string);
  return { kind: 'request', request: { id: kept, method: method ?? '', params } };
}

/** Answers one request; used for what a transport adds to the methods, such as subscriptions. */
export type Handler = (request: Request) => Eventually<string>;

/** Answers requests by a table of methods. */
export class Dispatcher {
  readonly #routes: Routes;
  readonly #maxBatch: number;
  readonly #logger: Logger;

  constructor(routes: Routes, maxBatch: number, logger: Logger) {
    this.#routes = routes;
    this.#maxBatch = maxBatch;
    this.#logger = logger;
  }

  /** The methods' names and parameters. */
  get routes(): Routes {
    return this.#routes;
  }

  #route(method: string): Route | undefined {
    return Object.hasOwn(this.#routes, method) ? this.#routes[method] : undefined;
  }

  /** The text of the answer to a text; empty if nothing is to be answered. */
  answer(text: string, handle: Handler = (request) => this.call(request)): Eventually<string> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (thrown) {
      return errorText(null, rpcError('parse', `error unmarshaling request: ${describe(thrown)}`));
    }
    return Array.isArray(value) ? this.#batch(value, handle) : this.#one(value, handle);
  }

  #one(value: unknown, handle: Handler): Eventually<string> {
    const element = readElement(value);
    if (element.kind === 'request') return handle(element.request);
    if (element.kind === 'notification') return '';
    return errorText(null, rpcError('parse', `error unmarshaling request: ${element.reason}`));
  }

  async #batch(values: readonly unknown[], handle: Handler): Promise<string> {
    if (values.length > this.#maxBatch) {
      const reason = `batch has ${values.length} requests, more than ${this.#maxBatch}`;
      return errorText(null, rpcError('request', reason));
    }
    const answers: string[] = [];
    for (const value of values) {
      const answer = await this.#one(value, handle);
      if (answer !== '') answers.push(answer);
    }
    return answers.length === 0 ? '' : `[${answers.join(',')}]`;
  }

  /** Calls the method of a request. Never throws. */
  call({ id, method, params }: Request): Eventually<string> {
    const found = this.#route(method);
    if (found === undefined) return errorText(id, rpcError('method', ''));
    return this.#run(id, method, () => found.call(readJsonParams(found.params, params)));
  }

  /** Calls a method by a URL's query; `undefined` if there is none of that name. */
  callUri(method: string, query: URLSearchParams): Eventually<string> | undefined {
    const found = this.#route(method);
    if (found === undefined) return undefined;
    return this.#run(-1, method, () => found.call(readUriParams(found.params, query)));
  }

  #run(id: Id, method: string, call: () => Eventually<Json>): Eventually<string> {
    try {
      const result = call();
      if (!(result instanceof Promise)) return resultText(id, JSON.stringify(result));
      return result.then(
        (value) => resultText(id, JSON.stringify(value)),
        (thrown) => this.failure(id, method, thrown),
      );
    } catch (thrown) {
      return this.failure(id, method, thrown);
    }
  }

  /** The text of the answer when a request failed. */
  failure(id: Id, method: string, thrown: unknown): string {
    const error = errorOf(thrown);
    if (error !== undefined) return errorText(id, error);
    this.#logger.error('rpc method failed', { method, reason: describe(thrown) });
    return errorText(id, rpcError('internal', 'the node could not answer; its log says why'));
  }
}

/** Refuses a parameter of a subscription. @throws LedgerError rpc/1 */
export function textParam(params: unknown, name: string): string {
  const { [name]: value } = readJsonParams({ [name]: 'text' }, params);
  return typeof value === 'string' ? value : badParams(`${name} is required`);
}
