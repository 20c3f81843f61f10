/**
 * Reading memories over a node's RPC, and showing them.
 *
 * Upholds: content is shown as text if it is UTF-8, and as base64 otherwise. What a node answers
 * here is its word; memory-proof.ts fetches what proves it.
 *
 * @module
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { encodeBech32 } from '../base/bech32.ts';
import { fromHex, fromUtf8, toBase64, toHex, utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import {
  type LoggedEntry,
  QueryEntriesRequest,
  QueryEntryRequest,
  QueryEntryResponse,
  QueryHeadRequest,
  QueryHeadResponse,
  QueryHistoryRequest,
  QueryListResponse,
} from '../gen/metatron/memory/v1/query.ts';
import { EntryType, Operation } from '../gen/metatron/memory/v1/state.ts';
import { MsgPutResponse } from '../gen/metatron/memory/v1/tx.ts';
import { txMsgDataCodec } from '../ledger/tx/wire.ts';
import { query } from './chain-client.ts';

/** Refusals. */
export const errors: {
  readonly BadEntry: ErrorSpec<{ readonly reason: string }>;
  readonly BadId: ErrorSpec<{ readonly id: string }>;
  readonly NoKey: ErrorSpec<object>;
} = {
  BadEntry: errorSpec('memory-client', 1, 'client', (p) => `not an entry: ${p.reason}`),
  BadId: errorSpec('memory-client', 2, 'client', (p) => `${p.id} is no id: 64 hex digits`),
  NoKey: errorSpec(
    'memory-client',
    3,
    'client',
    () => 'name a key and its --owner, or an entry with --id',
  ),
};

/** @throws LedgerError memory-client/1 */
export function refuseEntry(reason: string): never {
  throw new LedgerError(errors.BadEntry, { reason });
}

const SERVICE = '/metatron.memory.v1.Query';

/** What the ledger answered to each Put of a transaction. */
export function putResponses(data: Uint8Array): readonly PutAnswer[] {
  return txMsgDataCodec.decode(data).msgResponses.map((any) => {
    const { id, index, version } = MsgPutResponse.decode(any.value);
    return { id: toHex(id), index: Number(index), version: Number(version) };
  });
}

/** Where an entry went. */
export type PutAnswer = { readonly id: string; readonly index: number; readonly version: number };

/** An id in hex. @throws LedgerError memory-client/2 */
export function entryIdOf(id: string): Uint8Array {
  const bytes = fromHex(id);
  if (bytes?.length !== 32) throw new LedgerError(errors.BadId, { id });
  return bytes;
}

/** One entry and the height it was read at. */
export type ReadEntry = { readonly entry: LoggedEntry; readonly height: number };

/** An entry by its id. @throws LedgerError memory-client/2, client/11 if it is not there */
export async function readEntry(node: string, id: string, height: number): Promise<ReadEntry> {
  const data = QueryEntryRequest.encode({ id: entryIdOf(id) }).finish();
  const answer = await query(node, `${SERVICE}/Entry`, data, height);
  return entryOf(QueryEntryResponse.decode(answer.value).entry, answer.height);
}

function entryOf(entry: LoggedEntry | undefined, height: string): ReadEntry {
  if (entry === undefined) return refuseEntry('the node answered without one');
  return { entry, height: Number(height) };
}

/** Which key of whom. */
export type KeyOf = {
  readonly owner?: string | undefined;
  readonly key?: string | undefined;
  readonly height: number;
};

/** The newest entry of a key. @throws LedgerError memory-client/3, client/11 */
export async function readHead(node: string, which: KeyOf): Promise<ReadEntry> {
  const { owner, key } = which;
  if (owner === undefined || key === undefined) throw new LedgerError(errors.NoKey, {});
  const data = QueryHeadRequest.encode(QueryHeadRequest.fromPartial({ owner, key })).finish();
  const answer = await query(node, `${SERVICE}/Head`, data, which.height);
  return entryOf(QueryHeadResponse.decode(answer.value).entry, answer.height);
}

/** Which part of a list. */
export type ListOf = KeyOf & { readonly start: number; readonly limit: number };

/** A page of entries; `next` is where the following one starts. */
export type ReadList = {
  readonly entries: readonly LoggedEntry[];
  readonly total: number;
  readonly next: number | undefined;
  readonly height: number;
};

async function readList(
  node: string,
  name: string,
  data: Uint8Array,
  at: number,
): Promise<ReadList> {
  const answer = await query(node, `${SERVICE}/${name}`, data, at);
  const { entries, total, next } = QueryListResponse.decode(answer.value);
  return {
    entries,
    total: Number(total),
    next: next === undefined ? undefined : Number(next),
    height: Number(answer.height),
  };
}

function pageOf(which: ListOf): { start: bigint; limit: number } {
  return { start: BigInt(which.start), limit: which.limit };
}

/** The versions of a key. @throws LedgerError memory-client/3, client/11 */
export function readHistory(node: string, which: ListOf): Promise<ReadList> {
  const { owner, key, height } = which;
  if (owner === undefined || key === undefined) throw new LedgerError(errors.NoKey, {});
  const request = QueryHistoryRequest.fromPartial({ owner, key, page: pageOf(which) });
  return readList(node, 'History', QueryHistoryRequest.encode(request).finish(), height);
}

/** A run of an owner's space. @throws LedgerError memory-client/3, client/11 */
export function readSpace(node: string, which: ListOf): Promise<ReadList> {
  const { owner, height } = which;
  if (owner === undefined) throw new LedgerError(errors.NoKey, {});
  const request = QueryEntriesRequest.fromPartial({ owner, page: pageOf(which) });
  return readList(node, 'Entries', QueryEntriesRequest.encode(request).finish(), height);
}

/** An entry as JSON. */
export type EntryJson = {
  readonly id: string;
  readonly index: number;
  readonly key: string;
  readonly version: number;
  readonly author: string;
  readonly type: string;
  readonly tags: readonly string[];
  readonly height: number;
  readonly contentHash: string;
  readonly content: string | undefined;
  readonly contentBase64: string | undefined;
};

function typeName(type: EntryType): string {
  const found = Object.entries(EntryType).find(([, value]) => value === type);
  return found === undefined ? String(type) : found[0].toLowerCase();
}

/** An entry for people and programs. @throws LedgerError memory-client/1 if it is not a put */
export function entryJson(logged: LoggedEntry): EntryJson {
  const operation = Operation.decode(logged.leaf);
  if (operation.kind?.$case !== 'put') return refuseEntry('an operation of another kind');
  const entry = operation.kind.value;
  const text = fromUtf8(logged.content);
  return {
    id: toHex(entry.id),
    index: Number(logged.index),
    key: entry.key,
    version: Number(entry.version),
    author: encodeBech32('metatron', entry.author),
    type: typeName(entry.type),
    tags: entry.tags,
    height: Number(operation.height),
    contentHash: toHex(entry.contentHash),
    content: text,
    contentBase64: text === undefined ? toBase64(logged.content) : undefined,
  };
}

/** An entry as lines. */
export function entryText(entry: EntryJson): string {
  const head = [
    `id       ${entry.id}`,
    `author   ${entry.author}`,
    `key      ${entry.key === '' ? '(none)' : `${entry.key}, version ${entry.version}`}`,
    `written  height ${entry.height}, index ${entry.index}, ${entry.type}`,
  ];
  if (entry.tags.length > 0) head.push(`tags     ${entry.tags.join(', ')}`);
  return [...head, '', entry.content ?? `(base64) ${entry.contentBase64 ?? ''}`].join('\n');
}

/** Where an import of a source by an account remembers how far it came. */
export function progressFile(chainId: string, address: string, source: string): string {
  const name = toHex(sha256(utf8(`${chainId}\n${address}\n${source}`)).subarray(0, 12));
  return join(homedir(), '.metatron', 'imports', `${name}.json`);
}
