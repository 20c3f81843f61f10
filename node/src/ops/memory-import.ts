/**
 * Writes of a source of memories what the ledger does not have yet, in batched transactions.
 *
 * Upholds: an entry that an earlier run wrote is written again only if it says something else now,
 * as a new version. Before a batch is sent it is in the record; the next run asks the chain whether
 * a batch arrived whose end is not known, so nothing is written twice. A batch that is refused is
 * halved until the refused items are alone; those are reported with the reason, the rest is
 * written. What was refused is tried again by the next run; a run stops at 10,000 refusals.
 * Absent here: more than one batch in flight; a batch is one block's latency.
 *
 * @module
 */
import { fromHex, toHex } from '../base/bytes.ts';
import { describe, LedgerError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { Any } from '../ledger/tx/wire.ts';
import { type Committed, errors as chainErrors } from './chain-client.ts';
import { ImportRecord } from './import-record.ts';
import type { Place, Source } from './import-source.ts';
import { type PutContent, putMessage } from './transaction.ts';

/** What the importer needs of a chain and an account. */
export type ImportChain = {
  readonly address: string;
  /** Signs with the account's next sequence. */
  sign(messages: readonly Any[]): Uint8Array;
  /** Sends and waits. @throws LedgerError client/12 with the ledger's reason */
  deliver(tx: Uint8Array): Promise<Committed>;
  /** Whether a transaction is in a block. */
  contains(hash: Uint8Array): Promise<boolean>;
  /** Reads the account's sequence again, after a refusal or what another run had sent. */
  refresh(): Promise<void>;
};

/** How an import went; `refused` holds the first 1,000 reasons. */
export type ImportReport = {
  /** Entries that this run wrote. */
  readonly written: number;
  /** Of those, new versions of what an earlier run wrote. */
  readonly changed: number;
  /** Entries that an earlier run wrote as they are. */
  readonly unchanged: number;
  readonly refusedCount: number;
  readonly refused: readonly { readonly where: string; readonly reason: string }[];
  /** Whether the run ended before the source did. */
  readonly stopped: boolean;
  readonly transactions: number;
  /** Of the last block that took something; 0 if none did. */
  readonly height: number;
};

/** How to import. */
export type ImportSpec = {
  readonly source: Source;
  readonly chain: ImportChain;
  /** File that remembers what was written. */
  readonly recordFile: string;
  /** Whether to forget what was written, and write everything again. */
  readonly restart?: boolean | undefined;
  /** Entries per transaction, at most. */
  readonly batch: number;
  /** Told how far the run came. */
  progress(report: ImportReport): void;
};

const BATCH_BYTES = 512 * 1_024;
const MAX_REASONS = 1_000;
/** Refusals after which a run ends. */
const MAX_REFUSALS = 10_000;

type Ready = { readonly where: string; readonly place: Place; readonly put: PutContent };

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
  readonly #record: ImportRecord;
  #written = 0;
  #changed = 0;
  #unchanged = 0;
  #refusedCount = 0;
  readonly #refused: { readonly where: string; readonly reason: string }[] = [];
  #stopped = false;
  #transactions = 0;
  #height = 0;

  constructor(spec: ImportSpec, record: ImportRecord) {
    this.#spec = spec;
    this.#record = record;
  }

  #report(): ImportReport {
    return {
      written: this.#written,
      changed: this.#changed,
      unchanged: this.#unchanged,
      refusedCount: this.#refusedCount,
      refused: this.#refused,
      stopped: this.#stopped,
      transactions: this.#transactions,
      height: this.#height,
    };
  }

  /** Learns whether the batches arrived that were under way when a run ended. */
  async #settle(): Promise<void> {
    const { pending } = this.#record;
    for (const hash of pending) {
      const arrived = await this.#spec.chain.contains(fromHex(hash) ?? new Uint8Array(32));
      this.#record.ended(hash, arrived);
    }
    if (pending.length > 0) await this.#spec.chain.refresh();
  }

  #refuse(where: string, reason: string): void {
    this.#refusedCount++;
    if (this.#refused.length < MAX_REASONS) this.#refused.push({ where, reason });
  }

  /** Writes a batch, or the halves of it that the ledger takes. */
  async #write(batch: readonly Ready[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { chain, progress } = this.#spec;
    const tx = chain.sign(batch.map((item) => putMessage(chain.address, item.put)));
    const hash = toHex(sha256(tx));
    const places = batch.map(({ place }) => place);
    this.#record.sending(hash, places);
    try {
      const { height } = await chain.deliver(tx);
      const known = places.filter(({ identity }) => this.#record.mark(identity) !== undefined);
      this.#record.ended(hash, true);
      this.#written += batch.length;
      this.#changed += known.length;
      this.#transactions++;
      this.#height = height;
    } catch (thrown) {
      if (!isRefusedItem(thrown)) throw thrown;
      this.#record.ended(hash, false);
      await chain.refresh();
      if (batch.length > 1) {
        const half = Math.ceil(batch.length / 2);
        await this.#write(batch.slice(0, half));
        await this.#write(batch.slice(half));
        return;
      }
      this.#refuse(first.where, describe(thrown));
    }
    progress(this.#report());
  }

  async run(): Promise<ImportReport> {
    await this.#settle();
    let batch: Ready[] = [];
    let bytes = 0;
    for await (const item of this.#spec.source.items()) {
      this.#stopped = this.#refusedCount >= MAX_REFUSALS;
      if (this.#stopped) break;
      if ('refused' in item) {
        this.#refuse(item.where, item.refused);
        continue;
      }
      const { where, place, put } = item;
      if (this.#record.mark(place.identity) === place.mark) {
        this.#unchanged++;
        this.#spec.progress(this.#report());
        continue;
      }
      if (batch.length >= this.#spec.batch || bytes + put.content.length > BATCH_BYTES) {
        await this.#write(batch);
        batch = [];
        bytes = 0;
      }
      batch.push({ where, place, put });
      bytes += put.content.length + (put.key?.length ?? 0) + 256;
    }
    await this.#write(batch);
    return this.#report();
  }
}

/** Imports a source. @throws LedgerError import/2 to import/4, and what the chain's calls throw */
export async function importMemories(spec: ImportSpec): Promise<ImportReport> {
  const record = new ImportRecord(spec.recordFile, spec.restart);
  try {
    return await new Importer(spec, record).run();
  } finally {
    record.close();
  }
}
