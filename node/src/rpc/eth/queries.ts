/**
 * The ledger's answers to ABCI queries of module evm, as values.
 *
 * Upholds: a state that is not kept is refused as geth refuses it; every other refusal of a query
 * keeps the ledger's code and text.
 *
 * @module
 */
import type { QueryResponse } from '../../abci/application.ts';
import { LedgerError, present } from '../../base/errors.ts';
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryBlockReceiptsRequest,
  QueryBlockReceiptsResponse,
  QueryBlockRequest,
  QueryBlockResponse,
  QueryCodeRequest,
  QueryCodeResponse,
  QueryParamsRequest,
  QueryParamsResponse,
  QueryReceiptRequest,
  QueryReceiptResponse,
  QueryStorageRequest,
  QueryStorageResponse,
  QueryWrapRequest,
  QueryWrapResponse,
} from '../../gen/metatron/evm/v1/query.ts';
import type { BlockSummary, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import type { AppReader } from '../ports.ts';
import { errors } from './errors.ts';
import { data } from './values.ts';

/** An account at a height. */
export type AccountState = {
  readonly balance: bigint;
  readonly nonce: bigint;
  readonly codeHash: Uint8Array;
};

const PATH = '/metatron.evm.v1.Query/';
/** The ledger's code for a height whose state is not there. */
const INVALID_HEIGHT = { codespace: 'sdk', code: 26 };

type Codec<Request, Response> = readonly [
  request: { encode(value: Request): { finish(): Uint8Array } },
  response: { decode(bytes: Uint8Array): Response },
];

/** Asks the ledger. */
export class EthQueries {
  readonly #app: Pick<AppReader, 'query'>;

  constructor(app: Pick<AppReader, 'query'>) {
    this.#app = app;
  }

  /** The answer to a query. @throws LedgerError ethrpc/7, or the ledger's own */
  async raw(
    path: string,
    bytes: Uint8Array,
    height: number,
    prove = false,
  ): Promise<QueryResponse> {
    const answer = await this.#app.query({ path, data: bytes, height, prove });
    const { code, codespace: space, log } = answer;
    if (code === 0) return answer;
    if (space === INVALID_HEIGHT.codespace && code === INVALID_HEIGHT.code) {
      throw new LedgerError(errors.StateNotKept, { height });
    }
    throw new LedgerError({ space, code, blame: 'client', message: () => log }, {});
  }

  async #ask<Request, Response>(
    method: string,
    [request, response]: Codec<Request, Response>,
    value: Request,
    height: number,
  ): Promise<Response> {
    const answer = await this.raw(`${PATH}${method}`, request.encode(value).finish(), height);
    return response.decode(answer.value);
  }

  /** What genesis fixed. */
  params(): Promise<QueryParamsResponse> {
    return this.#ask('Params', [QueryParamsRequest, QueryParamsResponse], {}, 0);
  }

  /** The account of an address after `height`. */
  async account(height: number, address: Uint8Array): Promise<AccountState> {
    const codec = [QueryAccountRequest, QueryAccountResponse] as const;
    const found = await this.#ask('Account', codec, { address: data(address) }, height);
    return { balance: BigInt(found.balance), nonce: found.nonce, codeHash: found.codeHash };
  }

  /** The code of an address after `height`. */
  async code(height: number, address: Uint8Array): Promise<Uint8Array> {
    const codec = [QueryCodeRequest, QueryCodeResponse] as const;
    return (await this.#ask('Code', codec, { address }, height)).code;
  }

  /** A slot after `height`: 32 bytes. */
  async storage(height: number, address: Uint8Array, slot: Uint8Array): Promise<Uint8Array> {
    const codec = [QueryStorageRequest, QueryStorageResponse] as const;
    return (await this.#ask('Storage', codec, { address, slot }, height)).value;
  }

  /** The receipt of a transaction, if it is in a block. */
  async receipt(hash: Uint8Array): Promise<Receipt | undefined> {
    const codec = [QueryReceiptRequest, QueryReceiptResponse] as const;
    return (await this.#ask('Receipt', codec, { hash }, 0)).receipt;
  }

  /** Where a transaction is, by its hash; nothing of an application without an EVM. */
  async placeOf(
    hash: Uint8Array,
  ): Promise<{ readonly height: number; readonly index: number } | undefined> {
    try {
      const found = await this.receipt(hash);
      return found && { height: Number(found.height), index: found.blockIndex };
    } catch (thrown) {
      if (thrown instanceof LedgerError) return undefined;
      throw thrown;
    }
  }

  /** The receipts of a block, in order. */
  async receipts(height: number): Promise<readonly Receipt[]> {
    const codec = [QueryBlockReceiptsRequest, QueryBlockReceiptsResponse] as const;
    const request = { height: BigInt(height) };
    return (await this.#ask('BlockReceipts', codec, request, 0)).receipts;
  }

  /** What a block's Ethereum transactions add up to; none if it has none. */
  async summary(height: number): Promise<BlockSummary | undefined> {
    const codec = [QueryBlockRequest, QueryBlockResponse] as const;
    return (await this.#ask('Block', codec, { height: BigInt(height) }, 0)).summary;
  }

  /** The ledger's transaction that carries a signed one. @throws LedgerError of space evm */
  wrap(raw: Uint8Array): Promise<QueryWrapResponse> {
    return this.#ask('Wrap', [QueryWrapRequest, QueryWrapResponse], { raw }, 0);
  }

  /** The ICS-23 proof of a record after `height`, or of its absence, and its value. */
  async prove(
    height: number,
    key: Uint8Array,
  ): Promise<{ readonly value: Uint8Array; readonly proof: Uint8Array }> {
    const { value, proofOps } = await this.raw('/store/key', key, height, true);
    return { value, proof: present(proofOps?.[0], 'proof').data };
  }
}
