/**
 * The decisions about peers, without any socket.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { type PeerAddress, parsePeerAddress } from '../../node/src/net/address.ts';
import { AddressBook } from '../../node/src/net/address-book.ts';
import { backoffMs, dialsFirst, type PeerRules, Peers } from '../../node/src/net/peers.ts';

/** A well-formed id, ordered as `n`. */
function idOf(n: number): string {
  const tail = String(n).padStart(6, '0').replaceAll('0', 'A');
  return `12D3KooW${'z'.repeat(38)}${tail}`;
}

function addressOf(n: number): PeerAddress {
  return parsePeerAddress(`/ip4/127.0.0.1/tcp/${1_000 + n}/p2p/${idOf(n)}`);
}

const RULES: PeerRules = {
  selfId: idOf(5),
  persistent: [],
  seeds: [],
  maxInbound: 3,
  maxOutbound: 2,
  perIpPerSecond: 2,
  perIpBurst: 3,
  perIpPending: 1_000,
  backoffBaseMs: 100,
  backoffMaxMs: 5_000,
};

function peersWith(rules: Partial<PeerRules>, book: AddressBook = new AddressBook()): Peers {
  return new Peers({ ...RULES, ...rules }, book, () => 0.5);
}

/** Peers beside a plain account of what was decided. */
class Model {
  readonly #peers: Peers;
  readonly #sessions: Map<string, 'inbound' | 'outbound'> = new Map();
  readonly #dialing: Set<string> = new Set();
  now = 0;

  constructor() {
    const book = new AddressBook();
    for (let i = 10; i < 20; i++) book.hear(addressOf(i), 'me');
    this.#peers = peersWith({ persistent: [addressOf(25)] }, book);
  }

  inbound(id: string): void {
    if (this.#peers.admit(id, 'inbound', this.now).kind === 'refuse') return;
    this.#peers.opened(id, 'inbound', this.now);
    this.#sessions.set(id, 'inbound');
    this.#dialing.delete(id);
  }

  dial(): void {
    for (const { id } of this.#peers.takeDials(this.now)) {
      expect(this.#sessions.has(id) || this.#dialing.has(id)).to.equal(false);
      expect(this.#peers.banned(id, this.now)).to.equal(undefined);
      this.#dialing.add(id);
    }
  }

  close(id: string): void {
    if (this.#sessions.delete(id)) this.#peers.closed(id, this.now);
  }

  fail(id: string): void {
    if (this.#dialing.delete(id)) this.#peers.dialFailed(id, this.now);
  }

  ban(id: string): void {
    this.#peers.ban(id, 'why', this.now, 1_000);
  }

  check(): void {
    const counted = [...this.#sessions.keys()].filter((id) => id !== idOf(25)).length;
    expect(counted).to.be.at.most(RULES.maxInbound);
    expect(this.#peers.count('inbound')).to.equal(counted);
    const dialing = [...this.#dialing].filter((id) => id !== idOf(25)).length;
    expect(dialing).to.be.at.most(RULES.maxOutbound);
  }
}

describe('net: backoff', () => {
  it('doubles up to the maximum, within a fifth either way', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, random) => {
          const middle = Math.min(100 * 2 ** (failures - 1), 5_000);
          const delay = backoffMs(failures, 100, 5_000, random);
          expect(delay).to.be.within(Math.floor(middle * 0.8), Math.ceil(middle * 1.2));
        },
      ),
    );
  });
});

describe('net: peers', () => {
  it('keeps one session of two made at once, whatever the order of events', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 0, max: 9_999 }),
        (aFirst, fast, gap) => {
          const ids = [idOf(1), idOf(2)] as const;
          const [a, b] = ids.map((selfId, i) => {
            const other = addressOf(i === 0 ? 2 : 1);
            return peersWith({ selfId, persistent: [other] });
          }) as [Peers, Peers];
          expect(a.takeDials(0)).to.have.length(1);
          expect(b.takeDials(0)).to.have.length(1);
          // Connection x: a dials b. Connection y: b dials a. Hello travels to the accepting side,
          // which answers only if it admits; then the dialer decides.
          const open = { x: false, y: false };
          const accept = (
            side: Peers,
            peer: string,
            direction: 'inbound' | 'outbound',
            own: 'x' | 'y',
            now: number,
          ): boolean => {
            const verdict = side.admit(peer, direction, now);
            if (verdict.kind === 'refuse') return false;
            if (verdict.kind === 'replace') open[own === 'x' ? 'y' : 'x'] = false;
            side.opened(peer, direction, now);
            return true;
          };
          const run = (name: 'x' | 'y', now: number): void => {
            const [dialer, acceptor] = name === 'x' ? [a, b] : [b, a];
            const [dialerId, acceptorId] = name === 'x' ? ids : [ids[1], ids[0]];
            open[name] = accept(acceptor, dialerId, 'inbound', name, now);
            if (!open[name]) dialer.dialFailed(acceptorId, now);
            else open[name] = accept(dialer, acceptorId, 'outbound', name, now);
          };
          const order: ('x' | 'y')[] = aFirst ? ['x', 'y'] : ['y', 'x'];
          order.forEach((name, i) => {
            run(name, fast ? 0 : i * gap);
          });
          expect(open.x !== open.y, 'exactly one stays').to.equal(true);
          expect(open.x, 'the one dialed by the lower id').to.equal(true);
        },
      ),
    );
  });

  it('lets a peer that lost its session replace it', () => {
    const peers = peersWith({});
    peers.opened(idOf(9), 'inbound', 0);
    expect(peers.admit(idOf(9), 'inbound', 1)).to.deep.equal({ kind: 'replace' });
    const dialer = peersWith({});
    expect(dialsFirst(RULES.selfId, idOf(9))).to.equal(true);
    dialer.opened(idOf(9), 'outbound', 0);
    expect(dialer.admit(idOf(9), 'inbound', 9_999).kind).to.equal('refuse');
    expect(dialer.admit(idOf(9), 'inbound', 10_000).kind).to.equal('replace');
  });

  it('never exceeds its limits under any sequence of events', () => {
    const event = fc.record({
      kind: fc.constantFrom('inbound', 'dial', 'close', 'fail', 'ban'),
      peer: fc.integer({ min: 10, max: 25 }),
      wait: fc.integer({ min: 0, max: 3_000 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const model = new Model();
        for (const { kind, peer, wait } of events) {
          model.now += wait;
          model[kind](idOf(peer));
          model.check();
        }
      }),
    );
  });

  it('dials a persistent peer again and again, at the time it says', () => {
    const peers = peersWith({ persistent: [addressOf(1)] });
    let now = 0;
    for (let i = 1; i <= 12; i++) {
      expect(peers.takeDials(now)).to.have.length(1);
      expect(peers.takeDials(now + 1e9), 'not twice').to.have.length(0);
      peers.dialFailed(idOf(1), now);
      const next = peers.nextDialMs(now);
      expect(next - now).to.equal(Math.min(100 * 2 ** (i - 1), 5_000));
      expect(peers.takeDials(next - 1)).to.have.length(0);
      now = next;
    }
  });

  it('waits longer after each short session, and forgives after a long one', () => {
    const peers = peersWith({ persistent: [addressOf(1)] });
    const session = (from: number, lasts: number): number => {
      peers.takeDials(from);
      peers.opened(idOf(1), 'outbound', from);
      peers.closed(idOf(1), from + lasts);
      return peers.nextDialMs(from + lasts) - (from + lasts);
    };
    expect(session(0, 10)).to.equal(100);
    expect(session(1_000, 10)).to.equal(200);
    expect(session(2_000, 10)).to.equal(400);
    expect(session(20_000, 10_000)).to.equal(100);
  });

  it('dials seeds only while there is nobody else', () => {
    const book = new AddressBook();
    const peers = peersWith({ seeds: [addressOf(1)] }, book);
    expect(peers.takeDials(0).map((a) => a.id)).to.deep.equal([idOf(1)]);
    peers.opened(idOf(1), 'outbound', 0);
    book.hear(addressOf(2), idOf(1));
    expect(peers.takeDials(0).map((a) => a.id)).to.deep.equal([idOf(2)]);
    peers.opened(idOf(2), 'outbound', 0);
    peers.closed(idOf(1), 1);
    expect(peers.takeDials(1e6)).to.deep.equal([]);
    peers.closed(idOf(2), 2);
    expect(peers.takeDials(1e6).map((a) => a.id)).to.deep.equal([idOf(2), idOf(1)]);
  });

  it('admits sockets of an IP at its rate, and does not grow without end', () => {
    const peers = peersWith({});
    const admit = (ip: string, port: number, now: number): boolean =>
      peers.admitSocket({ ip, port: String(port) }, now);
    const admitted = [0, 0, 0, 0, 400, 500, 600].map((now, i) => admit('192.0.2.1', i, now));
    expect(admitted).to.deep.equal([true, true, true, false, false, true, false]);
    for (let i = 0; i < 10_000; i++) admit(`a${i}`, 1, 1_000);
    expect(admit('another', 1, 1_000)).to.equal(false);
    expect(admit('another', 1, 3_000)).to.equal(true);
  });

  it('admits only so many sockets of an IP that have not joined', () => {
    const peers = peersWith({ perIpPerSecond: 1_000, perIpBurst: 1_000, perIpPending: 2 });
    const socket = (port: string, ip = '192.0.2.1'): { ip: string; port: string } => ({ ip, port });
    expect(peers.admitSocket(socket('1'), 0)).to.equal(true);
    expect(peers.admitSocket(socket('2'), 0)).to.equal(true);
    expect(peers.admitSocket(socket('3'), 0)).to.equal(false);
    expect(peers.admitSocket(socket('3', '192.0.2.2'), 0)).to.equal(true);
    peers.settled(socket('3'));
    expect(peers.admitSocket(socket('3'), 0), 'a refused one is not counted').to.equal(false);
    peers.settled(socket('1'));
    peers.settled(socket('1'));
    expect(peers.admitSocket(socket('3'), 0)).to.equal(true);
    expect(peers.admitSocket(socket('4'), 0)).to.equal(false);
  });

  it('accepts a peer that it is dialing: its own dial may come to nothing', () => {
    for (const other of [idOf(1), idOf(9)]) {
      const peers = peersWith({
        persistent: [parsePeerAddress(`/ip4/127.0.0.1/tcp/9/p2p/${other}`)],
      });
      expect(peers.takeDials(0)).to.have.length(1);
      expect(peers.admit(other, 'inbound', 0)).to.deep.equal({ kind: 'accept' });
      peers.opened(other, 'inbound', 0);
      peers.dialFailed(other, 0);
      peers.closed(other, 20_000);
      expect(peers.nextDialMs(20_000), 'the dial is not held against it').to.equal(20_100);
    }
  });
});
