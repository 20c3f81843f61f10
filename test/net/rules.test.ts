/**
 * Rates, addresses, the address book, and the rules of peer exchange, without any socket.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import {
  formatAddress,
  inScope,
  ipAddress,
  type PeerAddress,
  parseListenAddress,
  parsePeerAddress,
} from '../../node/src/net/address.ts';
import { AddressBook, MAX_ENTRIES } from '../../node/src/net/address-book.ts';
import { answerSize, believable, PexRules } from '../../node/src/net/pex.ts';
import { TokenBucket } from '../../node/src/net/rate.ts';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** A well-formed id, ordered as `n`. */
function idOf(n: number): string {
  const tail = String(n).padStart(6, '0').replaceAll('0', 'A');
  return `12D3KooW${'z'.repeat(38)}${tail}`;
}

function addressOf(n: number): PeerAddress {
  return parsePeerAddress(`/ip4/127.0.0.1/tcp/${1_000 + n}/p2p/${idOf(n)}`);
}

/** From the first taking on, no stretch holds more than burst 200 and rate 100 per second. */
function withinRate(taken: readonly (readonly [at: number, amount: number])[]): void {
  const start = taken[0]?.[0] ?? 0;
  let sum = 0;
  for (const [at, amount] of taken) {
    sum += amount;
    expect(sum).to.be.at.most(200 + (at - start) / 10 + 1e-6);
  }
}

describe('net: rates', () => {
  it('allows no more than burst and rate over any stretch', () => {
    const step = fc.record({ wait: fc.nat(500), amount: fc.integer({ min: 1, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const bucket = new TokenBucket(100, 200, 0);
        const taken: [number, number][] = [];
        let now = 0;
        for (const { wait, amount } of steps) {
          now += wait;
          if (bucket.take(amount, now)) taken.push([now, amount]);
        }
        for (let from = 0; from < taken.length; from++) withinRate(taken.slice(from));
      }),
    );
  });
});

describe('net: addresses', () => {
  const id = fc
    .array(fc.constantFrom(...ALPHABET), { minLength: 44, maxLength: 44 })
    .map((chars) => `12D3KooW${chars.join('')}`);
  const host = fc.oneof(fc.ipV4(), fc.ipV6());
  const port = fc.integer({ min: 1, max: 65_535 });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(id, host, port, (peer, ip, number) => {
        const address = ipAddress(peer, ip, number);
        if (address === undefined) throw new TypeError('not an address');
        expect(parsePeerAddress(formatAddress(address))).to.deep.equal(address);
      }),
    );
  });

  it('refuses any other text with a declared error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(() => parsePeerAddress(text)).to.throw(/^peer address/);
        expect(() => parseListenAddress(text)).to.throw(/^peer address/);
      }),
    );
    for (const text of [
      `/ip4/127.0.0.1/tcp/0/p2p/${idOf(1)}`,
      `/ip4/127.0.0.1/tcp/65536/p2p/${idOf(1)}`,
      `/ip4/127.0.0.256/tcp/1/p2p/${idOf(1)}`,
      `/ip6/127.0.0.1/tcp/1/p2p/${idOf(1)}`,
      '/ip4/127.0.0.1/tcp/1/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
      '/ip4/127.0.0.1/tcp/1',
    ]) {
      expect(() => parsePeerAddress(text), text).to.throw(/^peer address/);
    }
  });

  it('knows which addresses told by others may be dialed', () => {
    const scopes = (ip: string): boolean[] => {
      const address = ipAddress(idOf(1), ip, 26_656);
      if (address === undefined) return [];
      return (['public', 'loopback', 'any'] as const).map((scope) => inScope(address, scope));
    };
    expect(scopes('8.8.8.8')).to.deep.equal([true, false, true]);
    expect(scopes('2a00:1450::1')).to.deep.equal([true, false, true]);
    for (const local of [
      '10.1.2.3',
      '192.168.0.9',
      '172.31.0.1',
      '169.254.1.1',
      'fe80::1',
      'fd00::1',
      '::ffff:10.0.0.1',
    ]) {
      expect(scopes(local), local).to.deep.equal([false, false, true]);
    }
    expect(scopes('127.0.0.1')).to.deep.equal([false, true, true]);
    expect(scopes('::1')).to.deep.equal([false, true, true]);
    expect(scopes('0.0.0.0')).to.deep.equal([false, false, false]);
    expect(scopes('::')).to.deep.equal([false, false, false]);
  });
});

describe('net: address book', () => {
  it('is bounded, prefers what worked, and survives its JSON form', () => {
    const book = new AddressBook();
    for (let i = 0; i < 20; i++) book.worked(addressOf(i), 1_000 + i);
    for (let i = 20; i < 5_000; i++) book.hear(addressOf(i), `teller ${i % 10}`);
    expect(book.size).to.equal(MAX_ENTRIES);
    for (let i = 0; i < 20; i++) expect(book.get(idOf(i))?.workedAtMs).to.equal(1_000 + i);
    const copy = new AddressBook();
    expect(copy.load(book.toJson())).to.equal(MAX_ENTRIES);
    expect(copy.entries()).to.deep.equal(book.entries());
  });

  it('takes at most 250 addresses from one teller', () => {
    const book = new AddressBook();
    for (let i = 0; i < 900; i++) book.hear(addressOf(i), 'teller');
    expect(book.size).to.equal(250);
  });

  it('lets a peer correct its own address, and nobody else', () => {
    const book = new AddressBook();
    const moved = { ...addressOf(1), port: 9 };
    book.worked(addressOf(1), 5);
    expect(book.hear(moved, 'teller')).to.equal(false);
    expect(book.hear(moved, idOf(1))).to.equal(true);
    expect(book.get(idOf(1))?.address.port).to.equal(9);
  });

  it('forgets what never worked after ten failures', () => {
    const book = new AddressBook();
    book.hear(addressOf(1), 'teller');
    book.worked(addressOf(2), 1);
    for (let i = 0; i < 10; i++) for (const n of [1, 2]) book.failed(idOf(n));
    expect(book.entries().map((entry) => entry.address.id)).to.deep.equal([idOf(2)]);
  });
});

describe('net: peer exchange rules', () => {
  it('allows two requests at once, then one per interval', () => {
    const rules = new PexRules(10_000);
    expect(rules.requested(0)).to.equal(undefined);
    expect(rules.requested(1)).to.equal(undefined);
    expect(rules.requested(10_001)).to.equal(undefined);
    expect(rules.requested(20_000)?.message).to.include('asked for addresses again');
  });

  it('takes one answer per question', () => {
    const rules = new PexRules(10_000);
    expect(rules.answered()?.message).to.equal('told addresses unasked');
    expect(rules.ask()).to.equal(true);
    expect(rules.ask()).to.equal(false);
    expect(rules.answered()).to.equal(undefined);
    expect(rules.answered()?.message).to.equal('told addresses unasked');
  });

  it('answers with a part of the book, 250 at most', () => {
    expect([0, 10, 32, 100, 200, 1_000, 2_000].map(answerSize)).to.deep.equal([
      0, 10, 32, 32, 46, 230, 250,
    ]);
  });

  it('believes only addresses that may be dialed', () => {
    const told = [
      { id: idOf(1), ip: '127.0.0.1', port: 1 },
      { id: idOf(2), ip: '10.0.0.1', port: 1 },
      { id: 'nonsense', ip: '127.0.0.1', port: 1 },
      { id: idOf(3), ip: 'localhost', port: 1 },
      { id: idOf(4), ip: '127.0.0.1', port: 0 },
    ];
    expect(believable(told, 'loopback').map((a) => a.id)).to.deep.equal([idOf(1)]);
    expect(believable(told, 'public')).to.deep.equal([]);
  });
});
