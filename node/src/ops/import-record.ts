/**
 * What an import remembers between runs: which entries it wrote, and what they said.
 *
 * A file of lines. Before a batch is sent, its transaction and entries; after, how it ended:
 *
 *     sent HASH IDENTITY MARK IDENTITY MARK …
 *     written HASH
 *     refused HASH
 *
 * Upholds: a batch is on disk before it is sent, so one whose end is not known can be asked about;
 * the record is a fold over the lines, and a last line without its end was never acted upon. One
 * process at a time has it. It is written anew, shorter, when most of its lines no longer matter.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { errors as storage } from '../../state/errors.ts';
import { FileLock } from '../../state/lock-file.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { writeWhole } from './home.ts';
import type { Place } from './import-source.ts';

/** Refusals. */
export const errors: {
  readonly Damaged: ErrorSpec<{ readonly file: string; readonly line: number }>;
  readonly Busy: ErrorSpec<{ readonly pid: number }>;
} = {
  Damaged: errorSpec(
    'import',
    2,
    'client',
    (p) =>
      `the record of this import is damaged (${p.file}, line ${p.line}): ` +
      '--restart forgets it and writes everything again',
  ),
  Busy: errorSpec(
    'import',
    4,
    'client',
    (p) => `process ${p.pid} imports this source already: let it end, or stop it`,
  ),
};

const LINE_FEED = 0x0a;
/** A transaction's hash in hex; identities and marks in base64. */
const HASH = /^[0-9a-f]{64}$/;
const DIGEST = /^[A-Za-z0-9+/]{16}$/;
/** Bytes of an entry in a line. */
const PLACE_BYTES = 34;
/** Bytes that may be of no use before the record is written anew. */
const SLACK_BYTES = 1_048_576;
/** Entries per line of a record that is written anew, under a hash that no transaction has. */
const CHUNK = 1_000;
const NO_HASH = '0'.repeat(64);

function sentLine(hash: string, places: readonly Place[]): string {
  const words = places.flatMap(({ identity, mark }) => [identity, mark]);
  return `${['sent', hash, ...words].join(' ')}\n`;
}

function acquire(path: string): FileLock {
  try {
    return FileLock.acquire(path);
  } catch (thrown) {
    if (!LedgerError.is(thrown, storage.HomeInUse)) throw thrown;
    throw new LedgerError(errors.Busy, { pid: thrown.params.pid }, thrown);
  }
}

/** The record of one source's import by one account. */
export class ImportRecord {
  readonly #lock: FileLock;
  readonly #file: number;
  /** What each entry said when it was last written. */
  readonly #marks: Map<string, string> = new Map();
  /** Batches whose end is not known, by hash. */
  readonly #pending: Map<string, readonly Place[]> = new Map();

  /** @param forget - whether to begin anew @throws LedgerError import/2 or import/4 */
  constructor(path: string, forget = false) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#lock = acquire(`${path}.lock`);
    try {
      if (forget) rmSync(path, { force: true });
      const size = existsSync(path) ? this.#load(path) : 0;
      const useful = this.#marks.size * PLACE_BYTES;
      if (this.#pending.size === 0 && size > 2 * useful + SLACK_BYTES) this.#rewrite(path);
      this.#file = openSync(path, 'a', 0o600);
    } catch (thrown) {
      this.#lock.release();
      throw thrown;
    }
  }

  /** Reads the whole lines, and cuts off what follows. @returns their bytes */
  #load(path: string): number {
    const bytes = readFileSync(path);
    let start = 0;
    let line = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      line++;
      if (!this.#take(bytes.toString('latin1', start, end).split(' '))) {
        throw new LedgerError(errors.Damaged, { file: path, line });
      }
      start = end + 1;
    }
    if (start < bytes.length) truncateSync(path, start);
    return start;
  }

  #rewrite(path: string): void {
    const places = [...this.#marks].map(([identity, mark]) => ({ identity, mark }));
    const lines: string[] = [];
    for (let i = 0; i < places.length; i += CHUNK) {
      lines.push(sentLine(NO_HASH, places.slice(i, i + CHUNK)), `written ${NO_HASH}\n`);
    }
    writeWhole(path, lines.join(''), 0o600);
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
    writeSync(this.#file, sentLine(hash, places));
    fsyncSync(this.#file);
    this.#pending.set(hash, places);
  }

  /** Notes how a batch ended. */
  ended(hash: string, written: boolean): void {
    writeSync(this.#file, `${written ? 'written' : 'refused'} ${hash}\n`);
    this.#end(hash, written);
  }

  /** Closes the file and lets others have it. */
  close(): void {
    closeSync(this.#file);
    this.#lock.release();
  }
}
