/**
 * Four real engines agree on blocks of the key-value application.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
import { Inbox } from '../../node/src/engine/inbox.ts';
import { CHANNEL } from '../../node/src/types/messages.ts';
import { World } from './world.ts';

describe('engine: a network of four', () => {
  it('commits a transaction on every node with the same hash', async () => {
    const world = new World({ nodes: 4 });
    await world.startAll();
    expect(await world.reach(1)).to.equal(true);
    const submitted = await world.node(2).live.submitTx(utf8('name=value'));
    expect(submitted.response.code).to.equal(0);
    const has = (): boolean =>
      world.nodes.every((node) =>
        node.committed().some(({ block }) => block.data.txs.some((tx) => tx.length === 10)),
      );
    expect(await world.until(has, 5_000)).to.equal(true);
    await world.reach(4);
    for (let height = 1; height <= 4; height++) {
      const hashes = world.nodes.map((n) =>
        toHex(n.disk.heights.get(height)?.blockId.hash ?? new Uint8Array()),
      );
      expect(new Set(hashes).size).to.equal(1);
    }
    expect(world.nodes.flatMap((n) => n.dropped)).to.deep.equal([]);
  });

  it('commits blocks of many parts', async () => {
    const world = new World({ nodes: 4 });
    await world.startAll();
    await world.reach(2);
    const rest = 'x'.repeat(1_800);
    for (let i = 0; i < 400; i++) await world.node(i % 4).live.submitTx(utf8(`k${i}=${rest}`));
    const total = (): number =>
      world
        .node(3)
        .committed()
        .reduce((sum, { block }) => sum + block.data.txs.length, 0);
    expect(await world.until(() => total() === 400, 10_000)).to.equal(true);
    const parts = world
      .node(3)
      .committed()
      .map((h) => h.parts.header.total);
    expect(Math.max(...parts)).to.be.above(2);
  });

  it('carries proposals, votes and transactions along a line of nodes', async () => {
    const world = new World({ nodes: 4, emptyBlocksMs: 500 });
    await world.startAll();
    for (const [a, b] of [
      [0, 2],
      [0, 3],
      [1, 3],
    ] as const) {
      world.unlink(a, b);
    }
    await world.reach(1);
    await world.node(0).live.submitTx(utf8('far=away'));
    const arrived = (): boolean =>
      world
        .node(3)
        .committed()
        .some(({ block }) => block.data.txs.length > 0);
    expect(await world.until(arrived, 20_000)).to.equal(true);
    expect(await world.reach(world.node(0).height + 3)).to.equal(true);
  });

  it('gives turns to peers, and bounds what one of them may leave waiting', () => {
    const inbox = new Inbox({ messages: 3, bytes: 100 });
    const letter = (peer: string, size: number): boolean =>
      inbox.push({ peer, channel: CHANNEL.state, message: new Uint8Array(size) });
    expect([1, 2, 3, 4].map(() => letter('a', 1))).to.deep.equal([true, true, true, false]);
    expect([letter('b', 500), letter('b', 1)]).to.deep.equal([true, false]);
    const order = [1, 2, 3, 4].map(() => inbox.next()?.peer);
    expect(order).to.deep.equal(['a', 'b', 'a', 'a']);
    expect([inbox.next(), inbox.dropped]).to.deep.equal([undefined, 2]);
  });
});
