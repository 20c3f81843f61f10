/**
 * Messages between hosts over real sockets: every channel, order, coalescing, bulk beside votes.
 *
 * @module
 */
import { expect } from 'chai';
import { CHANNEL, type ChannelId } from '../../node/src/types/messages.ts';
import { pair, stopAll } from './support.ts';

const ALL: readonly ChannelId[] = Object.values(CHANNEL);

describe('net: exchange', () => {
  afterEach(stopAll);

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
});
