/**
 * Damage to Level's files that Level itself passes over.
 *
 * @module
 */
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { Database } from '../../node/state/database.ts';
import { errors } from '../../node/state/errors.ts';
import { damageOf } from '../../node/state/level-files.ts';
import { refusal } from '../refusal.ts';
import { folder, removeFolders } from './support.ts';

const WRITES = 12;
const SPACE = 0x80;

/** A database of writes of several sizes, one of them over three blocks; all still in the log. */
async function written(): Promise<{ readonly path: string; readonly log: string }> {
  const path = join(folder(), 'db');
  const db = await Database.open(path);
  for (let i = 0; i < WRITES; i++) {
    const size = i === 5 ? 80_000 : 700 * (i + 1);
    await db.write([[SPACE, utf8(`key ${i}`), new Uint8Array(size).fill(i)]]);
  }
  await db.close();
  const name = present(
    readdirSync(path).find((file) => file.endsWith('.log')),
    'a log',
  );
  return { path, log: join(path, name) };
}

describe('files of the database', () => {
  after(removeFolders);

  it('are refused when a synced write in the log was changed, wherever it was', async () => {
    const { path, log } = await written();
    const whole = readFileSync(log);
    expect(damageOf(whole)).to.equal(undefined);
    for (let at = 0; at < whole.length - 9_000; at += 997) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(damageOf(changed), `byte ${at}`).to.be.at.most(at);
    }
    const changed = Buffer.from(whole);
    changed.fill(0x55, 30_000, 30_008);
    writeFileSync(log, changed);
    const refused = await refusal(Database.open(path));
    expect(LedgerError.is(refused, errors.Damaged), refused.message).to.equal(true);
    expect(refused.message).to.match(/later writes follow.*backup/);
  });

  it('open when a crash cut the last write off, at any byte', async () => {
    const { path, log } = await written();
    const whole = readFileSync(log);
    for (let size = whole.length - 1; size > whole.length - 8_000; size -= 401) {
      expect(damageOf(whole.subarray(0, size)), `${size} bytes`).to.equal(undefined);
    }
    truncateSync(log, whole.length - 5);
    const db = await Database.open(path);
    expect(db.get(SPACE, utf8(`key ${WRITES - 2}`))?.length).to.equal(700 * (WRITES - 1));
    expect(db.get(SPACE, utf8(`key ${WRITES - 1}`))).to.equal(undefined);
    await db.close();
  });

  it('are refused without CURRENT, which Level would take for a new database', async () => {
    const { path } = await written();
    rmSync(join(path, 'CURRENT'));
    const refused = await refusal(Database.open(path));
    expect(LedgerError.is(refused, errors.Damaged), refused.message).to.equal(true);
  });

  it('are refused when a file stands where their folder should be', async () => {
    const path = join(folder(), 'db');
    writeFileSync(path, 'x');
    const refused = await refusal(Database.open(path));
    expect(LedgerError.is(refused, errors.NotAFolder), refused.message).to.equal(true);
  });
});
