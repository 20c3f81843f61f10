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
import { errors as clientErrors } from '../client/errors.ts';
import { type Memory, MemoryClient } from '../client/memory-client.ts';
import { MsgPutResponse } from '../gen/metatron/memory/v1/tx.ts';
import { txMsgDataCodec } from '../ledger/tx/wire.ts';
import type { ConsistencyProof } from '../types/bundles.ts';
import { entryTypeName } from '../types/entries.ts';
import { latestHeight, nodeRpc } from './rpc-client.ts';

/** Refusals. */
export const errors: {
  readonly NoEntry: ErrorSpec<{ readonly id: string; readonly when: string }>;
  readonly NoSpace: ErrorSpec<{ readonly owner: string; readonly when: string }>;
  readonly NoKey: ErrorSpec<{ readonly owner: string; readonly key: string; when: string }>;
  readonly Refused: ErrorSpec<{ readonly log: string }>;
  readonly TooEarly: ErrorSpec<{ readonly owner: string; since: number; first: number }>;
  readonly TooLate: ErrorSpec<{ readonly since: number; readonly latest: number }>;
} = {
  NoEntry: errorSpec('memory-client', 4, 'client', (p) => `there is no entry ${p.id}${p.when}`),
  NoSpace: errorSpec('memory-client', 5, 'client', (p) => `${p.owner} wrote nothing${p.when}`),
  NoKey: errorSpec(
    'memory-client',
    6,
    'client',
    (p) =>
      `${p.owner} has nothing under the key ${p.key}${p.when}; ` +
      `"metatron memory list --owner ${p.owner}" shows what there is`,
  ),
  Refused: errorSpec('memory-client', 7, 'client', (p) => `the node refuses the query: ${p.log}`),
  TooEarly: errorSpec(
    'memory-client',
    8,
    'client',
    (p) =>
      `at height ${p.since} ${p.owner} had not written anything; the first entry is of height ` +
      `${p.first}: take --since ${p.first} or later`,
  ),
  TooLate: errorSpec(
    'memory-client',
    9,
    'client',
    (p) => `the chain is at height ${p.latest}: take a --since before that, not ${p.since}`,
  ),
};

/** What a read asks for, as far as its refusal names it. */
export type Asked = {
  readonly id?: string | undefined;
  readonly owner?: string | undefined;
  readonly key?: string | undefined;
  readonly height?: number;
};

/** The ledger's own codes in codespace `memory`. */
const [NO_ENTRY, NO_SPACE, NO_KEY] = [4, 5, 6];

/** Waits for a read. @throws LedgerError memory-client/4 to /7 for what the ledger refuses */
export async function reading<T>(asked: Asked, read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (thrown) {
    if (!LedgerError.is(thrown, clientErrors.Query)) throw thrown;
    const { space, code, log } = thrown.params;
    const { id, owner = '', key = '', height = 0 } = asked;
    const when = height === 0 ? '' : ` at height ${height}`;
    if (space === 'memory' && code === NO_ENTRY && id !== undefined) {
      throw new LedgerError(errors.NoEntry, { id, when }, thrown);
    }
    if (space === 'memory' && code === NO_SPACE) {
      throw new LedgerError(errors.NoSpace, { owner, when }, thrown);
    }
    if (space === 'memory' && code === NO_KEY) {
      throw new LedgerError(errors.NoKey, { owner, key: JSON.stringify(key), when }, thrown);
    }
    throw new LedgerError(errors.Refused, { log }, thrown);
  }
}

/**
 * The proof that a space only grew since a height.
 *
 * @throws LedgerError memory-client/5, /8 or /9 if the height is not one of the space
 */
export async function growthProof(
  node: string,
  owner: string,
  since: number,
): Promise<ConsistencyProof> {
  const client = memoryClient(node);
  const latest = await latestHeight(node);
  if (since >= latest) throw new LedgerError(errors.TooLate, { since, latest });
  try {
    return await reading({ owner }, client.consistencyProof(owner, since));
  } catch (thrown) {
    if (!LedgerError.is(thrown, clientErrors.NoSpace)) throw thrown;
    const { memories } = await reading({ owner }, client.list(owner, { limit: 1 }));
    const first = memories[0]?.height ?? 0;
    throw new LedgerError(errors.TooEarly, { owner, since, first }, thrown);
  }
}

/** The client of a node; its failures say what to do at the command line. */
export function memoryClient(node: string): MemoryClient {
  return new MemoryClient(nodeRpc(node));
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

/** An entry for people and programs. */
export function entryJson({ id, index, entry, content, text, height }: Memory): EntryJson {
  return {
    id,
    index,
    key: entry.key,
    version: Number(entry.version),
    author: encodeBech32('metatron', entry.author),
    type: entryTypeName(entry.type),
    tags: entry.tags,
    height,
    contentHash: toHex(entry.contentHash),
    content: text,
    contentBase64: text === undefined ? toBase64(content) : undefined,
  };
}

/**
 * An entry as lines.
 *
 * @param margin - what content's lines begin with, so that none can pass for a line of this form
 */
export function entryText(entry: EntryJson, margin: string): string {
  const head = [
    `id       ${entry.id}`,
    `author   ${entry.author}`,
    `key      ${entry.key === '' ? '(none)' : `${entry.key}, version ${entry.version}`}`,
    `written  height ${entry.height}, index ${entry.index}, ${entry.type}`,
  ];
  if (entry.tags.length > 0) head.push(`tags     ${entry.tags.join(', ')}`);
  const content = entry.content ?? `(base64) ${entry.contentBase64 ?? ''}`;
  return [...head, '', content.replace(/^/gm, margin)].join('\n');
}

/** Where an import of a source by an account remembers what it wrote. */
export function recordFile(chainId: string, address: string, source: string): string {
  const name = toHex(sha256(utf8(`${chainId}\n${address}\n${source}`)).subarray(0, 12));
  return join(homedir(), '.metatron', 'imports', `${name}.log`);
}
