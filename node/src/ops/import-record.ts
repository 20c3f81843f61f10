/**
 * What an import remembers between runs: which entries it wrote, and what they said.
 *
 * A file of lines that only grows. Before a batch is sent, its transaction and entries; after, how
 * it ended:
 *
 *     sent HASH IDENTITY MARK IDENTITY MARK …
 *     written HASH
 *     refused HASH
 *
 * Upholds: a batch is on disk before it is sent, so one whose end is not known can be asked about;
 * the record is a fold over the lines, and a last line without its end was never acted upon.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import type { Place } from './import-source.ts';

/** Refusals. */
export const errors: {
  readonly Damaged: ErrorSpec<{ readonly file: string; readonly line: number }>;
} = {
  Damaged: errorSpec(
    'import',
    2,
    'client',
    (p) =>
      `the record of this import is damaged (${p.file}, line ${p.line}): ` +
      '--restart forgets it and writes everything again',
  ),
};

const LINE_FEED = 0x0a;
/** A transaction's hash in hex; identities and marks in base64. */
const HASH = /^[0-9a-f]{64}$/;
const DIGEST = /^[A-Za-z0-9+/]{16}$/;

/** The record of one source's import by one account. */
export class ImportRecord {
  readonly #file: number;
  /** What each entry said when it was last written. */
  readonly #marks: Map<string, string> = new Map();
  /** Batches whose end is not known, by hash. */
  readonly #pending: Map<string, readonly Place[]> = new Map();

  /** @throws LedgerError import/2 */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600);
    try {
      this.#load(path);
    } catch (thrown) {
      this.close();
      throw thrown;
    }
  }

  #load(path: string): void {
    const bytes = readFileSync(this.#file);
    let start = 0;
    let line = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      line++;
      if (!this.#take(bytes.toString('latin1', start, end).split(' '))) {
        throw new LedgerError(errors.Damaged, { file: path, line });
      }
      start = end + 1;
    }
    if (start < bytes.length) ftruncateSync(this.#file, start);
  }

  /** Applies a line. @returns whether it is one */
  #take([word, hash = '', ...digests]: readonly string[]): boolean {
    if (!HASH.test(hash)) return false;
    if (word !== 'sent') {
      if ((word !== 'written' && word !== 'refused') || digests.length > 0) return false;
      this.#end(hash, word === 'written');
      return true;
    }
    if (digests.length % 2 !== 0 || !digests.every((text) => DIGEST.test(text))) return false;
    const places: Place[] = [];
    for (let i = 0; i < digests.length; i += 2) {
      places.push({ identity: digests[i] ?? '', mark: digests[i + 1] ?? '' });
    }
    this.#pending.set(hash, places);
    return true;
  }

  #end(hash: string, written: boolean): void {
    for (const { identity, mark } of (written && this.#pending.get(hash)) || []) {
      this.#marks.set(identity, mark);
    }
    this.#pending.delete(hash);
  }

  #append(...words: readonly string[]): void {
    writeSync(this.#file, `${words.join(' ')}\n`);
  }

  /** What an entry said when it was last written. */
  mark(identity: string): string | undefined {
    return this.#marks.get(identity);
  }

  /** Hashes of the batches whose end is not known. */
  get pending(): readonly string[] {
    return [...this.#pending.keys()];
  }

  /** Notes a batch that is about to be sent; it is durable on return. */
  sending(hash: string, places: readonly Place[]): void {
    this.#append('sent', hash, ...places.flatMap(({ identity, mark }) => [identity, mark]));
    fsyncSync(this.#file);
    this.#pending.set(hash, places);
  }

  /** Notes how a batch ended. */
  ended(hash: string, written: boolean): void {
    this.#append(written ? 'written' : 'refused', hash);
    this.#end(hash, written);
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#file);
  }
}
