/**
 * Showing memories at the command line.
 *
 * Upholds: content is shown as text if it is UTF-8, and as base64 otherwise.
 * Absent here: reading; client/memory-client.ts does it.
 *
 * @module
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { encodeBech32 } from '../base/bech32.ts';
import { toBase64, toHex, utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { type Memory, MemoryClient } from '../client/memory-client.ts';
import { EntryType } from '../gen/metatron/memory/v1/state.ts';
import { MsgPutResponse } from '../gen/metatron/memory/v1/tx.ts';
import { txMsgDataCodec } from '../ledger/tx/wire.ts';
import { call } from './rpc-client.ts';

/** Refusals. */
export const errors: {
  readonly BadEntry: ErrorSpec<{ readonly reason: string }>;
  readonly NoKey: ErrorSpec<object>;
} = {
  BadEntry: errorSpec('memory-client', 1, 'client', (p) => `not an entry: ${p.reason}`),
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

/** Whose key, if both are named. @throws LedgerError memory-client/3 if not */
export function named(
  owner: string | undefined,
  key: string | undefined,
): readonly [owner: string, key: string] {
  if (owner === undefined || key === undefined) throw new LedgerError(errors.NoKey, {});
  return [owner, key];
}

/** The client of a node; its failures say what to do at the command line. */
export function memoryClient(node: string): MemoryClient {
  return new MemoryClient((method, params) => call(node, method, params));
}

/** What the ledger answered to each Put of a transaction. */
export function putResponses(data: Uint8Array): readonly PutAnswer[] {
  return txMsgDataCodec.decode(data).msgResponses.map((any) => {
    const { id, index, version } = MsgPutResponse.decode(any.value);
    return { id: toHex(id), index: Number(index), version: Number(version) };
  });
}

/** Where an entry went. */
export type PutAnswer = { readonly id: string; readonly index: number; readonly version: number };

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

/** An entry for people and programs. */
export function entryJson({ id, index, entry, content, text, height }: Memory): EntryJson {
  return {
    id,
    index,
    key: entry.key,
    version: Number(entry.version),
    author: encodeBech32('metatron', entry.author),
    type: typeName(entry.type),
    tags: entry.tags,
    height,
    contentHash: toHex(entry.contentHash),
    content: text,
    contentBase64: text === undefined ? toBase64(content) : undefined,
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
