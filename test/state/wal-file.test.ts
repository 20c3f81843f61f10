/**
 * The write-ahead log's file: cut at every byte, damaged at every byte, torn in any blocks, reset,
 * unwritable.
 *
 * @module
 */
import {
  chmodSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { errors } from '../../node/state/errors.ts';
import { FileWal } from '../../node/state/wal-file.ts';
import { flipped, folder, removeFolders } from './support.ts';

/** Small, so that a test can write it often. */
const RESERVED = 2_048;

function open(path: string): FileWal {
  return FileWal.open(path, SILENT, RESERVED);
}

function texts(wal: FileWal): string[] {
  return [...wal.records()].map(toHex);
}

/** Opens a file, reads it and closes it again. */
function read(path: string): string[] {
  const wal = open(path);
  const all = texts(wal);
  wal.close();
  return all;
}

/** A log with two synced groups of records and one record that was only appended. */
async function written(path: string): Promise<{ whole: Uint8Array; all: string[] }> {
  const wal = open(path);
  const records = [utf8('one'), utf8('two'), new Uint8Array(300), utf8('four')];
  for (const [i, record] of records.entries()) {
    wal.append(record);
    if (i === 1 || i === 2) await wal.sync();
  }
  wal.close();
  return { whole: readFileSync(path), all: records.map(toHex) };
}

/** Head, two records and the mark of the first group. */
const FIRST_GROUP = 20 + 2 * (8 + 3) + 24;

const step = fc.record({
  record: fc.uint8Array({ maxLength: 99 }),
  sync: fc.boolean(),
});

type Life = {
  readonly synced: readonly Uint8Array[];
  readonly torn: readonly Uint8Array[];
  /** Which blocks of what was written last reached the disk, in turn. */
  readonly kept: readonly boolean[];
  readonly reset: boolean;
};

/** One life of a node, which ends in its last sync. @returns what was durable before that */
async function liveAndTear(path: string, { synced, torn, kept, reset }: Life): Promise<string[]> {
  const wal = open(path);
  if (reset) wal.reset();
  for (const record of synced) wal.append(record);
  await wal.sync();
  const durable = texts(wal);
  const before = readFileSync(path);
  for (const record of torn) wal.append(record);
  await wal.sync();
  wal.close();
  const after = readFileSync(path);
  for (let at = 0, i = 0; at < after.length; at += 64, i++) {
    if (kept[i % 8] !== true) before.copy(after, at, at, at + 64);
  }
  writeFileSync(path, after);
  return durable;
}

/** What is left: all that was durable, and some of what came last, in its order. */
function expectTorn(
  left: readonly string[],
  durable: readonly string[],
  last: readonly string[],
): void {
  expect(left.slice(0, durable.length)).to.deep.equal(durable);
  const rest = left.slice(durable.length);
  expect(rest).to.deep.equal(last.slice(0, rest.length));
}

describe('write-ahead log file', () => {
  after(removeFolders);

  it('gives back what was appended, before and after it is opened again', async () => {
    const path = join(folder(), 'wal');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const wal = open(path);
        wal.reset();
        for (const { record, sync } of steps) {
          wal.append(record);
          if (sync) await wal.sync();
        }
        const all = steps.map(({ record }) => toHex(record));
        expect(texts(wal)).to.deep.equal(all);
        wal.close();
        expect(read(path)).to.deep.equal(all);
      }),
      { numRuns: 50 },
    );
  });

  it('cut off at any byte, keeps every whole record before it', async () => {
    const path = join(folder(), 'wal');
    const { whole, all } = await written(path);
    // The long record of zeros is cut at every ninth byte only: each cut waits for the disk.
    for (let size = 0; size < 420; size += size > 90 && size < 360 ? 9 : 1) {
      writeFileSync(path, whole.subarray(0, size));
      let warnings = 0;
      const wal = FileWal.open(path, { ...SILENT, warn: () => warnings++ }, RESERVED);
      const left = texts(wal);
      expect(left).to.deep.equal(all.slice(0, left.length));
      expect(warnings).to.equal(size < 20 ? 0 : 1);
      wal.append(utf8('later'));
      await wal.sync();
      wal.close();
      expect(read(path)).to.deep.equal([...left, toHex(utf8('later'))]);
    }
  });

  it('changed in any bit that a later sync vouches for, refuses; after it, cuts off', async () => {
    const path = join(folder(), 'wal');
    const { whole, all } = await written(path);
    for (let byte = 0; byte < 420; byte++) {
      writeFileSync(path, flipped(whole, byte * 8 + (byte % 8)));
      try {
        const left = read(path);
        expect(byte, `byte ${byte}`).to.be.at.least(FIRST_GROUP);
        expect(left).to.deep.equal(all.slice(0, left.length));
        expect(left.length).to.be.at.least(2);
      } catch (thrown) {
        expect(LedgerError.is(thrown, errors.WalDamaged), String(thrown)).to.equal(true);
        expect(byte).to.be.lessThan(FIRST_GROUP);
      }
    }
  });

  it('torn by a power failure in any blocks of its last sync, has all before', async () => {
    const path = join(folder(), 'wal');
    const group = fc.array(fc.uint8Array({ maxLength: 99 }), { maxLength: 6 });
    const life = fc.record({ synced: group, torn: group, kept: fc.array(fc.boolean()) });
    const lives = fc.array(life, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(lives, fc.boolean(), async (all, reset) => {
        const first = open(path);
        first.reset();
        first.close();
        let durable: string[] = [];
        let last: readonly string[] = [];
        for (const { synced, torn, kept } of all) {
          const left = read(path);
          expectTorn(left, durable, last);
          durable = await liveAndTear(path, {
            synced,
            torn,
            kept,
            reset: reset && left.length > 12,
          });
          last = torn.map(toHex);
        }
        expectTorn(read(path), durable, last);
      }),
      { numRuns: 100 },
    );
  });

  it('is empty after a reset, and leftovers of earlier heights are no records', async () => {
    const path = join(folder(), 'wal');
    await written(path);
    const wal = open(path);
    wal.reset();
    expect(texts(wal)).to.deep.equal([]);
    expect(
      readFileSync(path)
        .subarray(20)
        .some((byte) => byte !== 0),
    ).to.equal(true);
    wal.append(utf8('new'));
    await wal.sync();
    wal.close();
    expect(read(path)).to.deep.equal([toHex(utf8('new'))]);
  });

  it('is opened whatever bytes its records and its leftovers hold', async () => {
    const path = join(folder(), 'wal');
    const wal = open(path);
    const records = [0xff, 0xfe, 0x80, 0].map((last) =>
      new Uint8Array(200).fill(0xff).fill(last, 9),
    );
    for (const record of records) wal.append(record);
    await wal.sync();
    wal.close();
    expect(read(path)).to.deep.equal(records.map(toHex));
    const again = open(path);
    again.reset();
    again.append(utf8('next'));
    await again.sync();
    again.close();
    expect(read(path)).to.deep.equal([toHex(utf8('next'))]);
  });

  it('grows by a long log only, and gives that back', async () => {
    const path = join(folder(), 'wal');
    const wal = open(path);
    for (let height = 0; height < 50; height++) {
      expect(statSync(path).size).to.equal(RESERVED);
      for (let i = 0; i < height % 10; i++) wal.append(new Uint8Array(700));
      await wal.sync();
      expect(texts(wal).length).to.equal(height % 10);
      wal.reset();
    }
    wal.close();
    expect(statSync(path).size).to.equal(RESERVED);
  });

  it('starts anew over a head that a crash left unwritten', () => {
    const path = join(folder(), 'wal');
    writeFileSync(path, new Uint8Array(64));
    expect(read(path)).to.deep.equal([]);
    truncateSync(path, 7);
    expect(read(path)).to.deep.equal([]);
    expect(statSync(path).size).to.equal(RESERVED);
  });

  it('says what to do when it may not be written, or is something else', function () {
    const path = join(folder(), 'wal');
    writeFileSync(path, 'this is a text file of somebody');
    expect(() => open(path)).to.throw(LedgerError, 'not the head of a log');
    if (process.getuid?.() === 0) this.skip();
    chmodSync(path, 0o400);
    expect(() => open(path)).to.throw(LedgerError, 'no permission');
    expect(existsSync(path)).to.equal(true);
  });
});
