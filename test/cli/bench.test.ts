/**
 * The benchmark's load: what it makes, and that a run which measured nothing is a failure.
 *
 * @module
 */
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { computeAddress, getBytes, Interface, Transaction } from 'ethers';
import { WebSocket, WebSocketServer } from 'ws';
import { fromHex, toBase64, toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { abi } from '../../node/src/gen/contracts/example-token.ts';
import { wrapEthereumTx } from '../../node/src/ledger/ethereum/wrapper.ts';
import { prepareTxs } from '../../node/src/ops/bench-prepare.ts';
import {
  errors,
  Load,
  type LoadReport,
  MAX_UNANSWERED,
  type SendSpec,
} from '../../node/src/ops/bench-sender.ts';
import { type BenchLoad, createSender } from '../../node/src/ops/bench-txs.ts';

const KVSTORE: BenchLoad = {
  app: 'kvstore',
  chainId: 'bench',
  senders: [],
  count: 2 * MAX_UNANSWERED,
  size: 40,
  opsPerTx: 1,
};
const SPEC: SendSpec = {
  app: 'kvstore',
  rate: 0,
  seconds: 0.2,
  warmup: 0,
  window: 10_000,
  graceMs: 100,
};

type Broadcast = { readonly params: { readonly tx: string } };
type Call = { readonly id: number | string; readonly method: string };

/** What a node answers; nothing if it answers later or never. */
type Answer = (socket: WebSocket, call: Call) => void;

const accept: Answer = (socket, { id, method }) => {
  const result = method === 'subscribe' ? {} : { code: 0, log: '' };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
};

/** Runs a load against one node that answers so. */
async function run(answer: Answer, spec: SendSpec = SPEC): Promise<LoadReport | string> {
  const server = new WebSocketServer({ port: 0 });
  server.on('connection', (socket) => {
    socket.on('message', (data) => answer(socket, JSON.parse(data.toString()) as Call));
  });
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  try {
    await new Promise((resolve) => socket.once('open', resolve));
    const load = new Load(spec, await prepareTxs(KVSTORE, () => undefined), [socket]);
    await load.subscribe();
    await load.warmUp();
    return await load.run();
  } catch (thrown) {
    if (!(thrown instanceof LedgerError)) throw thrown;
    expect(LedgerError.is(thrown, errors.NotMeasured)).to.equal(true);
    return thrown.message;
  } finally {
    socket.terminate();
    for (const client of server.clients) client.terminate();
    server.close();
  }
}

describe('the load of a benchmark', function () {
  this.timeout(20_000);

  it('is made in order, by several threads, each transaction once', async () => {
    const txs = await prepareTxs({ ...KVSTORE, count: 1_203 }, () => undefined);
    expect(txs).to.have.length(1_203);
    txs.forEach((tx, i) => {
      expect((JSON.parse(tx.frame.toString()) as Call).id).to.equal(i);
      expect(tx.bytes).to.equal(KVSTORE.size);
    });
    expect(new Set(txs.map((tx) => tx.hash)).size).to.equal(1_203);
  });

  it('has single writes of 250 to 300 bytes at the default size', async () => {
    const senders = [createSender('metatron'), createSender('metatron')];
    const load: BenchLoad = { ...KVSTORE, app: 'memory', senders, count: 3, size: 32 };
    for (const { bytes } of await prepareTxs(load, () => undefined)) {
      expect(bytes).to.be.within(250, 300);
    }
  });

  it('sends the same Ethereum transactions to a ledger and to a node of Ethereum', async () => {
    const senders = [createSender('metatron'), createSender('metatron')];
    const token = fromHex('11'.repeat(20));
    const ethereum = { chainId: 77n, token, bare: true };
    const load: BenchLoad = { ...KVSTORE, app: 'evm-erc20', senders, count: 5, ethereum };
    const bare = await prepareTxs(load, () => undefined);
    const ledger = { ...load, ethereum: { ...ethereum, bare: false } };
    const wrapped = await prepareTxs(ledger, () => undefined);
    bare.forEach(({ frame, hash, sender }, i) => {
      const raw = (JSON.parse(frame.toString()) as { params: [string] }).params[0];
      const tx = Transaction.from(raw);
      const addresses = senders.map(({ publicKey }) => computeAddress(`0x${toHex(publicKey)}`));
      expect([tx.from, tx.nonce, tx.chainId]).to.deep.equal([addresses[sender], i >> 1, 77n]);
      const called = new Interface(abi).parseTransaction(tx);
      expect([called?.name, called?.args[0]]).to.deep.equal(['transfer', addresses[1 - sender]]);
      expect([hash, tx.to]).to.deep.equal([tx.hash, `0x${'11'.repeat(20)}`]);
      const { params } = JSON.parse(wrapped[i]?.frame.toString() ?? '') as Broadcast;
      expect(params.tx).to.equal(toBase64(wrapEthereumTx(getBytes(raw))));
    });
  });

  it('never leaves more unanswered than a node takes', async () => {
    let sent = 0;
    const said = await run((socket, call) => {
      if (call.method === 'subscribe') accept(socket, call);
      else sent++;
    });
    expect(sent).to.equal(MAX_UNANSWERED);
    expect(said).to.match(/^no event for any of 500 transactions/);
  });

  it('does not count what warms the nodes up', async () => {
    const hashes = (await prepareTxs(KVSTORE, () => undefined)).map(({ hash }) => hash);
    let sent = 0;
    const commit: Answer = (socket, call) => {
      accept(socket, call);
      if (typeof call.id !== 'number') return;
      sent++;
      socket.send(`{"result":{"events":{"tx.hash":["${hashes[call.id]}"]}}}`);
    };
    const said = await run(commit, { ...SPEC, rate: 100, warmup: 0.2 });
    if (typeof said === 'string') throw new Error(said);
    expect(said.sent).to.be.within(15, 21);
    expect(sent - said.sent).to.be.within(5, 11);
    expect(said.hashes).to.deep.equal(hashes.slice(sent - said.sent, sent));
    expect(said.latencies).to.have.length(said.sent);
  });

  it('fails with the reason when a node ends the connection', async () => {
    const said = await run((socket, call) => {
      if (call.method === 'subscribe') accept(socket, call);
      else socket.close(1008, 'more than 1000 requests are unanswered');
    });
    const reason = '1008 more than 1000 requests are unanswered';
    expect(said).to.equal(`the connection to node 0 ended: ${reason}`);
  });

  it('fails with the refusals when nothing was committed', async () => {
    const said = await run((socket, call) => {
      if (call.method === 'subscribe') return accept(socket, call);
      const result = { code: 5, log: 'no money' };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id: call.id, result }));
    });
    expect(said).to.include('no event for any of').and.to.include('no money');
  });

  it('fails when it cannot subscribe, or a node answers no request', async () => {
    expect(await run(() => undefined)).to.include('did not confirm the subscription');
    const said = await run((socket, call) => {
      if (call.method === 'subscribe') return accept(socket, call);
      socket.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"too many"}}');
    });
    expect(said).to.include('answered no request of ours').and.to.include('too many');
  });
});
