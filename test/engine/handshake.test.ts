/**
 * Every row of the handshake's table, with an application that forgets and one that keeps.
 *
 * @module
 */
import { expect } from 'chai';
import { KvstoreApplication, kvstoreHash, MemoryKeySpace } from '../../node/src/abci/kvstore.ts';
import { utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { errors, handshake } from '../../node/src/engine/handshake.ts';
import { encodeRecord } from '../../node/src/engine/wal-records.ts';
import { refusal, refusedAs } from '../refusal.ts';
import { SimChainStore } from '../sim/chain-store.ts';
import { Disk } from '../sim/disk.ts';
import { settle, World } from './world.ts';

async function grown(durableApp: boolean): Promise<World> {
  const world = new World({ nodes: 4, emptyBlocksMs: 100, durableApp });
  await world.startAll();
  for (const tx of ['a=1', 'b=2', 'c=3']) {
    await world.node(0).live.submitTx(utf8(tx));
    await world.pass(100);
  }
  await world.reach(6);
  for (const node of world.nodes) await world.crash(node.index);
  return world;
}

function storeOf(world: World): SimChainStore {
  const { disk } = world.node(0);
  return new SimChainStore(disk, { alive: () => true, storing: () => undefined });
}

describe('engine: handshake', () => {
  it('begins a chain: the state comes from genesis and initChain', async () => {
    const world = new World({ nodes: 1 });
    const store = storeOf(world);
    const application = new KvstoreApplication();
    const { genesis } = world;
    const state = await handshake({ genesis, application, store, finalized: undefined });
    expect(state.lastHeight).to.equal(0);
    expect([...state.appHash]).to.deep.equal([...kvstoreHash(0)]);
    expect(state.params.version.app).to.equal(1);
    expect(store.state()).to.deep.equal(state);
  });

  it('runs all blocks on an application that forgot', async () => {
    const world = await grown(false);
    const store = storeOf(world);
    const application = new KvstoreApplication();
    const { genesis } = world;
    await handshake({ genesis, application, store, finalized: undefined });
    const info = await application.info();
    expect(info.lastHeight).to.equal(store.height);
    expect(info.data).to.equal('{"size":3}');
  });

  it('runs the missing blocks on an application that is behind', async () => {
    const world = await grown(true);
    const { genesis } = world;
    const space = new MemoryKeySpace();
    const early = new Disk();
    early.genesis = world.node(0).disk.genesis;
    for (const height of [1, 2, 3]) {
      const found = world.node(0).disk.heights.get(height);
      if (found !== undefined) early.heights.set(height, found);
    }
    const hooks = { alive: () => true, storing: () => undefined };
    const behind = new KvstoreApplication(space);
    const store = new SimChainStore(early, hooks);
    await handshake({ genesis, application: behind, store, finalized: undefined });
    expect((await behind.info()).lastHeight).to.equal(3);
    const application = new KvstoreApplication(space);
    const parts = { genesis, application, store: storeOf(world), finalized: undefined };
    const state = await handshake(parts);
    expect((await application.info()).lastHeight).to.equal(state.lastHeight);
    expect((await application.info()).data).to.equal('{"size":3}');
  });

  it('refuses an application that is ahead without its results in the log', async () => {
    const world = await grown(true);
    const { disk, application } = world.node(0);
    disk.heights.delete(disk.height);
    const { genesis } = world;
    const parts = { genesis, application, store: storeOf(world), finalized: undefined };
    const thrown = await refusal(handshake(parts));
    expect(LedgerError.is(thrown, errors.AppAhead)).to.equal(true);
  });

  it('applies a block without the application if its results are in the log', async () => {
    const world = await grown(true);
    const node = world.node(0);
    const last = node.disk.heights.get(node.disk.height);
    expect(last).to.not.equal(undefined);
    if (last === undefined) return;
    node.disk.heights.delete(node.disk.height);
    const { height } = last.block.header;
    node.disk.append(
      encodeRecord({
        kind: 'finalized',
        finalized: { height, blockHash: last.blockId.hash, results: last.results },
      }),
    );
    await world.startAll();
    await settle();
    expect(await world.reach(height + 3, 20_000)).to.equal(true);
    expect(node.fatal).to.equal(undefined);
    const info = await node.application.info();
    expect(info.data).to.equal('{"size":3}');
  });

  it('refuses an application with another hash, another chain, and no validators', async () => {
    const world = await grown(true);
    const { genesis } = world;
    const { application } = world.node(0);
    const { disk } = world.node(0);
    const found = disk.heights.get(disk.height);
    if (found !== undefined) {
      const state = { ...found.state, appHash: kvstoreHash(77) };
      disk.heights.set(disk.height, { ...found, state });
    }
    const differs = { genesis, application, store: storeOf(world), finalized: undefined };
    await refusedAs(handshake(differs), errors.HashDiffers);
    const other = { ...differs, genesis: { ...genesis, chainId: 'other' } };
    await refusedAs(handshake(other), errors.OtherChain);
    const empty = {
      genesis: { ...genesis, validators: [] },
      application: new KvstoreApplication(),
      store: storeOf(new World({ nodes: 1 })),
      finalized: undefined,
    };
    await refusedAs(handshake(empty), errors.NoValidators);
  });
});
