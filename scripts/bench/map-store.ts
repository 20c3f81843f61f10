/**
 * Storage for benchmarks of the ledger: maps, which cost next to nothing and prove nothing.
 *
 * @module
 */
import { latin1 } from '../../node/src/base/bytes.ts';
import type { LogHead, RecordChange, StateStore } from '../../node/src/ledger/store.ts';

/** A store of records, rows and sizes of logs. */
export class MapStore implements StateStore {
  readonly #records = new Map<string, Uint8Array>();
  readonly #rows = new Map<string, Uint8Array>();
  readonly #sizes = new Map<string, number>();
  height = 0;
  readonly appHash: Uint8Array = new Uint8Array(32);

  get(at: Uint8Array): Uint8Array | undefined {
    return this.#records.get(latin1(at));
  }

  row(at: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(latin1(at));
  }

  appendLog(log: Uint8Array, leaves: readonly Uint8Array[]): LogHead {
    const size = (this.#sizes.get(latin1(log)) ?? 0) + leaves.length;
    this.#sizes.set(latin1(log), size);
    return { size, root: this.appHash };
  }

  putRow(at: Uint8Array, value: Uint8Array): void {
    this.#rows.set(latin1(at), value);
  }

  finalize(_height: number, changes: readonly RecordChange[]): Promise<Uint8Array> {
    for (const [at, value] of changes) {
      if (value === undefined) this.#records.delete(latin1(at));
      else this.#records.set(latin1(at), value);
    }
    return Promise.resolve(this.appHash);
  }

  commit(): void {
    this.height++;
  }

  view(): undefined {}

  logPath(): readonly Uint8Array[] {
    return [];
  }

  logConsistency(): readonly Uint8Array[] {
    return [];
  }
}

/** One that forgets rows, so that what is kept of them does not count. */
export class RowlessStore extends MapStore {
  override row(): undefined {}

  override putRow(): void {}
}
