/**
 * Four real engines agree on blocks of the key-value application.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex, utf8 } from '../../node/src/base/bytes.ts';
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
});
