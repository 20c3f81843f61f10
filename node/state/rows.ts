/**
 * Write-once rows: each under its key, or several with keys in sequence together.
 *
 * Upholds: a height's rows whose keys differ in their last byte only and count up lie in one *run*,
 * under the first of the keys. A run ends before a key whose last four bits are 0, so where a row's
 * run may begin is one of sixteen keys. A transaction that appends 50 entries to a log so costs
 * some 4 writes for them, not 50.
 *
 * @module
 */
import type { Database } from './database.ts';
import { SPACE } from './spaces.ts';

/** A row. */
export type Row = readonly [key: Uint8Array, value: Uint8Array];

type Run = { readonly key: Uint8Array; readonly values: Uint8Array[] };

/** The bits of a key's last byte that count within a run. */
const RUN_MASK = 15;
/** Before each value of a run: its length. */
const LENGTH_BYTES = 4;

/** Whether `key` is the next one of a run. */
function follows({ key: first, values }: Run, key: Uint8Array): boolean {
  const last = key.length - 1;
  const byte = key[last] ?? 0;
  if (key.length !== first.length || (byte & RUN_MASK) === 0) return false;
  if (byte !== (first[last] ?? 0) + values.length) return false;
  for (let i = last - 1; i >= 0; i--) if (key[i] !== first[i]) return false;
  return true;
}

function encodeRun(values: readonly Uint8Array[]): Uint8Array {
  const size = values.reduce((sum, value) => sum + LENGTH_BYTES + value.length, 0);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const value of values) {
    at = out.writeUInt32BE(value.length, at);
    out.set(value, at);
    at += value.length;
  }
  return out;
}

function stageRun(db: Database, { key, values }: Run): void {
  const [only] = values;
  if (values.length === 1) db.stage(SPACE.rows, key, only);
  else db.stage(SPACE.rowRuns, key, encodeRun(values));
}

/** Stages rows for the height's batch. */
export function stageRows(db: Database, rows: readonly Row[]): void {
  // Rows of several kinds take turns; the first byte of a key is its kind.
  const open = new Map<number, Run>();
  for (const [key, value] of rows) {
    const kind = key[0] ?? 0;
    const run = open.get(kind);
    if (run !== undefined && follows(run, key)) run.values.push(value);
    else {
      if (run !== undefined) stageRun(db, run);
      open.set(kind, { key, values: [value] });
    }
  }
  for (const run of open.values()) stageRun(db, run);
}

/** Value `index` of the run that begins at `key`, if there is one and it is as long. */
function valueInRun(db: Database, key: Uint8Array, index: number): Uint8Array | undefined {
  const run = db.get(SPACE.rowRuns, key);
  if (run === undefined) return undefined;
  const view = new DataView(run.buffer, run.byteOffset, run.length);
  let left = index;
  for (let at = 0; at < run.length; left--) {
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at);
    if (left === 0) return run.slice(start, at);
  }
  return undefined;
}

/** A flushed row. Cost: that of one lookup, and for one in a run of at most sixteen more. */
export function readRow(db: Database, key: Uint8Array): Uint8Array | undefined {
  const alone = db.get(SPACE.rows, key);
  if (alone !== undefined || key.length === 0) return alone;
  const start = key.slice();
  const last = key.length - 1;
  const byte = key[last] ?? 0;
  const offset = byte & RUN_MASK;
  // Most runs are whole: they begin where the last bits are 0. The others are tried from here back.
  for (let step = 0; step <= offset; step++) {
    const index = step === 0 ? offset : step - 1;
    start[last] = byte - index;
    const value = valueInRun(db, start, index);
    if (value !== undefined) return value;
  }
  return undefined;
}
