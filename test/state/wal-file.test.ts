/**
 * The write-ahead log's file: cut at every byte, damaged at every byte, reset, unwritable.
 *
 * @module
 */
import { chmodSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { errors } from '../../node/state/errors.ts';
import { FileWal } from '../../node/state/wal-file.ts';
import { flipped, folder, removeFolders } from './support.ts';

function texts(wal: FileWal): string[] {
  return [...wal.records()].map(toHex);
}

/** A log with two synced groups of records and one record that was only appended. */
function written(path: string): { whole: Uint8Array; sizes: number[]; all: string[] } {
  const wal = FileWal.open(path);
  const sizes: number[] = [];
  const records = [utf8('one'), utf8('two'), new Uint8Array(300), utf8('four')];
  for (const [i, record] of records.entries()) {
    wal.append(record);
    if (i === 1 || i === 2) {
      wal.sync();
      sizes.push(readFileSync(path).length);
    }
  }
  wal.close();
  return { whole: readFileSync(path), sizes, all: records.map(toHex) };
}

describe('write-ahead log file', () => {
  after(removeFolders);

  it('gives back what was appended, before and after it is opened again', () => {
    const path = join(folder(), 'wal');
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 99 }), fc.boolean())), (steps) => {
        let wal = FileWal.open(path);
        wal.reset();
        for (const [record, sync] of steps) {
          wal.append(record);
          if (sync) wal.sync();
        }
        const all = steps.map(([record]) => toHex(record));
        expect(texts(wal)).to.deep.equal(all);
        wal.close();
        wal = FileWal.open(path);
        expect(texts(wal)).to.deep.equal(all);
        wal.close();
      }),
      { numRuns: 30 },
    );
  });

  it('cut off at any byte, keeps every whole record before it, and a copy of the rest', () => {
    const path = join(folder(), 'wal');
    const { whole, all } = written(path);
    for (let size = 0; size < whole.length; size++) {
      writeFileSync(path, whole.subarray(0, size));
      let warnings = 0;
      const wal = FileWal.open(path, { ...SILENT, warn: () => warnings++ });
      const left = texts(wal);
      expect(left).to.deep.equal(all.slice(0, left.length));
      wal.append(utf8('later'));
      wal.sync();
      wal.close();
      const again = FileWal.open(path);
      expect(texts(again)).to.deep.equal([...left, toHex(utf8('later'))]);
      again.close();
      if (warnings > 0) {
        expect(readFileSync(`${path}.corrupted`).length).to.be.greaterThan(0);
      }
    }
  });

  it('changed in any bit before the last mark, refuses; after it, cuts off', () => {
    const path = join(folder(), 'wal');
    const { whole, sizes, all } = written(path);
    const marked = sizes[1] ?? expect.fail();
    for (let byte = 0; byte < whole.length; byte++) {
      writeFileSync(path, flipped(whole, byte * 8 + (byte % 8)));
      try {
        const wal = FileWal.open(path);
        // The last mark itself, and what was never synced, may be taken for a torn tail.
        expect(byte, `byte ${byte}`).to.be.at.least(marked - 16);
        expect(texts(wal)).to.deep.equal(all.slice(0, 3));
        wal.close();
      } catch (thrown) {
        expect(LedgerError.is(thrown, errors.WalDamaged), String(thrown)).to.equal(true);
        expect(byte).to.be.lessThan(marked);
      }
    }
  });

  it('is empty after a reset, and leftovers of earlier heights are no records', () => {
    const path = join(folder(), 'wal');
    const { whole } = written(path);
    const wal = FileWal.open(path);
    wal.reset();
    expect(texts(wal)).to.deep.equal([]);
    wal.append(utf8('new'));
    wal.sync();
    wal.close();
    const fresh = readFileSync(path);
    writeFileSync(path, Buffer.concat([fresh, whole.subarray(fresh.length)]));
    const again = FileWal.open(path);
    expect(texts(again)).to.deep.equal([toHex(utf8('new'))]);
    again.close();
  });

  it('does not grow over heights', () => {
    const path = join(folder(), 'wal');
    const wal = FileWal.open(path);
    for (let height = 0; height < 50; height++) {
      wal.append(new Uint8Array(1_000));
      wal.sync();
      wal.reset();
    }
    wal.close();
    expect(readFileSync(path).length).to.be.lessThan(100);
  });

  it('starts anew over a head that a crash left unwritten', () => {
    const path = join(folder(), 'wal');
    writeFileSync(path, new Uint8Array(64));
    expect(texts(FileWal.open(path))).to.deep.equal([]);
    truncateSync(path, 7);
    expect(texts(FileWal.open(path))).to.deep.equal([]);
  });

  it('says what to do when it may not be written, or is something else', function () {
    const path = join(folder(), 'wal');
    writeFileSync(path, 'this is a text file of somebody');
    expect(() => FileWal.open(path)).to.throw(LedgerError, 'not the head of a log');
    if (process.getuid?.() === 0) this.skip();
    chmodSync(path, 0o400);
    expect(() => FileWal.open(path)).to.throw(LedgerError, 'no permission');
    expect(existsSync(path)).to.equal(true);
  });
});
