/**
 * A state store in memory: the port's meaning in the fewest lines, to test the ledger against.
 *
 * Its app hash is a hash over all records, not a tree's root, so it has no proofs; tests of proofs
 * run on the real store.
 *
 * @module
 */
import { compareBytes, concatBytes, fromHex, toHex, u64be } from '../../node/src/base/bytes.ts';
import { invariant, present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { merkleProofs, merkleRoot } from '../../node/src/base/merkle.ts';
import type {
  KeyRange,
  LogHead,
  Pair,
  RecordChange,
  StateStore,
  StateView,
} from '../../node/src/ledger/store.ts';

type Table = Map<string, Uint8Array>;
type State = {
  readonly records: Table;
  readonly rows: Table;
  readonly logs: Map<string, Uint8Array[]>;
};

function copy(state: State): State {
  const logs = new Map([...state.logs].map(([name, leaves]) => [name, [...leaves]]));
  return { records: new Map(state.records), rows: new Map(state.rows), logs };
}

function rangeOf(table: Table, range: KeyRange): readonly Pair[] {
  const pairs = [...table]
    .map(([name, value]): Pair => [present(fromHex(name), 'key'), value])
    .filter(([key]) => compareBytes(key, range.from) >= 0 && compareBytes(key, range.to) < 0)
    .sort(([a], [b]) => compareBytes(a, b));
  return (range.reverse ? pairs.reverse() : pairs).slice(0, range.limit);
}

/** Hash over all records in order. */
function hashOf(records: Table): Uint8Array {
  const parts = [...records].sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(
    concatBytes(...parts.flatMap(([k, v]) => [present(fromHex(k), 'key'), u64be(v.length), v])),
  );
}

/** The store. */
export class MemoryStore implements StateStore {
  #committed: State = { records: new Map(), rows: new Map(), logs: new Map() };
  #pending: State | undefined;
  #finalized: { height: number; state: State } | undefined;
  readonly #views = new Map<number, State>();
  height = 0;
  appHash: Uint8Array = hashOf(new Map());

  /** All records, for checkers. */
  get records(): ReadonlyMap<string, Uint8Array> {
    return this.#latest().records;
  }

  /** Everything stored, for comparing two stores. */
  dump(): string {
    const { records, rows, logs } = this.#latest();
    const table = (t: Table): object => [...t].map(([k, v]) => [k, toHex(v)]).sort();
    const roots = [...logs].map(([k, v]) => [k, v.map(toHex)]);
    return JSON.stringify([table(records), table(rows), roots]);
  }

  #latest(): State {
    return this.#finalized?.state ?? this.#committed;
  }

  #work(): State {
    if (this.#pending === undefined) {
      this.#finalized = undefined;
      this.#pending = copy(this.#committed);
    }
    return this.#pending;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#latest().records.get(toHex(key));
  }

  row(key: Uint8Array): Uint8Array | undefined {
    return this.#latest().rows.get(toHex(key));
  }

  appendLog(log: Uint8Array, leaves: readonly Uint8Array[]): LogHead {
    const { logs } = this.#work();
    const all = [...(logs.get(toHex(log)) ?? []), ...leaves];
    logs.set(toHex(log), all);
    return { size: all.length, root: merkleRoot(all) };
  }

  putRow(key: Uint8Array, value: Uint8Array): void {
    invariant(!this.#work().rows.has(toHex(key)), 'rows are written once');
    this.#work().rows.set(toHex(key), value);
  }

  finalize(height: number, changes: readonly RecordChange[]): Promise<Uint8Array> {
    const state = this.#work();
    for (const [key, value] of changes) {
      invariant(value?.length !== 0, 'a record has bytes');
      if (value === undefined) state.records.delete(toHex(key));
      else state.records.set(toHex(key), value);
    }
    this.#finalized = { height, state };
    this.#pending = undefined;
    return Promise.resolve(hashOf(state.records));
  }

  commit(): void {
    const { height, state } = present(this.#finalized, 'finalized height');
    this.#committed = state;
    this.#finalized = undefined;
    this.height = height;
    this.appHash = hashOf(state.records);
    this.#views.set(height, state);
  }

  view(height: number): StateView | undefined {
    const state = this.#views.get(height);
    return (
      state && {
        height,
        get: (key) => state.records.get(toHex(key)),
        range: (range) => Promise.resolve(rangeOf(state.records, range)),
        prove: () => Promise.reject(new TypeError('this store has no proofs')),
        row: (key) => state.rows.get(toHex(key)),
      }
    );
  }

  logPath(log: Uint8Array, index: number, size: number): readonly Uint8Array[] {
    const leaves = this.#latest().logs.get(toHex(log)) ?? [];
    return present(merkleProofs(leaves.slice(0, size)).proofs[index], 'log entry').aunts;
  }

  logConsistency(): readonly Uint8Array[] {
    throw new TypeError('this store has no consistency paths');
  }
}
