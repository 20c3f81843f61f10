/**
 * The guard's file: what was saved is there again; torn, damaged and missing files; the lock.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { LedgerError } from '../../node/src/base/errors.ts';
import type { GuardRecord, GuardStore } from '../../node/src/engine/ports.ts';
import { errors } from '../../node/state/errors.ts';
import { FileGuard } from '../../node/state/guard-file.ts';
import { FileLock, lockHolder } from '../../node/state/lock-file.ts';
import { folder, removeFolders } from './support.ts';

function record(height: number): GuardRecord {
  return {
    height,
    round: 2,
    step: 3,
    signBytes: new Uint8Array(120).fill(height),
    signature: new Uint8Array(64).fill(height),
  };
}

describe('guard file', () => {
  after(removeFolders);

  it('keeps the last record over restarts', async () => {
    const path = join(folder(), 'guard');
    const first: GuardStore = FileGuard.open(path, 0);
    expect(first.load()).to.equal(undefined);
    for (let height = 1; height <= 5; height++) {
      const guard = FileGuard.open(path, height);
      expect(guard.load()?.height).to.equal(height === 1 ? undefined : height - 1);
      await guard.save(record(height));
      expect(guard.load()).to.deep.equal(record(height));
      guard.close();
    }
  });

  it('torn in the newest slot at any byte, has the record before', async () => {
    const path = join(folder(), 'guard');
    const guard = FileGuard.open(path, 0);
    await guard.save(record(1));
    const before = readFileSync(path);
    await guard.save(record(2));
    const after = readFileSync(path);
    guard.close();
    const start = before.findIndex((byte, i) => byte !== after[i]);
    for (let cut = start; cut < start + 200; cut++) {
      writeFileSync(path, Buffer.concat([after.subarray(0, cut), before.subarray(cut)]));
      const height = FileGuard.open(path, 2).load()?.height;
      expect(height).to.be.oneOf([1, 2]);
    }
  });

  it('refuses to start without its file when heights are stored, or with a damaged one', () => {
    const path = join(folder(), 'guard');
    const missing = (): unknown => FileGuard.open(path, 7);
    expect(missing).to.throw(LedgerError, 'stored height 7');
    FileGuard.open(path, 0).close();
    writeFileSync(path, new Uint8Array(8_192).fill(1));
    const thrown = caught(() => FileGuard.open(path, 0));
    expect(LedgerError.is(thrown, errors.GuardDamaged)).to.equal(true);
    rmSync(path);
  });
});

describe('lock file', () => {
  after(removeFolders);

  it('is held by one process, and taken over from one that is gone', () => {
    const path = join(folder(), 'LOCK');
    const lock = FileLock.acquire(path);
    expect(lockHolder(path)).to.equal(process.pid);
    const thrown = caught(() => FileLock.acquire(path));
    expect(LedgerError.is(thrown, errors.HomeInUse)).to.equal(true);
    lock.release();
    expect(lockHolder(path)).to.equal(undefined);
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    writeFileSync(path, `${pid} 1\n`);
    FileLock.acquire(path).release();
    // A number that was given to another process since: this one, but with another start.
    writeFileSync(path, `${process.pid} 1\n`);
    FileLock.acquire(path).release();
    writeFileSync(path, 'garbage');
    FileLock.acquire(path).release();
  });
});

function caught(run: () => unknown): unknown {
  try {
    run();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
}
