/**
 * Comet38Client as published, over HTTP, in batches and over WebSocket: every method it has.
 *
 * @module
 */
import {
  Comet38Client,
  type comet38,
  HttpBatchClient,
  type RpcClient,
} from '@cosmjs/tendermint-rpc';
import { expect } from 'chai';
import { TxRaw } from 'cosmjs-types/cosmos/tx/v1beta1/tx';
import { equalBytes, toUpperHex, utf8 } from '../../node/src/base/bytes.ts';
import { verifyMerkleProof } from '../../node/src/base/merkle.ts';
import { putMessage } from '../../node/src/client/memory-client.ts';
import { call, pick, pickText } from '../../node/src/ops/rpc-client.ts';
import { txHash } from '../../node/src/types/block.ts';
import type { ClientNet } from './clients-net.ts';
import { until } from './support.ts';

type Signed = () => Promise<Uint8Array>;

/** Memory writes of one account, one sequence after another, whoever sends them. */
async function writesOf(net: ClientNet, name: string): Promise<Signed> {
  const client = await net.signer(name);
  const { address } = net.account(name);
  const { accountNumber, sequence } = await client.getSequence(address);
  const fee = { amount: [{ denom: 'aphi', amount: '10000' }], gas: '400000' };
  let next = sequence;
  return async () => {
    const data = { accountNumber, sequence: next++, chainId: net.chainId };
    const message = putMessage(address, { content: `number ${next}`, key: 'comet' });
    return TxRaw.encode(await client.sign(address, [message], fee, '', data)).finish();
  };
}

async function checkChain(comet: Comet38Client, net: ClientNet): Promise<void> {
  const status = await comet.status();
  expect(status.nodeInfo).to.include({ network: net.chainId });
  expect(status.nodeInfo.version).to.match(/^0\.38\./);
  expect(status.syncInfo.catchingUp).to.equal(false);
  expect(status.validatorInfo.votingPower > 0n).to.equal(true);
  const info = await comet.abciInfo();
  expect(info.lastBlockHeight ?? 0).to.be.at.least(status.syncInfo.latestBlockHeight);
  expect(await comet.health()).to.equal(null);
  expect((await comet.numUnconfirmedTxs()).total).to.be.at.least(0);
  const genesis = await comet.genesis();
  expect(genesis.chainId).to.equal(net.chainId);
  expect(genesis.validators).to.have.length(4);
  expect(genesis.appHash).to.be.instanceOf(Uint8Array);
  const tip = status.syncInfo.latestBlockHeight;
  const all = await comet.validatorsAll(tip);
  const page = await comet.validators({ height: tip, page: 2, per_page: 3 });
  expect([all.total, page.count, page.total]).to.deep.equal([4, 1, 4]);
  expect(page.validators[0]).to.deep.equal(all.validators[3]);
}

async function checkBlocks(comet: Comet38Client, height: number): Promise<void> {
  const { block, blockId } = await comet.block(height);
  expect(block.header.height).to.equal(height);
  expect((await comet.block()).block.header.height).to.be.at.least(height);
  const commit = await comet.commit(height);
  expect(commit.canonical).to.equal(true);
  expect(equalBytes(commit.commit.blockId.hash, blockId.hash)).to.equal(true);
  expect(commit.commit.signatures).to.have.length(4);
  expect((await comet.commit()).header.height).to.be.at.least(height);
  const { blockMetas, lastHeight } = await comet.blockchain(height - 1, height);
  expect(blockMetas.map(({ header }) => header.height)).to.deep.equal([height, height - 1]);
  expect(lastHeight).to.be.at.least(height);
  expect((await comet.blockchain()).blockMetas.length).to.be.at.least(2);
  const results = await comet.blockResults(height);
  expect(results.height).to.equal(height);
  expect(results.results).to.have.length(block.txs.length);
  const search = { query: `block.height=${height}` };
  for (const found of [await comet.blockSearch(search), await comet.blockSearchAll(search)]) {
    expect(found.blocks.map((b) => b.block.header.height)).to.deep.equal([height]);
  }
}

async function checkTxs(comet: Comet38Client, signed: Signed): Promise<number> {
  const [first, second, third] = [await signed(), await signed(), await signed()];
  const committed = await comet.broadcastTxCommit({ tx: first });
  expect(committed.checkTx.code).to.equal(0);
  expect(committed.txResult?.code).to.equal(0);
  const checked = await comet.broadcastTxSync({ tx: second });
  expect([checked.code, toUpperHex(checked.hash)]).to.deep.equal([0, toUpperHex(txHash(second))]);
  expect(toUpperHex((await comet.broadcastTxAsync({ tx: third })).hash)).to.equal(
    toUpperHex(txHash(third)),
  );
  const refused = await comet.broadcastTxSync({ tx: utf8('nonsense') });
  expect(refused).to.include({ code: 2, codespace: 'sdk' });
  const hash = txHash(third);
  const query = `tx.hash='${toUpperHex(hash)}'`;
  await until('the last one is in a block', 5_000, async () => {
    return (await comet.txSearch({ query })).totalCount === 1;
  });
  const { tx, height, proof, result } = await comet.tx({ hash, prove: true });
  expect([equalBytes(tx, third), result.code]).to.deep.equal([true, 0]);
  const { block } = await comet.block(height);
  // Leaves of the data tree are the transactions' hashes.
  const path = { ...proof?.proof, leafHash: proof?.proof.leafHash ?? hash };
  const { total = 0, index = 0, aunts = [], leafHash } = path;
  const holds = verifyMerkleProof({ total, index, aunts, leafHash }, block.header.dataHash, hash);
  expect(holds).to.equal(true);
  const many = await comet.txSearchAll({ query: "memory_put.key='comet'", prove: true });
  expect(many.totalCount).to.be.at.least(3);
  expect(many.txs.map((t) => toUpperHex(t.hash))).to.include(toUpperHex(hash));
  return height;
}

async function checkQueries(comet: Comet38Client): Promise<void> {
  const unknown = await comet.abciQuery({ path: '/no.such/Path', data: new Uint8Array() });
  expect(unknown).to.include({ code: 6, codespace: 'sdk' });
  const absent = await comet.abciQuery({ path: '/store/key', data: utf8('absent'), prove: true });
  expect(absent.code).to.equal(0);
  expect(absent.value).to.have.length(0);
  expect(absent.proof?.ops).to.have.length(1);
  expect(absent.height ?? 0).to.be.greaterThan(0);
}

async function checkEverything(net: ClientNet, rpc: RpcClient, signed: Signed): Promise<void> {
  const comet = Comet38Client.create(rpc);
  await checkChain(comet, net);
  const height = await checkTxs(comet, signed);
  await until(
    'a later block',
    5_000,
    async () => (await comet.abciInfo()).lastBlockHeight !== height,
  );
  await checkBlocks(comet, height);
  await checkQueries(comet);
}

/** Every method, over every transport. */
export function cometTests(net: ClientNet): void {
  let signed: Signed;
  before(async () => {
    signed = await writesOf(net, 'carol');
  });

  it('answers every method over HTTP', async () => {
    const comet = net.closing(await Comet38Client.connect(net.rpc(0)));
    await checkChain(comet, net);
    const height = await checkTxs(comet, signed);
    await net.reaches(height + 1);
    await checkBlocks(comet, height);
    await checkQueries(comet);
  });

  it('tells what every peer is known to have', async () => {
    const dump = await call(net.rpc(0), 'dump_consensus_state');
    const peers = pick(dump, 'peers');
    expect(peers).to.have.length(3);
    for (const i of [0, 1, 2]) {
      const state = pick(peers, i, 'peer_state', 'round_state');
      expect(Number(pickText(state, 'height'))).to.be.at.least(2);
      expect(pickText(state, 'start_time')).to.match(/^20\d\d-/);
      expect(pickText(state, 'last_commit')).to.match(/^([x_]{4})?$/);
      expect(Number(pickText(peers, i, 'peer_state', 'stats', 'votes'))).to.be.at.least(1);
    }
  });

  it('answers every method in batches', async () => {
    const http = new HttpBatchClient(net.rpc(0), { dispatchInterval: 2 });
    const comet = net.closing(Comet38Client.create(http));
    await checkEverything(net, http, signed);
    const many = await Promise.all(Array.from({ length: 50 }, (_, i) => comet.block(1 + (i % 2))));
    expect(many.map(({ block }) => block.header.height).slice(0, 3)).to.deep.equal([1, 2, 1]);
    const mixed = await Promise.allSettled([comet.status(), comet.block(10 ** 9)]);
    expect(mixed.map(({ status }) => status)).to.deep.equal(['fulfilled', 'rejected']);
  });

  it('answers every method over WebSocket', async () => {
    await checkEverything(net, net.webSocket(), signed);
  });

  it('tells subscribers of another node about blocks, headers and transactions', async () => {
    const comet = Comet38Client.create(net.webSocket(2));
    const blocks: comet38.NewBlockEvent[] = [];
    const headers: comet38.NewBlockHeaderEvent[] = [];
    const all: comet38.TxEvent[] = [];
    const some: comet38.TxEvent[] = [];
    const subscriptions = [
      comet.subscribeNewBlock().subscribe({ next: (event) => blocks.push(event) }),
      comet.subscribeNewBlockHeader().subscribe({ next: (event) => headers.push(event) }),
      comet.subscribeTx().subscribe({ next: (event) => all.push(event) }),
      comet.subscribeTx("memory_put.key='comet'").subscribe({ next: (event) => some.push(event) }),
    ];
    await until('two blocks are told', 10_000, () => blocks.length >= 2 && headers.length >= 2);
    const tx = await signed();
    const client = await net.signer('dave');
    await client.sendTokens(
      net.account('dave').address,
      net.account('alice').address,
      [{ denom: 'aphi', amount: '5' }],
      'auto',
    );
    const sender = net.closing(await Comet38Client.connect(net.rpc(0)));
    const done = await sender.broadcastTxCommit({ tx });
    await until('both are told', 10_000, () => all.length >= 2 && some.length >= 1);
    expect(some.map((event) => toUpperHex(event.hash))).to.deep.equal([toUpperHex(txHash(tx))]);
    expect(some[0]?.height).to.equal(done.height);
    expect(some[0]?.result.events.map(({ type }) => type)).to.include('memory_put');
    await until('its block is told', 10_000, () =>
      blocks.some(({ header, txs }) => header.height === done.height && txs.length > 0),
    );
    for (const [i, header] of headers.entries()) {
      if (i > 0) expect(header.height).to.equal((headers[i - 1]?.height ?? 0) + 1);
    }
    for (const subscription of subscriptions) subscription.unsubscribe();
  });
}
