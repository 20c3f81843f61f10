/**
 * Memories over a node's RPC: write, read, list, prove. Runs in a browser.
 *
 * An owner is named by either address, bech32 or 0x; the id of a space in hex will do as well.
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
  QueryGrantsRequest,
  QueryGrantsResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryHistoryRequest,
  QueryListResponse,
  QuerySpaceRulesRequest,
  QuerySpaceRulesResponse,
} from '../gen/metatron/memory/v1/query.ts';
import { type Entry, EntryType } from '../gen/metatron/memory/v1/state.ts';
import { type MsgPut, MsgPutResponse } from '../gen/metatron/memory/v1/tx.ts';
import type {
  AbsenceProof,
  ConsistencyProof,
  EntryProof,
  HeadProof,
  ListingProof,
} from '../types/bundles.ts';
import { entryOfLeaf } from '../types/entries.ts';
import { MSG_PUT_RESPONSE_URL, MSG_PUT_URL } from '../types/memory.ts';
import { addressOn } from './accounts.ts';
import { broken, errors, malformed } from './errors.ts';
import { consistencyProof, entryProof, headProof, idBytes, listingProof } from './prover.ts';
import { type Answer, abciQuery, type Rpc } from './rpc.ts';

/** What to write. Text becomes UTF-8; the type is TEXT unless given. */
export type PutDraft = {
  readonly content: string | Uint8Array;
  /** Id of a space in hex; the author's own without it. */
  readonly space?: string;
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
  /** The height whose state was read. */
  readonly readAt: number;
};

/** Which part of a list, and of which height's state; 0 is the newest. */
export type PageOptions = {
  readonly start?: number;
  /** At most 1,000. */
  readonly limit?: number;
  readonly height?: number;
};

/** A page of entries. */
export type MemoryPage = {
  readonly memories: readonly Memory[];
  /** Positions of the whole list; in a space's log changes of the space have some of them. */
  readonly total: number;
  /** Where the next page starts; absent on the last one. */
  readonly next: number | undefined;
  readonly readAt: number;
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
      space: draft.space === undefined ? EMPTY : idBytes(draft.space),
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
export function readLogged({ leaf, content, index }: LoggedEntry, readAt: number): Memory {
  const found = entryOfLeaf(leaf);
  if (found?.blockTime === undefined) return malformed('entry');
  const { entry, height, blockTime } = found;
  if (!equalBytes(sha256(content), entry.contentHash)) return broken('content');
  return {
    id: toHex(entry.id),
    index: Number(index),
    entry,
    content,
    text: fromUtf8(content),
    height,
    blockTime,
    readAt,
  };
}

function pageOf({ start = 0, limit = MAX_PAGE }: PageOptions): Page {
  return { start: BigInt(start), limit, reverse: false, withoutContent: false };
}

function readPage({ value, height: readAt }: Answer): MemoryPage {
  const { entries, total, next } = QueryListResponse.decode(value);
  return {
    memories: entries
      .filter(({ leaf }) => entryOfLeaf(leaf) !== undefined)
      .map((entry) => readLogged(entry, readAt)),
    total: Number(total),
    next: next === undefined ? undefined : Number(next),
    readAt,
  };
}

/** A space as queries name it. */
type Where = { readonly space: Uint8Array; readonly owner: string };

function readOne(entry: LoggedEntry | undefined, readAt: number): Memory {
  return entry === undefined ? malformed('entry') : readLogged(entry, readAt);
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

  #ask(method: string, data: Uint8Array, height: number): Promise<Answer> {
    return abciQuery(this.#rpc, SERVICE + method, data, height);
  }

  /** A space by its id of 64 hex digits, or by the owner of a personal one. */
  async #where(owner: string): Promise<Where> {
    const isId = /^[0-9a-fA-F]{64}$/.test(owner);
    if (isId) return { space: idBytes(owner), owner: '' };
    return { space: EMPTY, owner: await addressOn(this.#rpc, owner) };
  }

  /** An entry by id. @throws LedgerError rpc-client/2 if there is none */
  async get(id: string, height = 0): Promise<Memory> {
    const data = QueryEntryRequest.encode({ id: idBytes(id) }).finish();
    const answer = await this.#ask('Entry', data, height);
    return readOne(QueryEntryResponse.decode(answer.value).entry, answer.height);
  }

  /** The newest entry under a key of `owner`. @throws LedgerError rpc-client/2 if there is none */
  async head(owner: string, key: string, height = 0): Promise<Memory> {
    const data = QueryHeadRequest.encode({ ...(await this.#where(owner)), key }).finish();
    const answer = await this.#ask('Head', data, height);
    return readOne(QueryHeadResponse.decode(answer.value).entry, answer.height);
  }

  /** Versions of a key, oldest first; position 0 is version 1. */
  async history(owner: string, key: string, options: PageOptions = {}): Promise<MemoryPage> {
    const request = { ...(await this.#where(owner)), key, page: pageOf(options) };
    const data = QueryHistoryRequest.encode(request).finish();
    return readPage(await this.#ask('History', data, options.height ?? 0));
  }

  /** Entries of an account's space in order of its log; positions are log indexes. */
  async list(owner: string, options: PageOptions = {}): Promise<MemoryPage> {
    const request = { ...(await this.#where(owner)), page: pageOf(options) };
    const data = QueryEntriesRequest.encode(request).finish();
    return readPage(await this.#ask('Entries', data, options.height ?? 0));
  }

  /** What the rules hold of a space. @throws LedgerError rpc-client/2 if there is none */
  async space(owner: string, height = 0): Promise<QuerySpaceRulesResponse> {
    const data = QuerySpaceRulesRequest.encode(await this.#where(owner)).finish();
    return QuerySpaceRulesResponse.decode((await this.#ask('SpaceRules', data, height)).value);
  }

  /** Who was let into a space, up to 1,000 after `start`. */
  async grants(owner: string, start: Uint8Array = EMPTY, height = 0): Promise<QueryGrantsResponse> {
    const request = { ...(await this.#where(owner)), subject: '', start, limit: MAX_PAGE };
    const data = QueryGrantsRequest.encode(request).finish();
    return QueryGrantsResponse.decode((await this.#ask('Grants', data, height)).value);
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
