/**
 * The database: batches are all or nothing, through failures, kills and damage; what errors say.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { concatBytes, EMPTY, readU64be, toHex, u64be, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { Database, type OpenRaw, openLevel } from '../../node/state/database.ts';
import { errors, storageError } from '../../node/state/errors.ts';
import { SPACE } from '../../node/state/spaces.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import { refusal } from '../refusal.ts';
import { folder, removeFolders, TIGHT } from './support.ts';

const ALL = { from: EMPTY, to: new Uint8Array(40).fill(0xff), reverse: false, limit: -1 };

/** Level on a disk that fails from the `good`-th batch on. */
function failing(code: string, good: number): OpenRaw {
  let batches = 0;
  return (path) => {
    const raw = openLevel(path);
    return {
      open: () => raw.open(),
      close: () => raw.close(),
      getSync: (key) => raw.getSync(key),
      iterator: (options) => raw.iterator(options),
      batch: () => {
        const batch = raw.batch();
        const write = (options: { sync: boolean }): Promise<void> => {
          batches++;
          const failure = Object.assign(new Error('write failed'), { code });
          return batches > good ? Promise.reject(failure) : batch.write(options);
        };
        return {
          get length(): number {
            return batch.length;
          },
          put: (key, value) => batch.put(key, value),
          del: (key) => batch.del(key),
          close: () => batch.close(),
          write,
        };
      },
    };
  };
}

describe('database', () => {
  after(removeFolders);

  it('makes what any space staged durable together, and shows it only then', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    const [a, b] = [db.space(0x80), db.space(0x81)];
    let flushed = 0;
    a.stage(utf8('k'), utf8('1'));
    b.stage(utf8('k'), utf8('2'));
    db.afterFlush(() => flushed++);
    expect(a.get(utf8('k'))).to.equal(undefined);
    await db.flush();
    expect(flushed).to.equal(1);
    a.stage(utf8('k'), undefined);
    await db.flush();
    expect(flushed).to.equal(1);
    await db.close();
    const again = await Database.open(path);
    expect(again.get(0x80, utf8('k'))).to.equal(undefined);
    expect(toHex(again.get(0x81, utf8('k')) ?? expect.fail())).to.equal('32');
    await again.close();
  });

  it('walks ranges within one space, both ways, bounded', async () => {
    const db = await Database.open(join(folder(), 'db'));
    const space = db.space(0x90);
    for (let i = 0; i < 10; i++) space.stage(Uint8Array.of(i), Uint8Array.of(i));
    db.space(0x91).stage(Uint8Array.of(3), Uint8Array.of(99));
    await db.flush();
    const range = { from: Uint8Array.of(2), to: Uint8Array.of(7), limit: 3 };
    const up = await space.range({ ...range, reverse: false });
    const down = await space.range({ ...range, reverse: true });
    expect(up.map(([key]) => key[0])).to.deep.equal([2, 3, 4]);
    expect(down.map(([key]) => key[0])).to.deep.equal([6, 5, 4]);
    expect((await db.range(0x91, ALL)).map(([, value]) => value[0])).to.deep.equal([99]);
    await db.close();
  });

  it('refuses everything after a full disk, keeps nothing of the height, and says so', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path, failing('ENOSPC', 3));
    const store = await LevelStateStore.open(db, TIGHT);
    const commit = async (height: number): Promise<void> => {
      await store.finalize(height, [[utf8('key'), u64be(height)]]);
      store.commit();
      db.stage(0x80, utf8('index'), u64be(height));
      return db.flush();
    };
    await commit(1);
    await commit(2);
    const full = await refusal(commit(3));
    expect(LedgerError.is(full, errors.DiskFull)).to.equal(true);
    expect(full.message).to.contain('free space').and.to.contain('nothing that was reported');
    expect(store.height).to.equal(2);
    expect(await refusal(db.write([[0x80, utf8('x'), utf8('y')]]))).to.equal(full);
    await db.close();
    const again = await Database.open(path);
    expect((await LevelStateStore.open(again, TIGHT)).height).to.equal(2);
    expect(readU64be(again.get(0x80, utf8('index')) ?? expect.fail())).to.equal(2);
    await again.close();
  });

  it('says who has it open, and what a newer format is', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    expect((await refusal(Database.open(path))).message).to.contain('another process');
    await db.write([[SPACE.meta, Uint8Array.of(0), Uint8Array.of(9)]]);
    await db.close();
    const newer = await refusal(Database.open(path));
    expect(LedgerError.is(newer, errors.NewerFormat)).to.equal(true);
  });

  it('says that it is damaged, and does not go on', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    await db.close();
    const manifest = present(
      readdirSync(path).find((name) => name.startsWith('MANIFEST')),
      'manifest',
    );
    const bytes = readFileSync(join(path, manifest));
    writeFileSync(join(path, manifest), bytes.fill(0x55));
    const damaged = await refusal(Database.open(path));
    expect(LedgerError.is(damaged, errors.Damaged), damaged.message).to.equal(true);
    expect(damaged.message).to.contain('backup').and.to.contain('guard');
  });

  it('tells apart what a disk refuses', () => {
    const of = (code: string, message: string): unknown =>
      storageError(Object.assign(new Error(message), { code }), '/data').code;
    expect(of('EACCES', 'denied')).to.equal(errors.Denied.code);
    expect(of('LEVEL_IO_ERROR', 'IO error: /x: Permission denied')).to.equal(errors.Denied.code);
    expect(of('EROFS', 'read-only')).to.equal(errors.Denied.code);
    expect(of('ENOSPC', 'full')).to.equal(errors.DiskFull.code);
    expect(of('LEVEL_IO_ERROR', 'IO error: /x: File too large')).to.equal(errors.DiskFull.code);
    expect(of('EIO', 'input/output error')).to.equal(errors.DiskFailed.code);
  });

  it('killed while it writes, opens whole, at or above the reported height', async function () {
    this.timeout(60_000);
    const path = join(folder(), 'db');
    const script = new URL('./flush-loop.ts', import.meta.url).pathname;
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [script, path], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      const target = 20 + 37 * round;
      await new Promise<void>((resolve) => {
        child.stdout.on('data', (data: Buffer) => {
          output += data.toString();
          if (output.split('\n').length > target) resolve();
        });
      });
      child.kill('SIGKILL');
      await once(child, 'close');
      const reported = Number(present(output.trim().split('\n').at(-1), 'a line'));
      const db = await Database.open(path);
      const store = await LevelStateStore.open(db, TIGHT);
      expect(store.height).to.be.at.least(reported);
      for (const space of [0x80, 0x81]) {
        expect(readU64be(db.get(space, utf8('height')) ?? EMPTY)).to.equal(store.height);
      }
      const record = present(store.get(concatBytes(utf8('hot'))), 'record');
      expect(readU64be(record)).to.equal(store.height);
      await db.close();
    }
  });
});
