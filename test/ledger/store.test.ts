/**
 * The ledger on the real store: restarts, repeated execution, equal app hashes.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { toHex, u64be } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { secp256k1Keys, verifySecp256k1 } from '../../node/src/crypto/secp256k1.ts';
import { Ledger } from '../../node/src/ledger/ledger.ts';
import { Database } from '../../node/state/database.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import { type Actor, putMessage, sendMessage, sign, theActors, World } from './world.ts';

describe('ledger: on the real store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'metatron-ledger-'));
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function blocks(): Promise<readonly (readonly Uint8Array[])[]> {
    const [alice, bob] = (await theActors()) as [Actor, Actor, Actor];
    const put = (sequence: number): Promise<Uint8Array> => {
      const messages = [1, 2, 3].map((n) =>
        putMessage(alice.address, `${sequence}/${n}`, { key: n === 1 ? 'k' : '' }),
      );
      return sign({ from: alice, messages, sequence, fee: 3n });
    };
    const send = sign({
      from: bob,
      messages: [sendMessage(bob.address, alice.address, 1n)],
      sequence: 0,
    });
    return [[await put(0)], [], [await put(1), await send, await put(2)]];
  }

  it('has the same app hash after repeated execution and after a restart', async () => {
    const hashes: string[][] = [];
    for (const [name, again] of [
      ['once', false],
      ['again', true],
    ] as const) {
      const path = join(folder, name);
      let db = await Database.open(path);
      const world = await new World(await LevelStateStore.open(db)).start();
      const seen: string[] = [];
      for (const txs of await blocks()) {
        const decidedLastCommit = { round: 0, votes: [] };
        const request = { ...world.context(), txs: txs.slice(1), decidedLastCommit };
        if (again) await world.ledger.finalizeBlock(request);
        seen.push(toHex((await world.block(...txs)).appHash));
        await db.flush();
      }
      await db.close();
      db = await Database.open(path);
      const store = await LevelStateStore.open(db);
      const ledger = new Ledger({
        store,
        keys: secp256k1Keys,
        verifySecp256k1,
        blockHash: (height) => sha256(u64be(height)),
      });
      const info = await ledger.info();
      expect(info.lastHeight).to.equal(3);
      expect(toHex(info.lastAppHash)).to.equal(seen.at(-1));
      const [alice] = (await theActors()) as [Actor, Actor, Actor];
      const tx = await sign({
        from: alice,
        messages: [putMessage(alice.address, 'x')],
        sequence: 3,
      });
      expect(ledger.checkTx({ tx, kind: 'new' })).to.include({ code: 0, sequence: 3 });
      await db.close();
      hashes.push(seen);
    }
    expect(hashes[0]).to.deep.equal(hashes[1]);
    expect(hashes[0]?.[0]).to.equal(hashes[0]?.[1]);
  });
});
