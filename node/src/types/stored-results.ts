/**
 * How the results of a block look on disk: every text once, then a number wherever it recurs.
 *
 * Events say the same few texts for every transaction; written so, they take a third of the bytes
 * of their protobuf form and of the time to write it, and texts that were read are shared.
 * Layout: the answer without events and results (protobuf, behind its length); events of the
 * block; number of results; results. A text is 0 and the text where it occurs first, and from then
 * on its number, counted from 1. An attribute's value has the bit of `index` below its number.
 *
 * Upholds: decoding gives what was encoded; it refuses bytes that do not end where they should.
 * Absent here: the form on the wire and in hashes, which is protobuf (stored.ts, results.ts).
 * Pure.
 *
 * @module
 */
import { fromUtf8, utf8 } from '../base/bytes.ts';
import { MAX_BLOCK_BYTES } from '../base/limits.ts';
import { Reader, refuse } from '../base/wire.ts';
import {
  type AbciEvent,
  type EventAttribute,
  type ExecTxResult,
  type FinalizeBlockResponse,
  MAX_RESULT_ITEMS,
  MAX_TEXT,
} from './results.ts';
import { finalizeBlockResponseCodec } from './stored.ts';

const NAME = 'StoredResults';
const MAX_NUMBER_BYTES = 8;

const FIRST_CAPACITY = 8_192;

/** Writes results; numbers texts as they come. */
class ResultsWriter {
  readonly #numbers = new Map<string, number>();
  #bytes: Uint8Array = new Uint8Array(FIRST_CAPACITY);
  #at = 0;

  /** What was written. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  #reserve(extra: number): void {
    const need = this.#at + extra;
    if (need <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }

  /** A whole number in 0 … 2^53 − 1. */
  number(value: number): void {
    this.#reserve(MAX_NUMBER_BYTES);
    const bytes = this.#bytes;
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[this.#at++] = (rest % 128) | 128;
    bytes[this.#at++] = rest;
  }

  bytes(bytes: Uint8Array): void {
    this.number(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** A text; `bit` is 0 or 1, or none is written. */
  text(value: string, bit = -1): void {
    const number = this.#numbers.get(value) ?? 0;
    this.number(bit < 0 ? number : 2 * number + bit);
    if (number > 0) return;
    this.#numbers.set(value, this.#numbers.size + 1);
    const start = this.#at;
    this.number(value.length);
    this.#reserve(value.length);
    const bytes = this.#bytes;
    let at = this.#at;
    // Almost all texts are plain: their characters are their bytes.
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (code > 0x7f) {
        this.#at = start;
        this.bytes(utf8(value));
        return;
      }
      bytes[at++] = code;
    }
    this.#at = at;
  }

  events(events: readonly AbciEvent[]): void {
    this.number(events.length);
    for (const { type, attributes } of events) {
      this.text(type);
      this.number(attributes.length);
      for (const attribute of attributes) {
        this.text(attribute.key);
        this.text(attribute.value, attribute.index ? 1 : 0);
      }
    }
  }

  result(result: ExecTxResult): void {
    this.number(result.code);
    this.bytes(result.data);
    this.text(result.log);
    this.text(result.info);
    this.#signed(result.gasWanted);
    this.#signed(result.gasUsed);
    this.events(result.events);
    this.text(result.codespace);
  }

  #signed(value: number): void {
    this.number(value < 0 ? 1 : 0);
    this.number(Math.abs(value));
  }
}

/** Reads what a `ResultsWriter` wrote. */
class ResultsReader {
  readonly input: Reader;
  readonly #texts: string[] = [];

  constructor(bytes: Uint8Array) {
    this.input = new Reader(bytes, NAME);
  }

  #text(number: number): string {
    if (number > 0) return this.#texts[number - 1] ?? refuse(NAME, 'a text has no such number');
    const text = fromUtf8(this.input.delimited(MAX_TEXT, 'text'));
    if (text === undefined) return refuse(NAME, 'a text is not UTF-8');
    this.#texts.push(text);
    return text;
  }

  text(): string {
    return this.#text(this.input.varint());
  }

  count(): number {
    const count = this.input.varint();
    return count <= MAX_RESULT_ITEMS ? count : refuse(NAME, `${count} items are too many`);
  }

  #attribute(): EventAttribute {
    const key = this.text();
    const packed = this.input.varint();
    return { key, value: this.#text(Math.floor(packed / 2)), index: packed % 2 === 1 };
  }

  events(): AbciEvent[] {
    return this.#list(() => {
      const type = this.text();
      return { type, attributes: this.#list(() => this.#attribute()) };
    });
  }

  results(): ExecTxResult[] {
    return this.#list(() => ({
      code: this.input.varint(),
      data: this.input.delimited(MAX_BLOCK_BYTES, 'data'),
      log: this.text(),
      info: this.text(),
      gasWanted: this.#signed(),
      gasUsed: this.#signed(),
      events: this.events(),
      codespace: this.text(),
    }));
  }

  #list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.count(); left > 0; left--) items.push(item());
    return items;
  }

  #signed(): number {
    return this.input.varint() === 0 ? this.input.varint() : -this.input.varint();
  }
}

/** The stored form of the answer to a block. */
export function encodeResults(response: FinalizeBlockResponse): Uint8Array {
  const { events, txResults } = response;
  const writer = new ResultsWriter();
  writer.bytes(finalizeBlockResponseCodec.encode({ ...response, events: [], txResults: [] }));
  writer.events(events);
  writer.number(txResults.length);
  for (const result of txResults) writer.result(result);
  return writer.finish();
}

/** The answer to a block of its stored form. @throws LedgerError codec/1 if it is malformed */
export function decodeResults(bytes: Uint8Array): FinalizeBlockResponse {
  const reader = new ResultsReader(bytes);
  const { input } = reader;
  const rest = finalizeBlockResponseCodec.decode(input.delimited(MAX_BLOCK_BYTES, 'answer'));
  const events = reader.events();
  const txResults = reader.results();
  if (input.at !== input.end) refuse(NAME, 'goes on after its end');
  return { ...rest, events, txResults };
}
