/**
 * Measures the authenticated state alone: `npx node scripts/bench-state.ts [--leaves N] …`.
 *
 * Prints one line of JSON: CPU per changed record for each step of a height, memory, the longest
 * time the event loop stood still, proofs at new and old heights, reopening. CPU is that of the
 * whole process, so that Level's and the collector's threads count, and so that the load of other
 * processes counts less. Not part of the tests.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { concatBytes, u64be } from '../node/src/base/bytes.ts';
import { present } from '../node/src/base/errors.ts';
import { sha256 } from '../node/src/base/hash.ts';
import { Database } from '../node/state/database.ts';
import { LevelStateStore } from '../node/state/state-store.ts';
import { type Cost, collect, cost, memoryMiB, none, rounded } from './bench/measure.ts';

/** Records written per height while the state is filled. */
const FILL_CHANGES = 5_000;
/** Bytes of a record's value: about what an account or the head of a key has. */
const VALUE_BYTES = 96;

const { values: options } = parseArgs({
  options: {
    leaves: { type: 'string', default: '200000' },
    heights: { type: 'string', default: '40' },
    changes: { type: 'string', default: '1000' },
  },
});
const [leaves, heights, changesPerHeight] = [options.leaves, options.heights, options.changes].map(
  Number,
) as [number, number, number];

const shown = ({ cpuMs, wallMs }: Cost): object => ({
  cpuMs: rounded(cpuMs),
  wallMs: rounded(wallMs),
});

function keyOf(i: number): Uint8Array {
  return concatBytes(Uint8Array.of(7), sha256(u64be(i)));
}

/** The same numbers in every run. */
let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

function recordOf(i: number, height: number): Uint8Array {
  const value = new Uint8Array(VALUE_BYTES);
  value.set(u64be(i));
  value.set(u64be(height), 8);
  return value;
}

const folder = mkdtempSync(join(tmpdir(), 'metatron-bench-'));
const open = async (): Promise<{ db: Database; store: LevelStateStore }> => {
  const db = await Database.open(join(folder, 'db'));
  return { db, store: await LevelStateStore.open(db) };
};

type Opened = Awaited<ReturnType<typeof open>>;
type Changes = readonly (readonly [Uint8Array, Uint8Array])[];

function changesAt(height: number, count: number, pick: (i: number) => number): Changes {
  return Array.from({ length: count }, (_, i) => [keyOf(pick(i)), recordOf(pick(i), height)]);
}

async function fill({ db, store }: Opened): Promise<Cost> {
  const sum = none();
  for (let at = 0, height = 1; at < leaves; at += FILL_CHANGES, height++) {
    const changes = changesAt(height, Math.min(FILL_CHANGES, leaves - at), (i) => at + i);
    await cost(sum, async () => {
      await store.finalize(height, changes);
      store.commit();
      await db.flush();
    });
  }
  return sum;
}

/** Heights that change records at random. */
async function update({ db, store }: Opened): Promise<object> {
  const steps = { finalize: none(), stage: none(), flush: none() };
  const picks = Array.from({ length: heights }, () => {
    return Array.from({ length: changesPerHeight }, () => random(leaves));
  });
  const first = store.height + 1;
  const lists = picks.map((pick, n) => {
    return changesAt(first + n, changesPerHeight, (i) => pick[i] as number);
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  for (const [n, changes] of lists.entries()) {
    await new Promise((done) => setImmediate(done));
    await cost(steps.finalize, () => store.finalize(first + n, changes));
    await cost(steps.stage, () => store.commit());
    await cost(steps.flush, () => db.flush());
  }
  delay.disable();
  const sums = Object.values(steps);
  const changed = heights * changesPerHeight;
  const micros = ({ cpuMs }: Cost): number => rounded((cpuMs * 1_000) / changed);
  const total = { cpuMs: sums.reduce((sum, { cpuMs }) => sum + cpuMs, 0), wallMs: 0 };
  return {
    cpuMicrosPerRecord: {
      finalize: micros(steps.finalize),
      stage: micros(steps.stage),
      flush: micros(steps.flush),
      all: micros(total),
    },
    wallMsPerHeight: rounded(sums.reduce((sum, { wallMs }) => sum + wallMs, 0) / heights),
    eventLoopPauseMs: {
      p50: rounded(delay.percentile(50) / 1e6),
      p99: rounded(delay.percentile(99) / 1e6),
      max: rounded(delay.max / 1e6),
    },
  };
}

async function prove({ store }: Opened): Promise<object> {
  const timed = async (height: number): Promise<object> => {
    const sum = none();
    await cost(sum, () => present(store.view(height), 'view').prove(keyOf(random(leaves))));
    return shown(sum);
  };
  const half = store.height - Math.ceil(heights / 2);
  return {
    newest: await timed(store.height),
    newestAgain: await timed(store.height),
    old: await timed(half),
    oldAgain: await timed(half),
    older: await timed(store.height - heights),
  };
}

/** Resident memory in MiB: in all, and without the pages of Level's files that are mapped in. */
const rss = (): object => ({ allMiB: memoryMiB('VmRSS'), anonymousMiB: memoryMiB('RssAnon') });

async function measure(): Promise<object> {
  let opened = await open();
  const filled = await fill(opened);
  const updated = await update(opened);
  const busyRss = rss();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  const restRss = rss();
  const proofs = await prove(opened);
  await opened.db.close();
  const reopen = none();
  opened = await cost(reopen, open);
  const cold = none();
  const next = opened.store.height + 1;
  const changes = changesAt(next, changesPerHeight, (i) => i);
  await cost(cold, () => opened.store.finalize(next, changes));
  await opened.db.close();
  return {
    leaves,
    heights,
    changesPerHeight,
    fillMicrosPerRecord: rounded((filled.cpuMs * 1_000) / leaves),
    ...updated,
    heapMiB: rounded(heapUsed / 2 ** 20),
    externalMiB: rounded(external / 2 ** 20),
    busyRss,
    restRss,
    proofs,
    reopen: shown(reopen),
    firstHeightAfterReopen: shown(cold),
  };
}

try {
  console.log(JSON.stringify(await measure()));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
