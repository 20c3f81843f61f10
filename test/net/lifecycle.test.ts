/**
 * Peers come and go: reconnecting, meeting through a seed, limits, duplicates, bans, stopping.
 *
 * @module
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { CHANNEL } from '../../node/src/types/messages.ts';
import { rogue, stopRogues } from './rogue.ts';
import { meet, startHost, stopAll, type TestHost } from './support.ts';

const FAST = { backoffBaseMs: 20, backoffMaxMs: 100, perIpPerSecond: 1_000, perIpBurst: 1_000 };

describe('net: lifecycle', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'metatron-net-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));
  afterEach(async () => {
    await stopRogues();
    await stopAll();
  });

  it('reconnects to a persistent peer that went and came back', async () => {
    const a = await startHost('a', { limits: FAST });
    const b = await startHost('b', { persistentPeers: [a.address()], limits: FAST });
    await meet(a, b);
    const listen = a.address().replace(/\/p2p.*/, '');
    await a.host.stop();
    await b.until(() => b.peers.size === 0, 'peer left');
    await b.until(() => b.lines.some((line) => line.startsWith('dialing failed')), 'failed dial');
    const again = await startHost('a', { listen, limits: FAST });
    await meet(again, b);
    expect(b.events).to.deep.equal([
      `joined ${a.host.id}`,
      `left ${a.host.id}`,
      `joined ${a.host.id}`,
    ]);
    expect(again.host.send(b.host.id, CHANNEL.vote, Uint8Array.of(1))).to.equal(true);
    await b.until(() => b.arrivals.length === 1, 'vote after reconnecting');
  });

  it('keeps one session when both sides dial at once', async () => {
    const a = await startHost('a', { limits: FAST });
    const b = await startHost('b', { limits: FAST });
    for (let round = 0; round < 5; round++) {
      a.host.addAddress(b.address());
      b.host.addAddress(a.address());
      await meet(a, b);
      expect(a.host.send(b.host.id, CHANNEL.vote, Uint8Array.of(round))).to.equal(true);
      await b.until(() => b.arrivals.length === round + 1, 'vote over the session that stayed');
      const [atA, atB] = [a.host.status().peers, b.host.status().peers];
      expect([atA.length, atB.length]).to.deep.equal([1, 1]);
      expect(new Set([atA[0]?.direction, atB[0]?.direction]).size).to.equal(2);
      a.host.drop(b.host.id, 'next round', 0);
      await a.until(() => a.peers.size === 0, 'left');
      await b.until(() => b.peers.size === 0, 'left');
    }
  });

  it('learns all peers from one seed', async () => {
    const seed = await startHost('seed', { limits: FAST });
    const nodes: TestHost[] = [];
    for (let i = 0; i < 5; i++) {
      nodes.push(await startHost(`node ${i}`, { seeds: [seed.address()], limits: FAST }));
    }
    const everyone = [seed, ...nodes];
    await Promise.all(
      everyone.map((node) => node.until(() => node.peers.size === everyone.length - 1, 'all')),
    );
  });

  it('learns all peers from a seed that closes after its answer', async () => {
    const seed = await startHost('seed', { seedMode: true, limits: FAST });
    const nodes: TestHost[] = [];
    for (let i = 0; i < 4; i++) {
      nodes.push(await startHost(`node ${i}`, { seeds: [seed.address()], limits: FAST }));
    }
    const others = (node: TestHost): number =>
      nodes.filter((other) => node.peers.has(other.host.id)).length;
    await Promise.all(nodes.map((node) => node.until(() => others(node) === 3, 'all others')));
    await seed.until(() => seed.peers.size === 0, 'all sent away');
  });

  it('dials nobody outside its scope on hearsay', async () => {
    const seed = await startHost('seed', { limits: FAST });
    const a = await startHost('a', { seeds: [seed.address()], limits: FAST });
    await meet(seed, a);
    const b = await startHost('b', {
      seeds: [seed.address()],
      addressScope: 'public',
      limits: FAST,
    });
    await meet(seed, b);
    await a.until(() => a.peers.has(b.host.id) || a.host.status().knownAddresses > 0, 'learnt');
    expect(b.host.status().knownAddresses).to.equal(1);
    expect(b.lines.filter((line) => line.startsWith('dialing failed'))).to.deep.equal([]);
  });

  it('keeps to its limit of inbound peers, persistent ones aside', async () => {
    const keep = await startHost('keep', { limits: FAST });
    const a = await startHost('a', {
      persistentPeers: [keep.address()],
      limits: { ...FAST, maxInbound: 1 },
    });
    await meet(a, keep);
    const b = await startHost('b', { persistentPeers: [a.address()], limits: FAST });
    await meet(a, b);
    const c = await startHost('c', { persistentPeers: [a.address()], limits: FAST });
    await c.until(() => c.lines.some((line) => line.includes('full: 1 inbound peers')), 'refused');
    expect(a.peers).to.deep.equal(new Set([keep.host.id, b.host.id]));
    await b.host.stop();
    await meet(a, c);
  });

  it('dials as many peers as it may and no more', async () => {
    const targets = await Promise.all([0, 1, 2, 3].map((i) => startHost(`target ${i}`)));
    const a = await startHost('a', { limits: { ...FAST, maxOutbound: 2 } });
    for (const target of targets) a.host.addAddress(target.address());
    await a.until(() => a.peers.size === 2, 'two peers');
    const [first] = a.peers;
    const gone = targets.find((target) => target.host.id === first);
    await gone?.host.stop();
    await a.until(() => a.peers.size === 2 && !a.peers.has(first ?? ''), 'another instead');
  });

  it('limits connections per remote IP', async () => {
    const a = await startHost('a', { limits: { perIpPerSecond: 0, perIpBurst: 2 } });
    await rogue(a, 'one');
    await rogue(a, 'two');
    const third = await rogue(a, 'three').then(
      () => 'accepted',
      () => 'refused',
    );
    expect(third).to.equal('refused');
  });

  it('does not dial itself', async () => {
    const a = await startHost('a', { limits: FAST });
    a.host.addAddress(a.address());
    expect(a.host.status().knownAddresses).to.equal(0);
    const port = Number(/tcp\/(\d+)/.exec(a.address())?.[1]);
    await a.host.stop();
    const self = `/ip4/127.0.0.1/tcp/${port}/p2p/${a.host.id}`;
    const again = await startHost('a', { persistentPeers: [self], seeds: [self], limits: FAST });
    expect(again.lines.filter((line) => !line.startsWith('network listens'))).to.deep.equal([]);
  });

  it('refuses a dropped peer until its ban ends, and tells it the reason', async () => {
    const a = await startHost('a', { limits: FAST });
    const b = await startHost('b', { persistentPeers: [a.address()], limits: FAST });
    await meet(a, b);
    a.host.drop(b.host.id, 'lied about its height', 300);
    const before = performance.now();
    expect(a.host.send(b.host.id, CHANNEL.vote, Uint8Array.of(1))).to.equal(false);
    expect(a.peers.size, 'told later, not from within drop').to.equal(1);
    await b.until(() => b.lines.some((line) => line.includes('lied about its height')), 'reason');
    await a.until(() => a.peers.size === 0, 'left');
    await meet(a, b);
    expect(performance.now() - before).to.be.above(295);
  });

  it('gives up a peer that is silent', async () => {
    const a = await startHost('a', { limits: { ...FAST, pingMs: 30, pongMs: 150 } });
    const b = await startHost('b', { persistentPeers: [a.address()], limits: FAST });
    await meet(a, b);
    const peer = await rogue(a);
    await peer.join();
    await a.until(() => a.peers.has(peer.id), 'rogue joined');
    await a.until(() => !a.peers.has(peer.id), 'rogue given up');
    expect(a.lines.some((line) => line.includes('peer left: silent for'))).to.equal(true);
    expect(a.peers.has(b.host.id), 'one that answers pings stays').to.equal(true);
    expect(a.host.status().peers[0]?.rttMs).to.be.a('number');
  });

  it('stops within two seconds with peers, one of which does not read', async () => {
    const a = await startHost('a', { limits: FAST });
    const b = await startHost('b', { persistentPeers: [a.address()], limits: FAST });
    await meet(a, b);
    const slow = await rogue(a);
    await slow.join();
    await a.until(() => a.peers.size === 2, 'both joined');
    slow.streams.get('data')?.pause();
    while (a.host.send(slow.id, CHANNEL.data, new Uint8Array(65_536)));
    const before = performance.now();
    await a.host.stop();
    expect(performance.now() - before).to.be.below(2_000);
    await b.until(() => b.peers.size === 0, 'left');
    expect(b.lines.some((line) => line.includes('peer said: node is stopping'))).to.equal(true);
    await a.until(() => a.peers.size === 0, 'told of all that left');
  });

  it('remembers addresses over a restart, and starts with a damaged book', async () => {
    const path = join(directory, 'book.json');
    const a = await startHost('a', { limits: FAST });
    const b = await startHost('b', { addressBook: path, limits: FAST });
    b.host.addAddress(a.address());
    await meet(a, b);
    await b.host.stop();
    expect(await readFile(path, 'utf8')).to.include(a.address());
    const again = await startHost('b', { addressBook: path, limits: FAST });
    await meet(a, again);
    await again.host.stop();
    await writeFile(path, '{"addresses": [{"address": 1}, {}, "x"');
    const third = await startHost('b', { addressBook: path, limits: FAST });
    expect(third.lines.some((line) => line.startsWith('address book is unreadable'))).to.equal(
      true,
    );
    expect(third.host.status().knownAddresses).to.equal(0);
  });
});
