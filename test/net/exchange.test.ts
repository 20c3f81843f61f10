/**
 * Messages between hosts over real sockets: every channel, order, coalescing, bulk beside votes.
 *
 * @module
 */
import { expect } from 'chai';
import { u64be } from '../../node/src/base/bytes.ts';
import { CHANNEL, type ChannelId } from '../../node/src/types/messages.ts';
import { rogue, stopRogues } from './rogue.ts';
import { meet, pair, startHost, stopAll, type TestHost } from './support.ts';

const ALL: readonly ChannelId[] = Object.values(CHANNEL);

/** Sends everything, a turn's worth at a time, again and again while the queue is full. */
async function sendAll(
  from: TestHost,
  to: string,
  channel: ChannelId,
  messages: readonly Uint8Array[],
): Promise<void> {
  let next = 0;
  while (next < messages.length) {
    while (next < messages.length && from.host.send(to, channel, messages[next] as Uint8Array)) {
      next++;
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('net: exchange', () => {
  afterEach(async () => {
    await stopRogues();
    await stopAll();
  });

  it('carries messages on every channel, both ways', async () => {
    const [a, b] = await pair();
    for (const channel of ALL) {
      expect(a.host.send(b.host.id, channel, Uint8Array.of(1, channel))).to.equal(true);
      expect(b.host.send(a.host.id, channel, Uint8Array.of(2, channel))).to.equal(true);
    }
    await a.until(() => a.arrivals.length === ALL.length, 'all channels');
    await b.until(() => b.arrivals.length === ALL.length, 'all channels');
    for (const [host, mark] of [
      [a, 2],
      [b, 1],
    ] as const) {
      const seen = host.arrivals.map((arrival) => [arrival.channel, ...arrival.message]);
      expect(seen).to.have.deep.members(ALL.map((channel) => [channel, mark, channel]));
    }
  });

  it('keeps the order within a channel over 10,000 messages on three channels', async () => {
    const [a, b] = await pair();
    const messages = Array.from({ length: 10_000 }, (_, i) => u64be(i));
    const channels = [CHANNEL.vote, CHANNEL.state, CHANNEL.mempool];
    await Promise.all(channels.map((channel) => sendAll(b, a.host.id, channel, messages)));
    await a.until(() => a.arrivals.length === 30_000, 'all messages');
    for (const channel of channels) {
      const got = a.arrivals.filter((arrival) => arrival.channel === channel);
      expect(got.map((arrival) => arrival.message)).to.deep.equal(messages);
    }
    const votes = b.host.status().peers[0]?.channels.find((c) => c.id === CHANNEL.vote);
    expect(votes?.sentMessages).to.equal(10_000);
    expect(votes?.sentBytes).to.equal(80_000);
    expect(votes?.queueMessages).to.equal(0);
  });

  it('lets votes pass while 32 MiB of block parts are on their way', async () => {
    const [a, b] = await pair();
    const part = new Uint8Array(65_536);
    let parts = 0;
    let votes = 0;
    const partsAtVote: number[] = [];
    a.onArrival = ({ channel }) => {
      if (channel === CHANNEL.data) parts++;
      else {
        partsAtVote.push(parts);
        votes++;
      }
    };
    const bulk = sendAll(b, a.host.id, CHANNEL.data, new Array<Uint8Array>(512).fill(part));
    for (let i = 0; i < 20; i++) {
      await a.until(() => parts >= i * 20, 'parts flow');
      expect(b.host.send(a.host.id, CHANNEL.vote, Uint8Array.of(i))).to.equal(true);
      await a.until(() => votes > i, 'vote arrives');
    }
    // The window of the data stream is what may be ahead of a vote: 16 parts of the 512.
    const waited = partsAtVote.map((at, i) => at - i * 20);
    waited.sort((x, y) => x - y);
    expect(waited[10]).to.be.below(64);
    await bulk;
    await a.until(() => parts === 512, 'all parts');
  });

  it('carries a message of several MiB whole', async () => {
    const [a, b] = await pair();
    const block = Uint8Array.from({ length: 5_000_001 }, (_, i) => i * 7);
    expect(b.host.send(a.host.id, CHANNEL.blocksync, block)).to.equal(true);
    await a.until(() => a.arrivals.length === 1, 'block');
    expect(Buffer.compare(a.arrivals[0]?.message ?? new Uint8Array(), block)).to.equal(0);
  });

  it('says false for a peer that is not there, and for a message over the bound', async () => {
    const [a, b] = await pair();
    expect(a.host.send('12D3KooWnobody', CHANNEL.vote, Uint8Array.of(1))).to.equal(false);
    expect(a.host.send(b.host.id, CHANNEL.vote, new Uint8Array(1_048_577))).to.equal(false);
    expect(a.host.send(b.host.id, CHANNEL.vote, new Uint8Array(0))).to.equal(false);
    expect(a.host.send(b.host.id, CHANNEL.vote, new Uint8Array(1_048_576))).to.equal(true);
    await b.until(() => b.arrivals.length === 1, 'largest vote message');
  });

  it('bounds what waits for a peer that does not read, while others go on', async () => {
    const a = await startHost('a');
    const slow = await rogue(a);
    await slow.join();
    await a.until(() => a.peers.has(slow.id), 'rogue joined');
    slow.streams.get('data')?.addEventListener('message', () => {});
    slow.streams.get('data')?.pause();
    const part = new Uint8Array(65_536);
    let sent = 0;
    for (let refused = 0; refused < 50; ) {
      if (a.host.send(slow.id, CHANNEL.data, part)) sent++;
      else {
        refused++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    // The queue's 16 MiB, the stream's window, and what libp2p holds of one piece.
    expect(sent * part.length).to.be.below(20 * 1_048_576);
    const data = a.host.status().peers[0]?.channels.find((c) => c.id === CHANNEL.data);
    expect(data?.queueBytes).to.be.at.most(16 * 1_048_576);
    expect(data?.refused).to.be.at.least(50);
    const b = await startHost('b', { persistentPeers: [a.address()] });
    await meet(a, b);
    expect(a.host.send(b.host.id, CHANNEL.data, part)).to.equal(true);
    await b.until(() => b.arrivals.length === 1, 'part for the other peer');
    expect(a.peers.has(slow.id)).to.equal(true);
  });
});
