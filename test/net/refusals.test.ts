/**
 * What a host refuses: other chains, other keys, garbage, floods; with the reason on both sides.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { expect } from 'chai';
import { utf8 } from '../../node/src/base/bytes.ts';
import { PEX_CHANNEL } from '../../node/src/net/channels.ts';
import { pexCodec } from '../../node/src/net/pex.ts';
import { CHANNEL } from '../../node/src/types/messages.ts';
import { frame, rogue, stopRogues } from './rogue.ts';
import { meet, seedOf, startHost, stopAll, type TestHost } from './support.ts';

function said(host: TestHost, text: string): boolean {
  return host.lines.some((line) => line.includes(text));
}

describe('net: refusals', () => {
  afterEach(async () => {
    await stopRogues();
    await stopAll();
  });

  for (const [what, options, reason] of [
    ['chain id', { chainId: 'other' }, 'chain id is'],
    ['genesis hash', { genesisHash: seedOf('other') }, 'genesis hash is'],
  ] as const) {
    it(`refuses another ${what} and tells why`, async () => {
      const a = await startHost('a');
      const b = await startHost('b', { persistentPeers: [a.address()], ...options });
      await a.until(() => said(a, `peer left: ${reason}`), 'reason here');
      await b.until(() => said(b, `peer left: peer said: ${reason}`), 'reason there');
      expect(a.events).to.deep.equal([]);
      expect(b.events).to.deep.equal([]);
    });
  }

  for (const [what, info, reason] of [
    ['p2p version', { protocolVersion: { p2p: 7, block: 11, app: 1 } }, 'p2p version is 8 here, 7'],
    ['block version', { protocolVersion: { p2p: 8, block: 10, app: 1 } }, 'block version is 11'],
    ['id than its key', { id: '12D3KooWother' }, 'is not that of the key shown'],
    ['set of channels', { channels: Uint8Array.of(0x99) }, 'no channel in common'],
    ['moniker than text', { moniker: '\u0007' }, 'moniker is not ASCII text'],
  ] as const) {
    it(`refuses another ${what} and tells why`, async () => {
      const a = await startHost('a');
      const peer = await rogue(a);
      await peer.join(info);
      await peer.until(() => peer.isClosed);
      expect(peer.bye).to.include(reason);
      expect(said(a, reason)).to.equal(true);
      expect(a.events).to.deep.equal([]);
    });
  }

  it('refuses another key at the address of a persistent peer', async () => {
    const impostor = await startHost('impostor');
    const expected = await startHost('expected');
    const address = impostor.address().replace(/p2p\/.*/, `p2p/${expected.host.id}`);
    const b = await startHost('b', { persistentPeers: [address] });
    await b.until(() => said(b, 'dialing failed'), 'failed dial');
    expect(said(b, 'does not match expected remote identity key')).to.equal(true);
    expect(b.peers.size).to.equal(0);
    expect(impostor.peers.size).to.equal(0);
  });

  it('outlives garbage before the handshake', async () => {
    const a = await startHost('a', { limits: { handshakeMs: 500 } });
    const port = Number(/tcp\/(\d+)/.exec(a.address())?.[1]);
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => {
        const socket = connect(port, '127.0.0.1');
        socket.on('error', () => {});
        socket.write(i % 2 === 0 ? randomBytes(5_000) : utf8('GET / HTTP/1.1\r\n\r\n'));
        return new Promise((resolve) => {
          socket.on('close', resolve);
          socket.resume();
        });
      }),
    );
    const b = await startHost('b', { persistentPeers: [a.address()] });
    await meet(a, b);
  });

  it('drops a connection that says nothing', async () => {
    const a = await startHost('a', { limits: { handshakeMs: 100 } });
    const peer = await rogue(a);
    await peer.until(() => peer.isClosed);
    expect(said(a, 'no agreement within 100 ms')).to.equal(true);
  });

  for (const [what, bytes, reason] of [
    ['garbage', Buffer.alloc(64, 0xfe), 'does not belong to stream'],
    ['an announced gigabyte', Buffer.from([0x40, 0, 0, 0, CHANNEL.vote]), 'more than 1048576'],
    ['an empty message', Buffer.from([0, 0, 0, 0, CHANNEL.vote]), 'empty message'],
    ['a foreign channel', frame(CHANNEL.data, Buffer.of(1)), 'does not belong to stream votes'],
    ['a broken control message', frame(1, Buffer.of(0xff)), 'malformed Control'],
    ['a second ready', frame(1, Buffer.from([0x2a, 0])), 'ready out of turn'],
  ] as const) {
    it(`bans a peer for ${what} after the handshake; others stay`, async () => {
      const a = await startHost('a');
      const b = await startHost('b', { persistentPeers: [a.address()] });
      await meet(a, b);
      const peer = await rogue(a);
      await peer.join();
      await a.until(() => a.peers.has(peer.id), 'rogue joined');
      peer.streams.get('votes')?.send(bytes);
      await peer.until(() => peer.isClosed);
      expect(peer.bye).to.include(reason);
      await a.until(() => !a.peers.has(peer.id), 'rogue left');
      expect(a.host.status().bans.map((ban) => ban.peer)).to.deep.equal([peer.id]);
      expect(a.peers.has(b.host.id)).to.equal(true);
      const again = await rogue(a).catch(() => undefined);
      if (again !== undefined) await again.until(() => again.isClosed);
    });
  }

  it('bans a peer that sends before agreeing', async () => {
    const a = await startHost('a');
    const peer = await rogue(a);
    (await peer.open('votes')).send(frame(CHANNEL.vote, Buffer.of(1)));
    await peer.until(() => peer.isClosed);
    expect(said(a, 'sent messages before agreeing')).to.equal(true);
    expect(a.arrivals).to.deep.equal([]);
  });

  it('bans a peer that floods, while another is served', async () => {
    const a = await startHost('a', { limits: { maxMessagesPerSecond: 1_000 } });
    const b = await startHost('b', { persistentPeers: [a.address()] });
    await meet(a, b);
    const peer = await rogue(a);
    await peer.join();
    await a.until(() => a.peers.has(peer.id), 'rogue joined');
    const lot = Buffer.concat(new Array(5_000).fill(frame(CHANNEL.vote, Buffer.alloc(20, 7))));
    peer.streams.get('votes')?.send(lot);
    await peer.until(() => peer.isClosed);
    expect(peer.bye).to.equal('over 1000 messages per second');
    expect(a.arrivals.length).to.be.within(1_900, 2_100);
    a.arrivals.length = 0;
    expect(b.host.send(a.host.id, CHANNEL.vote, Buffer.of(9))).to.equal(true);
    await a.until(() => a.arrivals.length === 1, 'vote of the other peer');
  });

  it('bans a peer that tells addresses unasked, and one that asks too often', async () => {
    const a = await startHost('a');
    const teller = await rogue(a, 'teller');
    await teller.join();
    const addresses = pexCodec.encode({ kind: 'addresses', value: { addresses: [] } });
    teller.streams.get('bulk')?.send(frame(PEX_CHANNEL, addresses));
    await teller.until(() => teller.isClosed);
    expect(teller.bye).to.equal('told addresses unasked');
    const asker = await rogue(a, 'asker');
    await asker.join();
    const request = frame(PEX_CHANNEL, pexCodec.encode({ kind: 'request', value: {} }));
    asker.streams.get('bulk')?.send(Buffer.concat([request, request, request]));
    await asker.until(() => asker.isClosed);
    expect(asker.bye).to.include('asked for addresses again');
    const [ban] = a.host.status().bans;
    expect((ban?.untilMs ?? 0) - performance.now()).to.be.above(86_000_000);
  });
});
