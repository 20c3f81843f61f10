/**
 * Memories over a node's RPC: write, read, list, prove. Runs in a browser.
 *
 * Upholds: what is read is checked against the log leaf's content hash; proofs are fetched by
 * prover.ts and checked in proof.ts. Every answer of a write names id, transaction and height.
 * Absent here: keys; a CosmJS signing client signs.
 *
 * @example
 * const memory = new MemoryClient(httpRpc('http://127.0.0.1:26657'));
 * const { id } = await memory.put(signer, address, { content: 'the sky is blue' });
 * verifyProof(await memory.proof(id), trusted);
 *
 * @module
 */
import { EMPTY, equalBytes, fromUtf8, toHex, utf8 } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import {
  type LoggedEntry,
  type Page,
  QueryEntriesRequest,
  QueryEntryRequest,
  QueryEntryResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryHistoryRequest,
  QueryListResponse,
} from '../gen/metatron/memory/v1/query.ts';
import { type Entry, EntryType, Operation } from '../gen/metatron/memory/v1/state.ts';
import { type MsgPut, MsgPutResponse } from '../gen/metatron/memory/v1/tx.ts';
import { timestampNanos } from '../types/amino.ts';
import type {
  AbsenceProof,
  ConsistencyProof,
  EntryProof,
  HeadProof,
  ListingProof,
} from '../types/bundles.ts';
import { MSG_PUT_RESPONSE_URL, MSG_PUT_URL } from '../types/memory.ts';
import { broken, errors, malformed } from './errors.ts';
import { consistencyProof, entryProof, headProof, idBytes, listingProof } from './prover.ts';
import { abciQuery, type Rpc } from './rpc.ts';

/** What to write. Text becomes UTF-8; the type is TEXT unless given. */
export type PutDraft = {
  readonly content: string | Uint8Array;
  readonly key?: string;
  readonly type?: EntryType;
  readonly tags?: readonly string[];
  /** 0: the key must not exist yet. */
  readonly expectedVersion?: number;
  readonly eventTime?: Date;
  readonly sources?: readonly { readonly id: string; readonly hash?: Uint8Array }[];
};

/** A message as CosmJS signs it. */
export type PutMessage = { readonly typeUrl: string; readonly value: MsgPut };

/** What of a CosmJS `SigningStargateClient` is used. */
export type PutSigner = {
  signAndBroadcast(
    address: string,
    messages: readonly PutMessage[],
    fee: 'auto' | number,
    memo?: string,
  ): Promise<{
    readonly code: number;
    readonly rawLog?: string | undefined;
    readonly height: number;
    readonly transactionHash: string;
    readonly msgResponses: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
  }>;
};

/** The answer to a write. */
export type Written = {
  readonly id: string;
  readonly index: number;
  readonly version: number;
  readonly txHash: string;
  readonly height: number;
};

/** An entry as it was read: a node's word until a proof is checked. */
export type Memory = {
  readonly id: string;
  readonly index: number;
  readonly entry: Entry;
  readonly content: Uint8Array;
  /** The content if it is UTF-8. */
  readonly text: string | undefined;
  readonly height: number;
  /** Nanoseconds since the epoch. */
  readonly blockTime: bigint;
};

const SERVICE = '/metatron.memory.v1.Query/';
const GAS_FACTOR = 1.4;
const MAX_PAGE = 1_000;

/** The message that writes `draft`. */
export function putMessage(author: string, draft: PutDraft): PutMessage {
  const { content, eventTime, expectedVersion, sources = [] } = draft;
  const millis = eventTime?.getTime();
  return {
    typeUrl: MSG_PUT_URL,
    value: {
      author,
      space: EMPTY,
      key: draft.key ?? '',
      type: draft.type ?? EntryType.TEXT,
      content: typeof content === 'string' ? utf8(content) : content,
      tags: [...(draft.tags ?? [])],
      expectedVersion: expectedVersion === undefined ? undefined : BigInt(expectedVersion),
      eventTime:
        millis === undefined
          ? undefined
          : {
              seconds: BigInt(Math.floor(millis / 1000)),
              nanos: (((millis % 1000) + 1000) % 1000) * 1_000_000,
            },
      sources: sources.map(({ id, hash }) => ({ id, hash: hash ?? EMPTY })),
    },
  };
}

/** Reads a logged entry; its content must be the one that its leaf names. */
export function readLogged({ leaf, content, index }: LoggedEntry): Memory {
  const { kind, height, blockTime } = Operation.decode(leaf);
  if (kind === undefined || blockTime === undefined) return malformed('entry');
  const entry = kind.value;
  if (!equalBytes(sha256(content), entry.contentHash)) return broken('content');
  return {
    id: toHex(entry.id),
    index: Number(index),
    entry,
    content,
    text: fromUtf8(content),
    height: Number(height),
    blockTime: timestampNanos(blockTime),
  };
}

function pageAt(start: number): Page {
  return { start: BigInt(start), limit: MAX_PAGE, reverse: false, withoutContent: false };
}

/** A node's memories. */
export class MemoryClient {
  readonly #rpc: Rpc;

  constructor(rpc: Rpc) {
    this.#rpc = rpc;
  }

  /**
   * Writes entries in one transaction: all or none.
   *
   * @throws LedgerError rpc-client/3 if it fails
   */
  async putAll(
    signer: PutSigner,
    address: string,
    drafts: readonly PutDraft[],
    fee: 'auto' | number = GAS_FACTOR,
  ): Promise<readonly Written[]> {
    const messages = drafts.map((draft) => putMessage(address, draft));
    const result = await signer.signAndBroadcast(address, messages, fee);
    if (result.code !== 0) {
      const log = result.rawLog ?? '';
      throw new LedgerError(errors.Failed, { space: '', code: result.code, log });
    }
    const { transactionHash: txHash, height } = result;
    return result.msgResponses
      .filter(({ typeUrl }) => typeUrl === MSG_PUT_RESPONSE_URL)
      .map(({ value }) => {
        const { id, index, version } = MsgPutResponse.decode(value);
        return { id: toHex(id), index: Number(index), version: Number(version), txHash, height };
      });
  }

  /** Writes one entry. @throws LedgerError rpc-client/3 if the transaction fails */
  async put(
    signer: PutSigner,
    address: string,
    draft: PutDraft,
    fee: 'auto' | number = GAS_FACTOR,
  ): Promise<Written> {
    const [written] = await this.putAll(signer, address, [draft], fee);
    return written ?? malformed('the transaction has no answer');
  }

  async #ask(method: string, data: Uint8Array, height: number): Promise<Uint8Array> {
    return (await abciQuery(this.#rpc, SERVICE + method, data, height)).value;
  }

  /** An entry by id. @throws LedgerError rpc-client/2 if there is none */
  async get(id: string, height = 0): Promise<Memory> {
    const data = QueryEntryRequest.encode({ id: idBytes(id) }).finish();
    const { entry } = QueryEntryResponse.decode(await this.#ask('Entry', data, height));
    return entry === undefined ? malformed('entry') : readLogged(entry);
  }

  /** The newest entry under a key of `owner`. @throws LedgerError rpc-client/2 if there is none */
  async head(owner: string, key: string, height = 0): Promise<Memory> {
    const data = QueryHeadRequest.encode({ space: EMPTY, owner, key }).finish();
    const { entry } = QueryHeadResponse.decode(await this.#ask('Head', data, height));
    return entry === undefined ? malformed('entry') : readLogged(entry);
  }

  /** Versions of a key, oldest first, from `start` (0 is version 1); at most 1,000. */
  async history(owner: string, key: string, start = 0, height = 0): Promise<readonly Memory[]> {
    const page = pageAt(start);
    const data = QueryHistoryRequest.encode({ space: EMPTY, owner, key, page }).finish();
    const { entries } = QueryListResponse.decode(await this.#ask('History', data, height));
    return entries.map(readLogged);
  }

  /** Entries of an account's space in order, from log index `start`; at most 1,000. */
  async list(owner: string, start = 0, height = 0): Promise<readonly Memory[]> {
    return (await this.#page(owner, start, height)).entries.map(readLogged);
  }

  async #page(owner: string, start: number, height: number): Promise<QueryListResponse> {
    const data = QueryEntriesRequest.encode({ space: EMPTY, owner, page: pageAt(start) }).finish();
    return QueryListResponse.decode(await this.#ask('Entries', data, height));
  }

  /**
   * The proof of an entry. Waits until the header after its block is there.
   *
   * @param waitMs - how long to wait for that header, in milliseconds
   */
  proof(id: string, waitMs = 10_000): Promise<EntryProof> {
    return entryProof(this.#rpc, id, waitMs);
  }

  /** The proof of all entries of an account's space at the newest provable height. */
  listingProof(owner: string): Promise<ListingProof> {
    return listingProof(this.#rpc, owner);
  }

  /** The proof of which entry a key has at the newest provable height, or that it has none. */
  headProof(owner: string, key: string): Promise<HeadProof | AbsenceProof> {
    return headProof(this.#rpc, owner, key);
  }

  /** The proof that an account's space only grew between two heights; `to` 0: until now. */
  consistencyProof(owner: string, from: number, to = 0): Promise<ConsistencyProof> {
    return consistencyProof(this.#rpc, owner, from, to);
  }
}
