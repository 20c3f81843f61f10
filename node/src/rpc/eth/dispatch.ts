/**
 * JSON-RPC 2.0 as geth speaks it: from the text of a request or batch to the text of its answer.
 *
 * Upholds: any text gets a declared answer or, for notifications, none; unexpected failures are
 * logged and answered without their text. Requests of a batch run one after the other, until
 * their time is over or nobody waits any more; their answers together are bounded.
 * Spec: JSON-RPC 2.0; go-ethereum rpc/handler.go, rpc/json.go.
 *
 * @module
 */
import { describe, LedgerError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Json } from '../json.ts';
import { errorText, type Id, MAX_ID_LENGTH, resultText } from '../jsonrpc.ts';
import { type EthError, errors, ethErrorOf, INTERNAL } from './errors.ts';
import type { Method, Methods } from './methods.ts';
import { Params } from './params.ts';
import type { Turn } from './turn.ts';

/** Most characters of a batch's answers; further requests of it are refused. */
const MAX_BATCH_CHARACTERS = 25_000_000;

/** A request with its id. */
export type EthRequest = {
  readonly id: Id | null;
  readonly method: string;
  readonly params: unknown;
};

/** Answers what a transport adds to the methods; `undefined` leaves it to them. */
export type Extra = (request: EthRequest) => Json | Promise<Json> | undefined;

function badRequest(reason: string): string {
  return errorText(null, { code: -32_600, message: reason });
}

type Element = EthRequest | 'notification' | 'invalid';

function readElement(value: unknown): Element {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'invalid';
  const { jsonrpc, id, method, params } = value as Readonly<Record<string, unknown>>;
  if (jsonrpc !== '2.0' || typeof method !== 'string' || method === '') return 'invalid';
  if (id === undefined) return 'notification';
  const text = typeof id === 'string' && id.length <= MAX_ID_LENGTH;
  return id === null || typeof id === 'number' || text ? { id, method, params } : 'invalid';
}

/** Answers requests by a table of methods. */
export class EthDispatcher {
  readonly #methods: Methods;
  readonly #maxBatch: number;
  readonly #logger: Logger;

  constructor(methods: Methods, maxBatch: number, logger: Logger) {
    this.#methods = methods;
    this.#maxBatch = maxBatch;
    this.#logger = logger;
  }

  /** The methods' names. */
  get names(): readonly string[] {
    return Object.keys(this.#methods);
  }

  /** The text of the answer to a text; empty if nothing is to be answered. */
  async answer(text: string, turn: Turn, extra?: Extra): Promise<string> {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return errorText(null, { code: -32_700, message: errors.BadJson.message({}) });
    }
    return Array.isArray(value)
      ? await this.#batch(value, turn, extra)
      : await this.#one(value, turn, extra);
  }

  async #batch(values: readonly unknown[], turn: Turn, extra?: Extra): Promise<string> {
    if (values.length === 0) return badRequest('empty batch');
    if (values.length > this.#maxBatch) return badRequest('batch too large');
    const answers: string[] = [];
    let size = 0;
    for (const value of values) {
      if (turn.signal.aborted) return '';
      const full = size > MAX_BATCH_CHARACTERS;
      const answer = full ? badRequest('response too large') : await this.#one(value, turn, extra);
      size += answer.length;
      if (answer !== '') answers.push(answer);
    }
    return answers.length === 0 ? '' : `[${answers.join(',')}]`;
  }

  async #one(value: unknown, turn: Turn, extra?: Extra): Promise<string> {
    const request = readElement(value);
    if (request === 'invalid') return badRequest('invalid request');
    if (request === 'notification') return '';
    const { id, method, params } = request;
    try {
      turn.check();
      const added = extra?.(request);
      if (added !== undefined) return resultText(id, JSON.stringify(await added));
      const found = this.#method(method);
      const result = await found.call(new Params(params, found.most), turn);
      return resultText(id, JSON.stringify(result));
    } catch (thrown) {
      return errorText(id, this.#failure(method, thrown));
    }
  }

  #method(name: string): Method {
    const found = Object.hasOwn(this.#methods, name) ? this.#methods[name] : undefined;
    if (found !== undefined) return found;
    throw new LedgerError(errors.NoMethod, { method: name.slice(0, 100) });
  }

  #failure(method: string, thrown: unknown): EthError {
    const error = ethErrorOf(thrown);
    if (error !== undefined) return error;
    this.#logger.error('eth method failed', { method, reason: describe(thrown) });
    return INTERNAL;
  }
}
