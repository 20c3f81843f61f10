/**
 * A process that commits heights without end, for a test to kill; prints each durable height.
 *
 * @module
 */
import { writeSync } from 'node:fs';
import { u64be, utf8 } from '../../node/src/base/bytes.ts';
import { Database } from '../../node/state/database.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import { keyOf, TIGHT } from './support.ts';

const db = await Database.open(process.argv[2] ?? '');
const store = await LevelStateStore.open(db, TIGHT);
for (let height = store.height + 1; ; height++) {
  await store.finalize(height, [
    [utf8('hot'), u64be(height)],
    [keyOf(`${height}`), u64be(height)],
    [keyOf(`${height - 50}`), undefined],
  ]);
  store.commit();
  db.stage(0x80, utf8('height'), u64be(height));
  db.stage(0x81, utf8('height'), u64be(height));
  await db.flush();
  writeSync(1, `${height}\n`);
  if (height % 16 === 0) await store.prune(height - 20);
}
