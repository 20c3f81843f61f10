/**
 * Gossip of transactions: when one that came from a peer is passed on to the others.
 *
 * @module
 */
import { expect } from 'chai';
import { checkAnswer } from '../../node/src/abci/answers.ts';
import { utf8 } from '../../node/src/base/bytes.ts';
import type { Clock, Net } from '../../node/src/engine/ports.ts';
import { TxGossip } from '../../node/src/engine/tx-gossip.ts';
import { DEFAULT_MEMPOOL } from '../../node/src/mempool/config.ts';
import { Mempool } from '../../node/src/mempool/mempool.ts';
import { mempoolMessageCodec } from '../../node/src/types/messages.ts';

const PASSED = checkAnswer({ gasWanted: 1 });
const codec = mempoolMessageCodec(DEFAULT_MEMPOOL.maxTxBytes);

/** A node with the peers `from` and `other`, and what it sent to them. */
function setUp() {
  let now = 0;
  const sent: string[] = [];
  const net: Net = {
    send: (peer, _channel, bytes) => {
      const { txs } = codec.decode(bytes).value;
      sent.push(...txs.map((tx) => `${Buffer.from(tx)} to ${peer}`));
      return true;
    },
    drop: () => undefined,
  };
  const clock: Clock = {
    now: () => 0n,
    monotonicMs: () => now,
    after: () => ({ cancel: () => undefined }),
  };
  const mempool = new Mempool(DEFAULT_MEMPOOL, () => PASSED);
  const fail = (thrown: unknown): never => {
    throw thrown;
  };
  const accepted = (): void => undefined;
  const drop = (_peer: string, refusal: unknown): never => fail(refusal);
  const expected: string[] = [];
  const parts = { net, clock, mempool, accepted, drop, fatal: fail };
  const gossip = new TxGossip({
    ...parts,
    expect: (txs) => expected.push(txs.map((tx) => `${Buffer.from(tx)}`).join(' ')),
  });
  for (const peer of ['from', 'other']) gossip.peerJoined(peer);
  const until = (ms: number): void => {
    for (; now < ms; now += 50) gossip.tick();
  };
  const receive = async (...names: string[]): Promise<void> => {
    gossip.received('from', codec.encode({ kind: 'txs', value: { txs: names.map(utf8) } }));
    await Promise.resolve();
    expect(mempool.size).to.equal(names.length);
  };
  return { mempool, gossip, sent, expected, until, receive };
}

describe('engine: gossip of transactions', () => {
  it("sends a client's transaction at once, once to each peer", async () => {
    const { gossip, sent, until } = setUp();
    await gossip.submit(utf8('own'));
    await Promise.resolve();
    until(3_000);
    expect(sent).to.deep.equal(['own to from', 'own to other']);
  });

  it('passes on what no block takes, but not to where it came from', async () => {
    const { sent, until, receive } = setUp();
    await receive('lost');
    until(400);
    expect(sent).to.deep.equal([]);
    until(600);
    expect(sent).to.deep.equal(['lost to other']);
  });

  it('tells the application what is checked next, less what is known', async () => {
    const { mempool, expected, receive } = setUp();
    await receive('a');
    await receive('a', 'b', 'c');
    expect(expected).to.deep.equal(['b c']);
    expect(mempool.list(3).map(({ peers }) => peers)).to.deep.equal([['from'], ['from'], ['from']]);
  });

  it('waits for slow blocks as long as they take some and leave some', async () => {
    const { mempool, sent, until, receive } = setUp();
    await mempool.submit(utf8('first'), '');
    await mempool.update(1, [utf8('first')], () => true);
    until(100);
    await receive('a', 'b', 'c', 'd');
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      until(300 + 700 * i);
      await mempool.update(2 + i, [utf8(name)], () => true);
    }
    until(2_600);
    expect(sent).to.deep.equal([]);
    until(3_500);
    expect(sent).to.deep.equal(['d to other']);
  });
});
