/**
 * The state store against a model that keeps every height whole: reads, ranges, proofs, roots;
 * after restarts, pruning, repeated and abandoned heights.
 *
 * @module
 */
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import {
  leafHash,
  merkleRoot,
  verifyConsistency,
  verifyMerkleProof,
} from '../../node/src/base/merkle.ts';
import type { StateStore } from '../../node/src/ledger/store.ts';
import { packKey } from '../../node/src/types/packed-key.ts';
import { verifyAbsence, verifyMembership } from '../../node/src/types/proofs.ts';
import { Database } from '../../node/state/database.ts';
import { SPACE } from '../../node/state/spaces.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import {
  anyKey,
  anyValue,
  applyTo,
  folder,
  freshDatabase,
  hex,
  keyOf,
  type Model,
  naiveLeaves,
  naiveRoot,
  removeFolders,
  TIGHT,
} from './support.ts';

const ONE = Uint8Array.of(1);
const anyHeights = fc.array(fc.array(fc.tuple(anyKey, anyValue), { maxLength: 8 }), {
  minLength: 1,
  maxLength: 30,
});

function modelRoot(model: Model): string {
  const packed = [...model].map(([key, value]) => [packKey(hex(key)), value] as const);
  return toHex(naiveRoot(naiveLeaves(packed)));
}

async function commit(
  db: Database,
  store: StateStore,
  height: number,
  changes: readonly (readonly [Uint8Array, Uint8Array | undefined])[],
): Promise<string> {
  const appHash = toHex(await store.finalize(height, changes));
  store.commit();
  await db.flush();
  return appHash;
}

/** Checks every key, a range and proofs of one height against its model. */
async function checkHeight(
  store: LevelStateStore,
  height: number,
  model: Model,
  keys: readonly Uint8Array[],
): Promise<void> {
  const view = present(store.view(height), `view of ${height}`);
  const root = hex(modelRoot(model));
  for (const key of keys) {
    const value = model.get(toHex(key));
    expect(toHex(view.get(key) ?? new Uint8Array(0))).to.equal(toHex(value ?? new Uint8Array(0)));
    const proof = await view.prove(key);
    const proven =
      value === undefined
        ? verifyAbsence(proof, root, key)
        : verifyMembership(proof, root, key, value);
    expect(proven, `proof of ${toHex(key)} at ${height}`).to.equal(true);
  }
  for (const reverse of [false, true]) {
    const range = { from: Uint8Array.of(0), to: Uint8Array.of(2, 127), reverse, limit: 4 };
    const within = [...model]
      .map(([key, value]) => [hex(key), value] as const)
      .filter(([key]) => compareBytes(key, range.to) < 0)
      .sort(([a], [b]) => (reverse ? -1 : 1) * compareBytes(a, b))
      .slice(0, 4);
    const found = await view.range(range);
    expect(found.map((pair) => pair.map(toHex))).to.deep.equal(
      within.map((pair) => pair.map(toHex)),
    );
  }
}

const ROW_KEYS = [0x40, 0x41].flatMap((kind) =>
  Array.from({ length: 70 }, (_, n) => Uint8Array.of(kind, 7, n)),
);

/** Writes runs of rows, each key once, height after height, and reads all keys. */
async function checkRows(
  heights: readonly (readonly (readonly [kind: number, first: number, count: number])[])[],
): Promise<void> {
  const db = await freshDatabase();
  const store = await LevelStateStore.open(db, TIGHT);
  const written = new Map<string, string>();
  const check = (read: (key: Uint8Array) => Uint8Array | undefined): void => {
    for (const key of ROW_KEYS) {
      const row = read(key);
      expect(row && toHex(row), toHex(key)).to.equal(written.get(toHex(key)));
    }
  };
  for (const [i, runs] of heights.entries()) {
    const keys = runs.flatMap(([kind, first, count]) =>
      Array.from({ length: count }, (_, n) => Uint8Array.of(kind, 7, first + n)),
    );
    for (const key of keys) {
      if (written.has(toHex(key))) continue;
      const value = utf8(`${i} ${'x'.repeat(written.size % 3)} ${toHex(key)}`);
      written.set(toHex(key), toHex(value));
      store.putRow(key, value);
    }
    await store.finalize(i + 1, []);
    check((key) => store.row(key));
    store.commit();
    await db.flush();
  }
  check((key) => present(store.view(heights.length), 'view').row(key));
  await db.close();
}

describe('state store', () => {
  after(removeFolders);

  it('fits the port that the ledger declares', async () => {
    const store: StateStore = await LevelStateStore.open(await freshDatabase());
    expect(store.height).to.equal(0);
  });

  it('reads and proves every kept height, after restarts and pruning', async function () {
    this.timeout(60_000);
    const steps = fc.array(fc.constantFrom('go on', 'restart', 'prune'), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(anyHeights, steps, async (heights, events) => {
        const path = join(folder(), 'db');
        let db = await Database.open(path);
        let store = await LevelStateStore.open(db, TIGHT);
        const models: Model[] = [new Map()];
        const keys = heights.flat().map(([key]) => key);
        for (const [i, changes] of heights.entries()) {
          const model: Model = new Map(models.at(-1));
          applyTo(model, changes);
          models.push(model);
          expect(await commit(db, store, i + 1, changes)).to.equal(modelRoot(model));
          if (events[i] === 'prune') await store.prune(i - 3);
          if (events[i] !== 'restart') continue;
          await db.close();
          db = await Database.open(path);
          store = await LevelStateStore.open(db, TIGHT);
          expect(toHex(store.appHash)).to.equal(modelRoot(model));
        }
        const someKeys = keys.slice(0, 12);
        for (let height = store.base; height <= heights.length; height++) {
          await checkHeight(store, height, models[height] ?? new Map(), someKeys);
        }
        expect(store.view(store.base - 1)).to.equal(undefined);
        await db.close();
      }),
      { numRuns: 40 },
    );
  });

  it('finds each of many values of one record, deleted and made again between', async () => {
    const path = join(folder(), 'db');
    const key = keyOf('a');
    const expected: (string | undefined)[] = [undefined];
    let db = await Database.open(path);
    let store = await LevelStateStore.open(db, TIGHT);
    for (let height = 1; height <= 200; height++) {
      const before = expected.at(-1);
      const value = height % 3 === 0 ? before : height % 17 === 0 ? undefined : `${height}`;
      expected.push(value);
      const changes = [
        [keyOf('b'), utf8(`${height}`)],
        [key, value === undefined ? undefined : utf8(value)],
      ] as const;
      await commit(db, store, height, changes);
      if (height !== 100) continue;
      await db.close();
      db = await Database.open(path);
      store = await LevelStateStore.open(db, TIGHT);
    }
    const check = (from: number): void => {
      for (let height = from; height <= 200; height++) {
        const value = store.view(height)?.get(key);
        expect(value && Buffer.from(value).toString(), `at ${height}`).to.equal(expected[height]);
      }
    };
    check(1);
    await store.prune(150);
    expect(store.base).to.be.greaterThan(1);
    check(store.base);
    await db.close();
  });

  it('leaves the app hash as it was when a height changes nothing', async () => {
    const db = await freshDatabase();
    const store = await LevelStateStore.open(db);
    const first = await commit(db, store, 1, [[keyOf('a'), ONE]]);
    expect(await commit(db, store, 2, [])).to.equal(first);
    expect(await commit(db, store, 3, [[keyOf('a'), ONE]])).to.equal(first);
    expect(await commit(db, store, 4, [[keyOf('b'), undefined]])).to.equal(first);
    expect(toHex(store.appHash)).to.equal(first);
  });

  it('shows a height only when its batch is durable', async () => {
    const db = await freshDatabase();
    const store = await LevelStateStore.open(db);
    await store.finalize(1, [[keyOf('a'), ONE]]);
    store.commit();
    expect([store.height, store.view(1)]).to.deep.equal([0, undefined]);
    await db.flush();
    expect(store.height).to.equal(1);
    expect(toHex(store.view(1)?.get(keyOf('a')) ?? expect.fail())).to.equal('01');
  });

  it('replaces what was finalized before at the same height, rows and logs included', async () => {
    const db = await freshDatabase();
    const store = await LevelStateStore.open(db);
    const log = new Uint8Array(32);
    store.putRow(utf8('r'), utf8('wrong'));
    store.appendLog(log, [utf8('wrong')]);
    await store.finalize(1, [[keyOf('a'), utf8('wrong')]]);
    store.appendLog(log, [utf8('x')]);
    const head = store.appendLog(log, [utf8('y')]);
    store.putRow(utf8('s'), utf8('right'));
    await commit(db, store, 1, [[keyOf('b'), ONE]]);
    expect(head.size).to.equal(2);
    expect(toHex(head.root)).to.equal(toHex(merkleRoot([utf8('x'), utf8('y')])));
    expect(store.row(utf8('r'))).to.equal(undefined);
    expect(store.get(keyOf('a'))).to.equal(undefined);
    expect(toHex(store.row(utf8('s')) ?? expect.fail())).to.equal(toHex(utf8('right')));
  });

  it('finalizes genesis once more after a crash before the first block', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    const store = await LevelStateStore.open(db);
    const genesis = await commit(db, store, 0, [[keyOf('a'), ONE]]);
    expect(await commit(db, store, 0, [[keyOf('a'), ONE]])).to.equal(genesis);
    await db.close();
    const again = await Database.open(path);
    expect(toHex((await LevelStateStore.open(again)).appHash)).to.equal(genesis);
  });

  it('reads every row, whether its key follows the one before or not', async () => {
    const rows = fc.tuple(fc.constantFrom(0x40, 0x41), fc.nat({ max: 40 }), fc.nat({ max: 20 }));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(rows, { maxLength: 6 }), { maxLength: 4 }), checkRows),
      { numRuns: 30 },
    );
  });

  it('proves log entries and that nothing was rewritten, over heights and restarts', async () => {
    const path = join(folder(), 'db');
    const log = new Uint8Array(32).fill(9);
    const leaves: Uint8Array[] = [];
    for (let height = 1; height <= 20; height++) {
      const db = await Database.open(path);
      const store = await LevelStateStore.open(db, TIGHT);
      const more = Array.from({ length: height }, (_, i) => utf8(`entry ${leaves.length + i}`));
      leaves.push(...more);
      const head = store.appendLog(log, more);
      expect(toHex(head.root)).to.equal(toHex(merkleRoot(leaves)));
      await commit(db, store, height, []);
      const size = leaves.length;
      const aunts = store.logPath(log, 0, size);
      const proof = { total: size, index: 0, leafHash: leafHash(utf8('entry 0')), aunts };
      expect(verifyMerkleProof(proof, head.root, utf8('entry 0'))).to.equal(true);
      const old = size - more.length;
      const path12 = store.logConsistency(log, old, size);
      const oldRoot = merkleRoot(leaves.slice(0, old));
      expect(verifyConsistency(old, oldRoot, size, head.root, path12)).to.equal(true);
      expect(() => store.logPath(log, 0, size + 1)).to.throw('entries');
      await db.close();
    }
  });

  it('keeps nothing of dropped heights: values, lists, pages, deleted records', async () => {
    const db = await freshDatabase();
    const store = await LevelStateStore.open(db, TIGHT);
    const keys = Array.from({ length: 40 }, (_, i) => keyOf(String(i)));
    for (let height = 1; height <= 100; height++) {
      const changes = keys.map((key) => [key, utf8(`${height}`)] as const);
      const removed = [keyOf(`gone ${height - 1}`), undefined] as const;
      await commit(db, store, height, [...changes, removed, [keyOf(`gone ${height}`), ONE]]);
      if (height % 10 === 0) await store.prune(height - 5);
    }
    expect(store.base).to.be.greaterThan(85);
    const count = async (space: number): Promise<number> => {
      const to = new Uint8Array(80).fill(0xff);
      return (await db.range(space, { from: new Uint8Array(0), to, reverse: false, limit: -1 }))
        .length;
    };
    expect(await count(SPACE.changes)).to.be.lessThan(16);
    expect(await count(SPACE.replaced)).to.be.lessThan(16);
    expect(await count(SPACE.records)).to.be.lessThan(60);
    expect(await count(SPACE.crownHeads)).to.be.lessThan(12);
    expect(await count(SPACE.crowns)).to.be.lessThan(300);
    await db.close();
  });

  it('makes the tree from the records when what is stored of it is damaged', async () => {
    // Without heads of whole crowns the lists of all heights give the tree; else old heights go.
    for (const [space, base] of [
      [SPACE.crowns, 40],
      [SPACE.changes, 40],
      [SPACE.crownHeads, 0],
    ] as const) {
      const path = join(folder(), 'db');
      const model: Model = new Map();
      let db = await Database.open(path);
      let store = await LevelStateStore.open(db, TIGHT);
      const put = async (height: number): Promise<void> => {
        const changes = [0, 1, 2].map((n) => [keyOf(`${height * n}`), utf8(`${height}`)] as const);
        applyTo(model, changes);
        await commit(db, store, height, changes);
      };
      for (let height = 1; height <= 40; height++) await put(height);
      const all = { from: Uint8Array.of(0), to: Uint8Array.of(255), reverse: false, limit: -1 };
      const rows = await db.range(space, all);
      expect(rows.length).to.be.greaterThan(0);
      await db.write(rows.map(([key]) => [space, key, undefined] as const));
      await db.close();
      db = await Database.open(path);
      store = await LevelStateStore.open(db, TIGHT);
      expect([store.height, store.base]).to.deep.equal([40, base]);
      expect(toHex(store.appHash)).to.equal(modelRoot(model));
      for (let height = 41; height <= 60; height++) await put(height);
      await store.prune(55);
      const keys = [keyOf('0'), keyOf('60'), keyOf('none')];
      await checkHeight(store, 60, model, keys);
      await db.close();
    }
  });

  it('stops when the records do not give the stored app hash', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    const store = await LevelStateStore.open(db, TIGHT);
    for (let height = 1; height <= 3; height++) {
      await commit(db, store, height, [[keyOf(`${height}`), ONE]]);
    }
    const stored = present(db.get(SPACE.records, keyOf('2')), 'record');
    await db.write([[SPACE.records, keyOf('2'), Uint8Array.of(...stored.slice(0, 10), 2)]]);
    const thrown = await LevelStateStore.open(db, TIGHT).catch((error: unknown) => error);
    expect(String(thrown)).to.contain('do not give its app hash').and.to.contain('backup');
  });
});
