/**
 * What `memory import` reads: a JSON Lines file, or a folder of text and Markdown.
 *
 *     {"content":"…","key":"…","type":"text","tags":["…"],"expectedVersion":0}
 *
 * Upholds: one item at a time, so that beside a few bytes per entry a source takes bounded memory;
 * whatever cannot become an entry is an item with the reason; bytes that are not text are never
 * taken for it. Files of a folder come in order of their paths, which become their keys; symbolic
 * links in it, to files or to folders, are left out.
 * An entry is known from run to run by its key and which one of that key it is; one without a key
 * by what it says and which one of those it is.
 *
 * @module
 */
import { createReadStream, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fromUtf8, toBase64, utf8 } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { EntryType } from '../gen/metatron/memory/v1/state.ts';
import { MAX_CONTENT_BYTES, MAX_KEY_BYTES, MAX_TAG_BYTES, MAX_TAGS } from '../types/memory.ts';
import { entriesUnder } from './folder-walk.ts';
import { named } from './named-file.ts';
import type { PutContent } from './transaction.ts';

/** Refusals. */
export const errors: { readonly TooMany: ErrorSpec<object> } = {
  TooMany: errorSpec(
    'import',
    3,
    'client',
    () => `a source may have ${MAX_ENTRIES} entries: split it, and import the parts`,
  ),
};

/** Which entry this is, from run to run, and a digest of what it says: 16 characters each. */
export type Place = { readonly identity: string; readonly mark: string };

/** An entry, or why there is none. */
export type Checked = { readonly put: PutContent } | { readonly refused: string };

/** One thing to write, or why it cannot be written. */
export type Item = {
  /** For people: `notes.jsonl:12` or `folder/file.md`. */
  readonly where: string;
} & ({ readonly put: PutContent; readonly place: Place } | { readonly refused: string });

/** A source of items. */
export type Source = {
  /** How many items there are, if that is known without reading all. */
  readonly total: number | undefined;
  /** How many files of a folder are no text by their endings, or no files: links, for one. */
  readonly leftOut: number;
  /** Whether it is a JSON Lines file. */
  readonly isFile: boolean;
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

/** The text of bytes, or why they are none. */
export function textOf(
  bytes: Uint8Array,
): { readonly text: string } | { readonly refused: string } {
  if (bytes.includes(0)) return refused('not text: it holds NUL bytes');
  const text = fromUtf8(bytes);
  return text === undefined ? refused('not text: its bytes are not UTF-8') : { text };
}

/** What UTF-8 cannot say. */
const HALF = 'holds half of a surrogate pair';

function checkedTags(value: unknown): readonly string[] | string {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((t) => typeof t === 'string')) {
    return 'tags are not a list of strings';
  }
  if (value.length > MAX_TAGS) return `more than ${MAX_TAGS} tags`;
  if (new Set(value).size !== value.length) return 'a tag appears twice';
  if (!value.every((t: string) => t.isWellFormed())) return `a tag ${HALF}`;
  const long = value.find((t: string) => t === '' || utf8(t).length > MAX_TAG_BYTES);
  return long === undefined ? value : `a tag has not 1 to ${MAX_TAG_BYTES} bytes`;
}

function checkedContent(content: unknown): Uint8Array | string {
  if (typeof content !== 'string') return 'content is not a string';
  if (!content.isWellFormed()) return `content ${HALF}`;
  const bytes = utf8(content);
  if (bytes.length === 0) return 'content is empty';
  return bytes.length > MAX_CONTENT_BYTES ? tooLong(bytes.length) : bytes;
}

function tooLong(size: number): string {
  return `content has ${size} bytes; at most ${MAX_CONTENT_BYTES}`;
}

/** An entry from the fields a user wrote, or the reason why not. */
export function entryFrom(fields: Readonly<Record<string, unknown>>): Checked {
  const { content, key = '', type = 'text', tags, expectedVersion, ...rest } = fields;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) return refused(`unknown field "${unknown}"`);
  const bytes = checkedContent(content);
  if (typeof bytes === 'string') return refused(bytes);
  if (typeof key !== 'string') return refused('key is not a string');
  if (!key.isWellFormed()) return refused(`key ${HALF}`);
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

const DIGEST_BYTES = 12;

function digest(...parts: readonly string[]): string {
  return toBase64(sha256(utf8(parts.join('\n'))).subarray(0, DIGEST_BYTES));
}

/** Most entries of a source: what is known of one takes about 200 bytes of memory. */
const MAX_ENTRIES = 2_000_000;

/** Gives the entries of one run over a source their places. */
class Places {
  readonly #counts: Map<string, number> = new Map();
  #total = 0;

  /** @throws LedgerError import/3 */
  next({ content, key = '', type, tags }: PutContent): Place {
    if (++this.#total > MAX_ENTRIES) throw new LedgerError(errors.TooMany, {});
    const said = toBase64(sha256(content));
    const mark = digest('says', JSON.stringify([type, tags]), said);
    const name = key === '' ? mark : digest('key', key);
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return { identity: digest('entry', String(count), name), mark };
  }
}

function placed(where: string, checked: Checked, places: Places): Item {
  return 'refused' in checked
    ? { where, ...checked }
    : { where, ...checked, place: places.next(checked.put) };
}

/** Most bytes of a line: 64 KiB of content with every byte escaped, and more than the rest. */
const MAX_LINE_BYTES = 1_048_576;
const LINE_FEED = 0x0a;

/** The lines of a file as bytes; `undefined` stands for one that is too long. */
async function* linesOf(file: string): AsyncIterable<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const add = (part: Uint8Array): void => {
    size += part.length;
    if (size <= MAX_LINE_BYTES) parts.push(part);
    else parts = [];
  };
  const take = (): Uint8Array | undefined => {
    const line = size > MAX_LINE_BYTES ? undefined : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (size > 0) yield take();
}

function readLine(line: string): Checked {
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

async function* jsonLines(file: string): AsyncIterable<Item> {
  const places = new Places();
  let number = 0;
  for await (const bytes of linesOf(file)) {
    const where = `${file}:${++number}`;
    const read = bytes === undefined ? refused(`over ${MAX_LINE_BYTES} bytes`) : textOf(bytes);
    if ('refused' in read) yield { where, ...read };
    else if (read.text.trim() !== '') yield placed(where, readLine(read.text.trim()), places);
  }
}

const TEXT_ENDINGS: ReadonlySet<string> = new Set(['.txt', '.md', '.markdown', '.text']);

async function readText(file: string, key: string): Promise<Checked> {
  try {
    const { size } = await stat(file);
    if (size > MAX_CONTENT_BYTES) return refused(tooLong(size));
    const read = textOf(await readFile(file));
    return 'refused' in read ? read : entryFrom({ content: read.text, key });
  } catch (thrown) {
    return refused(`cannot be read: ${describe(thrown)}`);
  }
}

async function* textFiles(folder: string, paths: readonly string[]): AsyncIterable<Item> {
  const places = new Places();
  for (const path of paths) {
    const file = join(folder, path);
    yield placed(file, await readText(file, path), places);
  }
}

/** The source at a path: a folder, or else a JSON Lines file. @throws LedgerError usage/1 */
export function openSource(path: string): Source {
  if (!named(path, 'the source', (at) => statSync(at)).isDirectory()) {
    return { total: undefined, leftOut: 0, isFile: true, items: () => jsonLines(path) };
  }
  const all = [...entriesUnder(path)].filter((entry) => !entry.isDirectory());
  const paths = all
    .filter((entry) => entry.isFile() && TEXT_ENDINGS.has(extname(entry.name).toLowerCase()))
    .map((entry) => relative(path, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .toSorted();
  return {
    total: paths.length,
    leftOut: all.length - paths.length,
    isFile: false,
    items: () => textFiles(path, paths),
  };
}
