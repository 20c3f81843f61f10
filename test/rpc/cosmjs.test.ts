/**
 * Unmodified CosmJS clients against the RPC server: every method they have that needs no ledger.
 *
 * @module
 */
import { BroadcastTxError, StargateClient } from '@cosmjs/stargate';
import {
  Comet38Client,
  type comet38,
  connectComet,
  HttpBatchClient,
  WebsocketClient,
} from '@cosmjs/tendermint-rpc';
import { expect } from 'chai';
import { toUpperHex, utf8 } from '../../node/src/base/bytes.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { DEFAULT_RPC } from '../../node/src/rpc/config.ts';
import { RpcServer } from '../../node/src/rpc/server.ts';
import { txHash } from '../../node/src/types/block.ts';
import { commitSignBytes } from '../../node/src/types/verify-commit.ts';
import { CHAIN_ID, ChainFixture } from './chain-fixture.ts';

const TX = utf8('colour=green');

/** Waits until `done` holds, for at most five seconds. */
async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!done()) {
    if (performance.now() > deadline) expect.fail(`still waiting until ${done}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** CosmJS 0.39 goes on to connect again and again after a disconnect; a process would never end. */
function stopReconnecting(client: WebsocketClient): void {
  type Reconnecting = { readonly socket: { readonly socket: { reconnect: () => void } } };
  (client as unknown as Reconnecting).socket.socket.reconnect = () => undefined;
}

describe('rpc with unmodified CosmJS', () => {
  const chain = new ChainFixture();
  let server: RpcServer;
  let url: string;
  let client: Comet38Client;

  before(async () => {
    chain.produce([]);
    chain.produce([TX, utf8('taste=sweet'), utf8('broken=')]);
    for (let i = 0; i < 4; i++) chain.produce([utf8(`n=${i}`)]);
    const config = { ...DEFAULT_RPC, port: 0 };
    server = new RpcServer({ config, ports: chain.ports(), logger: SILENT, web: undefined });
    url = await server.start();
    client = await Comet38Client.connect(url);
  });

  after(async () => {
    client.disconnect();
    await server.stop();
  });

  it('is taken for CometBFT 0.38', async () => {
    const connected = await connectComet(url);
    expect(connected).to.be.instanceOf(Comet38Client);
    connected.disconnect();
  });

  it('answers status', async () => {
    const status = await client.status();
    expect(status.nodeInfo.network).to.equal(CHAIN_ID);
    expect(status.syncInfo.latestBlockHeight).to.equal(chain.height);
    expect(status.syncInfo.earliestBlockHeight).to.equal(1);
    expect(status.syncInfo.catchingUp).to.equal(false);
    expect(status.validatorInfo.votingPower).to.equal(10n);
  });

  it('answers abci_info and abci_query', async () => {
    const info = await client.abciInfo();
    expect(info).to.include({ data: 'fixture', lastBlockHeight: chain.height });
    const found = await client.abciQuery({ path: '/key', data: utf8('colour') });
    expect(new TextDecoder().decode(found.value)).to.equal('green');
    expect(found.height).to.equal(chain.height);
    const missing = await client.abciQuery({ path: '/nonsense', data: utf8('x') });
    expect(missing.code).to.equal(6);
  });

  it('answers block, with the empty commit of the first', async () => {
    const first = await client.block(1);
    expect(first.block.lastCommit).to.equal(null);
    expect(first.block.header.lastBlockId).to.equal(null);
    const second = await client.block(2);
    expect(second.block.txs).to.have.length(3);
    expect(second.block.lastCommit?.signatures).to.have.length(4);
    const fourth = await client.block(4);
    expect(fourth.block.lastCommit?.signatures[2]?.blockIdFlag).to.equal(1);
    const latest = await client.block();
    expect(latest.block.header.height).to.equal(chain.height);
  });

  it('answers blockResults, blockchain and blockSearch', async () => {
    const results = await client.blockResults(2);
    expect(results.results.map((r) => r.code)).to.deep.equal([0, 0, 5]);
    expect(results.finalizeBlockEvents[0]?.type).to.equal('begin');
    const metas = await client.blockchain(2, 4);
    expect(metas.blockMetas.map((m) => m.header.height)).to.deep.equal([4, 3, 2]);
    expect(metas.blockMetas[2]?.numTxs).to.equal(3);
    const even = await client.blockSearchAll({ query: "begin.parity='even'", order_by: 'asc' });
    expect(even.blocks.map((b) => b.block.header.height)).to.deep.equal([2, 4, 6]);
    const range = await client.blockSearch({ query: 'block.height > 1 AND block.height <= 3' });
    expect(range.blocks.map((b) => b.block.header.height)).to.deep.equal([2, 3]);
  });

  it('answers commit: canonical below the tip, the seen one at it', async () => {
    const commit = await client.commit(2);
    expect(commit.canonical).to.equal(true);
    expect(toUpperHex(commit.commit.blockId.hash)).to.equal(
      toUpperHex(chain.heights[1]?.blockId.hash ?? new Uint8Array()),
    );
    expect((await client.commit(chain.height)).canonical).to.equal(false);
    const signed = chain.heights[1]?.seenCommit;
    expect(signed && commitSignBytes(CHAIN_ID, signed, 0).length).to.be.greaterThan(100);
  });

  it('answers validators, one height ahead of the tip too', async () => {
    const all = await client.validatorsAll(chain.height + 1);
    expect(all.total).to.equal(4);
    expect(all.validators.every((v) => v.votingPower === 10n)).to.equal(true);
    const page = await client.validators({ height: 1, page: 2, per_page: 3 });
    expect(page.count).to.equal(1);
  });

  it('answers genesis, health and numUnconfirmedTxs', async () => {
    const genesis = await client.genesis();
    expect(genesis.chainId).to.equal(CHAIN_ID);
    expect(genesis.validators).to.have.length(4);
    expect(genesis.consensusParams.block?.maxBytes).to.equal(22_020_096);
    expect(await client.health()).to.equal(null);
    expect(await client.numUnconfirmedTxs()).to.deep.equal({ total: 0, totalBytes: 0 });
  });

  it('answers tx with a proof under the data hash, and txSearch', async () => {
    const hash = txHash(TX);
    const found = await client.tx({ hash, prove: true });
    expect(found.height).to.equal(2);
    expect(found.proof?.proof.total).to.equal(3);
    const header = (await client.block(2)).block.header;
    expect(found.proof?.rootHash).to.deep.equal(header.dataHash);
    expect((await client.tx({ hash })).proof).to.equal(undefined);
    const search = await client.txSearchAll({ query: "app.creator='Fixture' AND app.key='n'" });
    expect(search.txs.map((t) => t.height)).to.deep.equal([3, 4, 5, 6]);
    const single = await client.tx({ hash: txHash(utf8('n=1')), prove: true });
    expect(single.proof?.proof.aunts).to.deep.equal([]);
  });

  it('broadcasts in all three ways', async () => {
    const async = await client.broadcastTxAsync({ tx: utf8('mode=async') });
    expect(async.hash).to.deep.equal(txHash(utf8('mode=async')));
    const sync = await client.broadcastTxSync({ tx: utf8('mode=sync') });
    expect(sync.code).to.equal(0);
    const refused = await client.broadcastTxSync({ tx: utf8('nothing') });
    expect(refused).to.include({ code: 2, codespace: 'fixture' });
    const again = await client.broadcastTxSync({ tx: utf8('mode=sync') }).catch(String);
    expect(again).to.contain('tx already exists in cache');
    const commit = client.broadcastTxCommit({ tx: utf8('mode=commit') });
    await until(() => !(chain.pending.size < 3));
    chain.produce();
    const done = await commit;
    expect(done.height).to.equal(chain.height);
    expect(done.txResult?.code).to.equal(0);
  });

  it('serves StargateClient', async () => {
    const stargate = await StargateClient.connect(url);
    expect(await stargate.getChainId()).to.equal(CHAIN_ID);
    expect(await stargate.getHeight()).to.equal(chain.height);
    const block = await stargate.getBlock(2);
    expect(block.txs).to.have.length(3);
    const tx = await stargate.getTx(toUpperHex(txHash(TX)));
    expect(tx).to.include({ height: 2, txIndex: 0, code: 0 });
    expect(await stargate.getTx('AB'.repeat(32))).to.equal(null);
    const found = await stargate.searchTx([{ key: 'app.key', value: 'taste' }]);
    expect(found.map((t) => t.height)).to.deep.equal([2]);
    const sent = stargate.broadcastTx(utf8('via=stargate'), 5_000, 10);
    await until(() => !(chain.pending.size === 0));
    chain.produce();
    expect((await sent).height).to.equal(chain.height);
    const refused = await stargate.broadcastTx(utf8('nothing'), 1_000, 10).catch((e: unknown) => e);
    expect(refused).to.be.instanceOf(BroadcastTxError);
    stargate.disconnect();
  });

  it('serves HttpBatchClient', async () => {
    const http = new HttpBatchClient(url, { dispatchInterval: 5 });
    const batched = Comet38Client.create(http);
    const [a, b, c] = await Promise.all([batched.status(), batched.block(2), batched.health()]);
    expect(a.nodeInfo.network).to.equal(CHAIN_ID);
    expect(b.block.txs).to.have.length(3);
    expect(c).to.equal(null);
    const all = await Promise.all(Array.from({ length: 40 }, () => batched.block(1)));
    expect(all).to.have.length(40);
    http.disconnect();
  });

  it('serves the WebSocket client: methods and subscriptions', async () => {
    const socket = new WebsocketClient(url.replace('http', 'ws'));
    const live = Comet38Client.create(socket);
    expect((await live.status()).nodeInfo.network).to.equal(CHAIN_ID);
    const blocks: comet38.NewBlockEvent[] = [];
    const headers: comet38.NewBlockHeaderEvent[] = [];
    const txs: comet38.TxEvent[] = [];
    const some: comet38.TxEvent[] = [];
    const subscriptions = [
      live.subscribeNewBlock().subscribe({ next: (e) => blocks.push(e) }),
      live.subscribeNewBlockHeader().subscribe({ next: (e) => headers.push(e) }),
      live.subscribeTx().subscribe({ next: (e) => txs.push(e) }),
      live.subscribeTx("app.key='wanted'").subscribe({ next: (e) => some.push(e) }),
    ];
    await until(() => !(chain.bus.size < 4));
    const { block } = chain.produce([utf8('wanted=1'), utf8('other=2'), utf8('bad=')]);
    await until(() => !(txs.length < 3 || some.length < 1));
    expect(blocks[0]?.header.height).to.equal(block.header.height);
    expect(headers[0]?.height).to.equal(block.header.height);
    expect(txs.map((e) => e.result.code)).to.deep.equal([0, 0, 5]);
    expect(some).to.have.length(1);
    expect(some[0]?.hash).to.deep.equal(txHash(utf8('wanted=1')));
    for (const subscription of subscriptions) subscription.unsubscribe();
    await until(() => !(chain.bus.size > 0));
    socket.disconnect();
    stopReconnecting(socket);
  });
});
