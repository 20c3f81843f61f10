/**
 * Writes a source of memories in batched transactions, and goes on where it stopped.
 *
 * Upholds: before a batch is sent, its hash and reach are on disk; a restart asks the chain whether
 * that batch arrived, so nothing is written twice. A batch that is refused is halved until the
 * refused items are alone; those are reported with the reason, the rest is written. What was
 * refused is tried again by the next run; a run stops at 10,000 refusals, so that their record
 * stays small.
 * Absent here: more than one batch in flight; a batch is one block's latency.
 *
 * @module
 */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { fromHex, toHex } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Any } from '../ledger/tx/wire.ts';
import { type Committed, errors as chainErrors } from './chain-client.ts';
import { writeWhole } from './home.ts';
import type { Item, Place, Source } from './import-source.ts';
import { type PutContent, putMessage } from './transaction.ts';

/** Refusals. */
export const errors: {
  readonly SourceChanged: ErrorSpec<{ readonly where: string }>;
} = {
  SourceChanged: errorSpec(
    'import',
    1,
    'client',
    (p) => `${p.where} is not what an earlier run wrote: start over with --restart`,
  ),
};

/** What the importer needs of a chain and an account. */
export type ImportChain = {
  readonly address: string;
  /** Signs with the account's next sequence. */
  sign(messages: readonly Any[]): Uint8Array;
  /** Sends and waits. @throws LedgerError client/12 with the ledger's reason */
  deliver(tx: Uint8Array): Promise<Committed>;
  /** Whether a transaction is in a block. */
  contains(hash: Uint8Array): Promise<boolean>;
  /** Reads the account's sequence again after a refusal. */
  refresh(): Promise<void>;
};

/** How an import went; `refused` holds the first 1,000 reasons. */
export type ImportReport = {
  readonly written: number;
  /** Written by an earlier run. */
  readonly before: number;
  /** Of those before, how many the source has differently now; they are not written again. */
  readonly changed: number;
  readonly refusedCount: number;
  readonly refused: readonly { readonly where: string; readonly reason: string }[];
  /** Whether the run ended early because too much was refused. */
  readonly stopped: boolean;
  readonly transactions: number;
  readonly height: number;
};

/** How to import. */
export type ImportSpec = {
  readonly source: Source;
  readonly chain: ImportChain;
  /** File that remembers how far an import came. */
  readonly progressFile: string;
  /** Entries per transaction, at most. */
  readonly batch: number;
  progress(done: number, total: number | undefined): void;
};

const BATCH_BYTES = 512 * 1_024;
const MAX_REASONS = 1_000;
/** Refusals after which a run ends. */
const MAX_REFUSALS = 10_000;

type Saved = {
  /** The last item that was tried. */
  readonly done: Place | undefined;
  /** Items up to there that were refused, by index. */
  readonly refused: readonly number[];
  /** A batch that was sent. */
  readonly pending: Pending | undefined;
};

type Pending = {
  readonly hash: string;
  /** The last item in it. */
  readonly last: Place;
  /** Those in it that an earlier run had refused. */
  readonly retried: readonly number[];
};

type Ready = { readonly where: string; readonly place: Place; readonly put: PutContent };

function loadProgress(file: string): Saved {
  const none: Saved = { done: undefined, refused: [], pending: undefined };
  if (!existsSync(file)) return none;
  return { ...none, ...(JSON.parse(readFileSync(file, 'utf8')) as Partial<Saved>) };
}

const MARK_BYTES = 16;

/** A file of the marks of items as they were sent, by index. */
class Marks {
  readonly #file: number;

  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  }

  set({ index, mark }: Place): void {
    const bytes = Buffer.from(mark, 'latin1');
    writeSync(this.#file, bytes, 0, MARK_BYTES, index * MARK_BYTES);
  }

  /** Whether another mark is known. */
  differs({ index, mark }: Place): boolean {
    const bytes = Buffer.alloc(MARK_BYTES);
    const read = readSync(this.#file, bytes, 0, MARK_BYTES, index * MARK_BYTES);
    return read === MARK_BYTES && bytes[0] !== 0 && bytes.toString('latin1') !== mark;
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Codes of codespace `sdk` that a smaller batch may avoid: gas, request, size. */
const SIZE_CODES: ReadonlySet<number> = new Set([11, 18, 21]);

/** Whether the ledger refused what is written, rather than who writes it or when. */
function isRefusedItem(thrown: unknown): boolean {
  if (!LedgerError.is(thrown, chainErrors.TxRefused)) return false;
  const { codespace, code } = thrown.params;
  return codespace === 'memory' || (codespace === 'sdk' && SIZE_CODES.has(code));
}

class Importer {
  readonly #spec: ImportSpec;
  #done: Place | undefined;
  /** Indexes to try again. */
  readonly #retry: Set<number>;
  #pending: Pending | undefined;
  #written = 0;
  #before = 0;
  #changed = 0;
  readonly #marks: Marks;
  #refusedCount = 0;
  #transactions = 0;
  #height = 0;
  readonly #refused: { readonly where: string; readonly reason: string }[] = [];

  constructor(spec: ImportSpec) {
    this.#spec = spec;
    const { done, refused, pending } = loadProgress(spec.progressFile);
    this.#done = done;
    this.#retry = new Set(refused);
    this.#pending = pending;
    this.#marks = new Marks(`${spec.progressFile}.marks`);
  }

  close(): void {
    this.#marks.close();
  }

  #save(pending: Pending | undefined): void {
    this.#pending = pending;
    const saved: Saved = { done: this.#done, refused: [...this.#retry], pending };
    mkdirSync(dirname(this.#spec.progressFile), { recursive: true, mode: 0o700 });
    writeWhole(this.#spec.progressFile, `${JSON.stringify(saved)}\n`, 0o600);
  }

  /** Learns whether the batch that was under way arrived. */
  async settle(): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined) return;
    const arrived = await this.#spec.chain.contains(fromHex(pending.hash) ?? new Uint8Array(32));
    if (arrived) {
      for (const index of pending.retried) this.#retry.delete(index);
      this.#advance(pending.last);
    }
    this.#save(undefined);
  }

  /** Items tried again stand before the last one that was tried. */
  #advance(last: Place): void {
    if (this.#done === undefined || last.index >= this.#done.index) this.#done = last;
  }

  /** Whether an earlier run did this item. @throws LedgerError import/1 if it was another then */
  #isDone(item: Item): boolean {
    const done = this.#done;
    if (done === undefined || item.place.index > done.index) return false;
    if (this.#retry.has(item.place.index)) return false;
    if (item.place.index === done.index && item.place.mark !== done.mark) {
      throw new LedgerError(errors.SourceChanged, { where: item.where });
    }
    return true;
  }

  #refuse({ where, place }: Pick<Item, 'where' | 'place'>, reason: string): void {
    this.#refusedCount++;
    if (this.#done === undefined || place.index > this.#done.index) this.#retry.add(place.index);
    if (this.#refused.length < MAX_REASONS) this.#refused.push({ where, reason });
  }

  /** Writes a batch, or the halves of it that the ledger takes. */
  async #write(batch: readonly Ready[]): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    const { chain } = this.#spec;
    const tx = chain.sign(batch.map((item) => putMessage(chain.address, item.put)));
    const indexes = batch.map((item) => item.place.index);
    const retried = indexes.filter((index) => this.#retry.has(index));
    for (const item of batch) this.#marks.set(item.place);
    this.#save({ hash: toHex(sha256(tx)), last: last.place, retried });
    try {
      const { height } = await chain.deliver(tx);
      this.#written += batch.length;
      this.#transactions++;
      this.#height = height;
      for (const index of retried) this.#retry.delete(index);
    } catch (thrown) {
      if (!isRefusedItem(thrown)) throw thrown;
      await chain.refresh();
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await this.#write(batch.slice(0, half));
        await this.#write(batch.slice(half));
        return;
      }
      this.#refuse(last, describe(thrown));
    }
    this.#advance(last.place);
    this.#save(undefined);
  }

  async run(): Promise<ImportReport> {
    await this.settle();
    let batch: Ready[] = [];
    let bytes = 0;
    let done = 0;
    let stopped = false;
    const { source, progress } = this.#spec;
    for await (const item of source.items()) {
      stopped = this.#refusedCount >= MAX_REFUSALS;
      if (stopped) break;
      if ('refused' in item.result) {
        this.#refuse(item, item.result.refused);
        done++;
        continue;
      }
      if (this.#isDone(item)) {
        this.#before++;
        if (this.#marks.differs(item.place)) this.#changed++;
        progress(++done, source.total);
        continue;
      }
      const { put } = item.result;
      if (batch.length >= this.#spec.batch || bytes + put.content.length > BATCH_BYTES) {
        await this.#write(batch);
        done += batch.length;
        progress(done, source.total);
        batch = [];
        bytes = 0;
      }
      batch.push({ where: item.where, place: item.place, put });
      bytes += put.content.length + (put.key?.length ?? 0) + 256;
    }
    await this.#write(batch);
    progress(done + batch.length, source.total);
    return {
      written: this.#written,
      before: this.#before,
      changed: this.#changed,
      refusedCount: this.#refusedCount,
      refused: this.#refused,
      stopped,
      transactions: this.#transactions,
      height: this.#height,
    };
  }
}

/** Imports a source. @throws LedgerError import/1, and what the chain's calls throw */
export async function importMemories(spec: ImportSpec): Promise<ImportReport> {
  const importer = new Importer(spec);
  try {
    return await importer.run();
  } finally {
    importer.close();
  }
}
