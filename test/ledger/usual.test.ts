/**
 * The quick reading of usual transactions against the codecs: it reads the same or nothing; and the
 * memory of decoded transactions: bounded, and never another transaction's.
 *
 * @module
 */

import { expect } from 'chai';
import fc from 'fast-check';
import { u64be, utf8 } from '../../node/src/base/bytes.ts';
import { secp256k1Keys } from '../../node/src/crypto/secp256k1.ts';
import { Addresses } from '../../node/src/ledger/addresses.ts';
import { decode } from '../../node/src/ledger/executor.ts';
import type { DecodedTx } from '../../node/src/ledger/tx/decode.ts';
import { DecodedTxs } from '../../node/src/ledger/tx/decoded.ts';
import { type Envelope, readUsual } from '../../node/src/ledger/tx/usual.ts';
import {
  authInfoCodec,
  type Coin,
  txBodyCodec,
  txRawCodec,
} from '../../node/src/ledger/tx/wire.ts';
import { quickActor, quickTx } from './quick-txs.ts';
import { PREFIX } from './world.ts';

function byCodecs(bytes: Uint8Array): Envelope | undefined {
  try {
    const raw = txRawCodec.decode(bytes);
    const body = txBodyCodec.decode(raw.bodyBytes);
    return { raw, body, authInfo: authInfoCodec.decode(raw.authInfoBytes) };
  } catch {
    return undefined;
  }
}

/** Mostly `usual`, so that whole transactions often are. */
function mostly<T>(usual: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 20, arbitrary: usual }, { weight: 1, arbitrary: other });
}

const any = fc.record({
  typeUrl: mostly(
    fc.constantFrom('/a.B', '/c.D', '/ä'),
    fc.string({ unit: 'binary', maxLength: 70 }),
  ),
  value: mostly(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.constant(new Uint8Array(0))),
});
const coin: fc.Arbitrary<Coin> = fc.record({
  denom: mostly(fc.constantFrom('aphi', 'uatom'), fc.constant('')),
  amount: mostly(fc.constantFrom('1', '1000000', 'x'), fc.constant('')),
});
const envelope = fc.record({
  messages: fc.array(any, { maxLength: 4 }),
  memo: mostly(fc.constant(''), fc.constant('a memo')),
  mode: mostly(fc.constantFrom(1, 127), fc.constantFrom(0, 200)),
  sequence: mostly(fc.nat(300), fc.oneof(fc.nat(), fc.constant(2 ** 40))),
  gas: mostly(fc.nat(2 ** 27), fc.oneof(fc.nat(), fc.constant(2 ** 41))),
  coins: fc.array(coin, { maxLength: 3 }),
  payer: mostly(fc.constant(''), fc.constant('someone')),
  signature: mostly(fc.constant(64), fc.constantFrom(65, 0)),
  publicKey: any,
});
type Parts = typeof envelope extends fc.Arbitrary<infer T> ? T : never;

function encode(parts: Parts): Uint8Array {
  const { messages, memo, mode, sequence, gas, coins, payer, publicKey } = parts;
  const none = { extensionOptions: [], nonCriticalExtensionOptions: [] };
  const bodyBytes = txBodyCodec.encode({ messages, memo, timeoutHeight: 0n, ...none });
  const modeInfo = { single: { mode }, multi: undefined };
  const authInfoBytes = authInfoCodec.encode({
    signerInfos: [{ publicKey, modeInfo, sequence: BigInt(sequence) }],
    fee: { amount: coins, gasLimit: BigInt(gas), payer, granter: '' },
  });
  const signatures = [new Uint8Array(parts.signature).fill(7)];
  return txRawCodec.encode({ bodyBytes, authInfoBytes, signatures });
}

describe('ledger: usual transactions', () => {
  it('are read as the codecs read them, or not at all', () => {
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 });
    let usual = 0;
    fc.assert(
      fc.property(envelope, flips, fc.nat(9), (parts, changes, cut) => {
        const bytes = encode(parts);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const changed = cut === 0 ? bytes.subarray(0, -1) : bytes;
        const read = readUsual(changed);
        if (read === undefined) return;
        usual++;
        expect(read).to.deep.equal(byCodecs(changed));
      }),
      { numRuns: 2_000 },
    );
    expect(usual).to.be.greaterThan(300);
  });

  it('are those that the tools make', () => {
    expect(readUsual(quickTx({ from: quickActor(1), sequence: 300, fee: 7n }))).to.not.equal(
      undefined,
    );
  });
});

describe('ledger: memory of decoded transactions', () => {
  const addresses = new Addresses(PREFIX);
  const actor = quickActor(1);
  const counted = (): { txs: DecodedTxs; count: () => number } => {
    let count = 0;
    const txs = new DecodedTxs((bytes: Uint8Array): DecodedTx => {
      count++;
      return decode(bytes, addresses, secp256k1Keys);
    });
    return { txs, count: () => count };
  };

  it('decodes equal bytes once, until they are forgotten', () => {
    const { txs, count } = counted();
    const bytes = quickTx({ from: actor, sequence: 1 });
    const first = txs.get(bytes);
    expect(txs.get(bytes.slice())).to.equal(first);
    expect([count(), first.kept]).to.deep.equal([1, true]);
    txs.forget(first);
    expect(first.kept).to.equal(false);
    expect(txs.get(bytes)).to.not.equal(first);
  });

  it('never takes one transaction for another with the same end', () => {
    const { txs } = counted();
    const bytes = quickTx({ from: actor, sequence: 1, text: 'a' });
    const other = quickTx({ from: actor, sequence: 1, text: 'b' });
    other.set(bytes.subarray(-64), other.length - 64);
    expect(txs.get(bytes).bytes).to.equal(bytes);
    expect(txs.get(other).bytes).to.equal(other);
    expect(txs.get(bytes).bytes).to.equal(bytes);
  });

  it('keeps what came first while it is full, and forgets what is old', () => {
    const { txs, count } = counted();
    const make = (n: number): Uint8Array => quickTx({ from: actor, sequence: n, text: `${n}` });
    // Other ends, without signing anew.
    const base = make(1);
    const variant = (n: number): Uint8Array => {
      const bytes = base.slice();
      bytes.set(u64be(n), bytes.length - 12);
      return bytes;
    };
    const many = Array.from({ length: 14_000 }, (_, n) => variant(n));
    const kept = many.map((bytes) => txs.get(bytes)).filter((tx) => tx.kept).length;
    expect(kept).to.be.greaterThan(5_000).and.lessThan(14_000);
    const before = count();
    txs.get(many[0] ?? utf8(''));
    expect(count()).to.equal(before);
    for (let block = 0; block < 60; block++) txs.blockDone();
    txs.get(many[0] ?? utf8(''));
    expect(count()).to.equal(before + 1);
  });
});
