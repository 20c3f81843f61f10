/**
 * What `memory import` reads: a JSON Lines file, or a folder of text and Markdown.
 *
 *     {"content":"…","key":"…","type":"text","tags":["…"],"expectedVersion":0}
 *
 * Upholds: one item at a time, so that a source of any size takes bounded memory; whatever cannot
 * become an entry is an item with the reason. Files of a folder come in order of their paths, which
 * become their keys.
 *
 * @module
 */
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { createInterface } from 'node:readline';
import { toHex, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { EntryType } from '../gen/metatron/memory/v1/state.ts';
import { MAX_CONTENT_BYTES, MAX_KEY_BYTES, MAX_TAG_BYTES, MAX_TAGS } from '../types/memory.ts';
import type { PutContent } from './transaction.ts';

/** Where an item stands; `mark` is its digest, so that a changed source is noticed. */
export type Place = { readonly index: number; readonly mark: string };

/** One thing to write, or why it cannot be written. */
export type Item = {
  /** For people: `notes.jsonl:12` or `folder/file.md`. */
  readonly where: string;
  readonly place: Place;
  readonly result: { readonly put: PutContent } | { readonly refused: string };
};

/** A source of items. */
export type Source = {
  /** How many items there are, if that is known without reading all. */
  readonly total: number | undefined;
  items(): AsyncIterable<Item>;
};

const TYPES: ReadonlyMap<string, EntryType> = new Map([
  ['text', EntryType.TEXT],
  ['chat', EntryType.CHAT],
  ['field_state', EntryType.FIELD_STATE],
  ['consciousness_state', EntryType.CONSCIOUSNESS_STATE],
  ['rag_context', EntryType.RAG_CONTEXT],
  ['custom', EntryType.CUSTOM],
]);

/** The names of entry types. */
export const TYPE_NAMES: readonly string[] = [...TYPES.keys()];

function refused(reason: string): { readonly refused: string } {
  return { refused: reason };
}

function checkedTags(value: unknown): readonly string[] | string {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((t) => typeof t === 'string')) {
    return 'tags are not a list of strings';
  }
  if (value.length > MAX_TAGS) return `more than ${MAX_TAGS} tags`;
  if (new Set(value).size !== value.length) return 'a tag appears twice';
  const long = value.find((t: string) => t === '' || utf8(t).length > MAX_TAG_BYTES);
  return long === undefined ? value : `a tag has not 1 to ${MAX_TAG_BYTES} bytes`;
}

/** An entry from the fields a user wrote, or the reason why not. */
export function entryFrom(fields: Readonly<Record<string, unknown>>): Item['result'] {
  const { content, key = '', type = 'text', tags, expectedVersion, ...rest } = fields;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) return refused(`unknown field "${unknown}"`);
  if (typeof content !== 'string') return refused('content is not a string');
  const bytes = utf8(content);
  if (bytes.length === 0) return refused('content is empty');
  if (bytes.length > MAX_CONTENT_BYTES) {
    return refused(`content has ${bytes.length} bytes; at most ${MAX_CONTENT_BYTES}`);
  }
  if (typeof key !== 'string') return refused('key is not a string');
  if (utf8(key).length > MAX_KEY_BYTES) return refused(`key is over ${MAX_KEY_BYTES} bytes`);
  const kind = typeof type === 'string' ? TYPES.get(type) : undefined;
  if (kind === undefined) return refused(`type is none of ${TYPE_NAMES.join(', ')}`);
  const checked = checkedTags(tags);
  if (typeof checked === 'string') return refused(checked);
  const version = expectedVersion ?? undefined;
  if (version !== undefined && !(Number.isSafeInteger(version) && (version as number) >= 0)) {
    return refused('expectedVersion is not a whole number');
  }
  const expected = version === undefined ? undefined : BigInt(version as number);
  return { put: { content: bytes, key, type: kind, tags: checked, expectedVersion: expected } };
}

function markOf(text: string): string {
  return toHex(sha256(utf8(text)).subarray(0, 8));
}

function readLine(line: string): Item['result'] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refused('not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refused('not a JSON object');
  }
  return entryFrom(value as Readonly<Record<string, unknown>>);
}

async function* linesOf(file: string): AsyncIterable<Item> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  let number = 0;
  let index = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const place = { index: index++, mark: markOf(line) };
    yield { where: `${file}:${number}`, place, result: readLine(line) };
  }
}

const TEXT_ENDINGS: ReadonlySet<string> = new Set(['.txt', '.md', '.markdown', '.text']);

function textFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT_ENDINGS.has(extname(entry.name).toLowerCase()))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
}

function* filesOf(folder: string, files: readonly string[]): Iterable<Item> {
  for (const [index, file] of files.entries()) {
    const content = readFileSync(join(folder, file), 'utf8');
    const place = { index, mark: markOf(`${file}\n${content}`) };
    yield { where: join(folder, file), place, result: entryFrom({ content, key: file }) };
  }
}

/** The source at a path: a folder, or else a JSON Lines file. */
export function openSource(path: string): Source {
  if (!statSync(path).isDirectory()) return { total: undefined, items: () => linesOf(path) };
  const files = textFiles(path);
  return {
    total: files.length,
    items: async function* () {
      yield* filesOf(path, files);
    },
  };
}
