/**
 * A validator that loses power at any moment signs nothing twice and goes on.
 *
 * @module
 */
import { expect } from 'chai';
import { EMPTY, fromHex, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { Reader } from '../../node/src/base/wire.ts';
import { SIGN_STEP } from '../../node/src/engine/signer.ts';
import { settle, World, type WorldNode } from './world.ts';

/** Type, height and round in the sign bytes of a vote or proposal. */
function placeOf(signBytes: string): string {
  const input = new Reader(fromHex(signBytes) ?? EMPTY, 'sign bytes');
  input.varint();
  const fields = new Map<number, bigint>();
  while (input.at < input.end) {
    const head = input.varint();
    const field = Math.floor(head / 8);
    if (head % 8 === 0) fields.set(field, input.varint64());
    else if (head % 8 === 1) fields.set(field, input.fixed64());
    else input.delimited(1_000, 'field');
  }
  return `${fields.get(1)}/${fields.get(2)}/${fields.get(3) ?? 0n}`;
}

/** Places for which the key made more than one signature. */
function conflicts(node: WorldNode): number {
  const places = node.signed.map((s) => placeOf(s.bytes));
  expect(places.length).to.be.above(0);
  return places.length - new Set(places).size;
}

describe('engine: restart', () => {
  it('crashes at every sync of the log, and neither signs twice nor diverges', async function () {
    this.timeout(20_000);
    for (let at = 1; at <= 14; at++) {
      const world = new World({ nodes: 4, emptyBlocksMs: 100 });
      await world.startAll();
      await world.reach(2);
      const victim = world.node(0);
      let syncs = 0;
      victim.onSync = () => {
        syncs++;
        if (syncs !== at) return;
        victim.onSync = undefined;
        throw new RangeError('power lost');
      };
      const crashed = await world.until(() => victim.fatal !== undefined, 5_000);
      expect(crashed, `sync ${at}`).to.equal(true);
      await settle();
      const before = victim.height;
      await world.start(0);
      const resumed = await world.until(() => victim.height >= before + 4, 20_000);
      expect(resumed, `resumed after sync ${at}`).to.equal(true);
      expect(conflicts(victim)).to.equal(0);
      const hashes = world.nodes.map((n) => {
        const found = n.disk.heights.get(before + 3);
        return toHex(found?.blockId.hash ?? new Uint8Array());
      });
      expect(new Set(hashes).size, `sync ${at}`).to.equal(1);
    }
  });

  it('restarts all four at once with the chain they had', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.node(1).live.submitTx(utf8('a=1'));
    await world.reach(5);
    const { height } = world.node(0);
    for (const node of world.nodes) await world.crash(node.index);
    await world.startAll();
    expect(await world.reach(height + 5, 20_000)).to.equal(true);
    for (const node of world.nodes) expect(conflicts(node)).to.equal(0);
  });

  it('stays silent at a height whose log is lost, and votes at the next', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(2);
    const victim = world.node(0);
    const precommitted = (): boolean => {
      const { guard } = victim.disk;
      return guard?.step === SIGN_STEP.precommit && guard.height > victim.height;
    };
    expect(await world.until(precommitted, 5_000)).to.equal(true);
    const guarded = victim.disk.guard?.height ?? 0;
    await world.crash(0);
    victim.disk.reset();
    const signed = victim.signed.length;
    for (const other of [1, 2, 3]) await world.crash(other);
    await world.start(0);
    await world.start(1);
    await world.pass(3_000);
    expect(victim.signed.length).to.equal(signed);
    await world.start(2);
    await world.start(3);
    expect(await world.until(() => victim.height > guarded + 3, 30_000)).to.equal(true);
    expect(victim.signed.length).to.be.above(signed);
    expect(conflicts(victim)).to.equal(0);
  });

  it('goes on with its guard alone if the log is lost before it could lock', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(2);
    const victim = world.node(0);
    await world.until(() => victim.disk.guard?.step === SIGN_STEP.prevote, 5_000);
    const { height, round } = victim.disk.guard ?? { height: 0, round: -1 };
    expect(round).to.equal(0);
    // A power failure strikes everybody, and all logs lose what was not synced: all of it.
    for (const node of world.nodes) {
      await world.crash(node.index);
      node.disk.reset();
    }
    const signed = victim.signed.length;
    await world.startAll();
    expect(await world.until(() => victim.height > height, 10_000)).to.equal(true);
    expect(victim.signed.length).to.be.above(signed);
    for (const node of world.nodes) expect(conflicts(node)).to.equal(0);
  });

  it('stops when the disk fails', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 100 });
    await world.startAll();
    await world.reach(2);
    const victim = world.node(2);
    victim.onSync = () => {
      throw new RangeError('no space left on device');
    };
    await world.until(() => victim.fatal !== undefined, 5_000);
    expect(String(victim.fatal)).to.match(/no space left/);
    const { height } = world.node(0);
    expect(await world.until(() => world.node(0).height > height + 5, 20_000)).to.equal(true);
  });
});
