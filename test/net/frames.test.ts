/**
 * Send queue and frame reader against each other: any messages, any cuts of the bytes.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import { channelsOf, type StreamName } from '../../node/src/net/channels.ts';
import { errors, FrameReader } from '../../node/src/net/frames.ts';
import { SendQueue } from '../../node/src/net/send-queue.ts';

const BULK = channelsOf('bulk', {});
const IDS = BULK.map((spec) => spec.id);

function reader(stream: StreamName, into: [number, Uint8Array][]): FrameReader {
  return new FrameReader(stream, channelsOf(stream, {}), (channel, message) => {
    into.push([channel, message]);
    return true;
  });
}

describe('net: frames', () => {
  const messages = fc.array(
    fc.tuple(fc.constantFrom(...IDS), fc.uint8Array({ minLength: 1, maxLength: 300 })),
    { maxLength: 60 },
  );

  it('hands on every message, in order per channel, however the bytes are cut', () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 5, max: 400 }), fc.nat(100), (all, piece, cut) => {
        const queue = new SendQueue(BULK);
        const accepted = all.filter(([channel, message]) => queue.offer(channel, message));
        const wire: number[] = [];
        for (let chunk = queue.next(piece); chunk !== undefined; chunk = queue.next(piece)) {
          expect(chunk.length).to.be.within(1, piece);
          wire.push(...chunk);
        }
        expect(queue.pending).to.equal(0);
        const got: [number, Uint8Array][] = [];
        const read = reader('bulk', got);
        for (let at = 0; at < wire.length; at += cut + 1) {
          read.push(Uint8Array.from(wire.slice(at, at + cut + 1)));
        }
        expect(got.length).to.equal(accepted.length);
        for (const id of IDS) {
          const of = (list: readonly [number, Uint8Array][]): Uint8Array[] =>
            list.filter(([channel]) => channel === id).map(([, message]) => message);
          expect(of(got)).to.deep.equal(of(accepted));
        }
      }),
    );
  });

  it('gives each message an array of its own', () => {
    const queue = new SendQueue(BULK);
    for (let i = 1; i < 4; i++) queue.offer(0x30, Uint8Array.of(i));
    const chunk = queue.next(1_000) ?? new Uint8Array();
    const got: [number, Uint8Array][] = [];
    reader('bulk', got).push(chunk);
    chunk.fill(0xff);
    expect(got.map(([, message]) => [...message])).to.deep.equal([[1], [2], [3]]);
    for (const [, message] of got) expect(message.buffer.byteLength).to.equal(1);
  });

  it('refuses any garbage with a declared error, and holds no more than it was given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), (bytes) => {
        const got: [number, Uint8Array][] = [];
        try {
          reader('votes', got).push(bytes);
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(LedgerError);
        }
        const size = got.reduce((sum, [, message]) => sum + message.length + 5, 0);
        expect(size).to.be.at.most(bytes.length);
      }),
    );
  });

  it('checks the length before it sets memory aside', () => {
    const header = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x22);
    try {
      reader('votes', []).push(header);
      expect.fail('accepted');
    } catch (thrown) {
      expect(LedgerError.is(thrown, errors.FrameTooLong)).to.equal(true);
      if (LedgerError.is(thrown, errors.FrameTooLong)) {
        expect(thrown.params).to.deep.equal({
          channel: 0x22,
          length: 4_294_967_295,
          max: 1_048_576,
        });
      }
    }
  });
});

describe('net: send queue', () => {
  it('refuses what is over its bounds, but an empty queue takes one large message', () => {
    const small = BULK.map((spec) => ({ ...spec, queueMessages: 3, queueBytes: 100 }));
    const queue = new SendQueue(small);
    expect(queue.offer(0x40, new Uint8Array(5_000))).to.equal(true);
    expect(queue.offer(0x40, Uint8Array.of(1))).to.equal(false);
    for (let i = 0; i < 3; i++) expect(queue.offer(0x30, Uint8Array.of(i))).to.equal(true);
    expect(queue.offer(0x30, Uint8Array.of(9))).to.equal(false);
    const lane = queue.lanes.find((each) => each.spec.id === 0x30);
    expect([lane?.messages, lane?.bytes, lane?.refused]).to.deep.equal([3, 3, 1]);
    while (queue.next(10_000) !== undefined);
    expect(queue.offer(0x30, Uint8Array.of(9))).to.equal(true);
  });

  it('shares a stream by priority: neither channel waits for all of the other', () => {
    const queue = new SendQueue(BULK);
    for (let i = 0; i < 100; i++) {
      queue.offer(0x40, new Uint8Array(1_000));
      queue.offer(0x00, new Uint8Array(1_000));
      queue.offer(0x38, new Uint8Array(1_000));
    }
    const got: [number, Uint8Array][] = [];
    reader('bulk', got).push(queue.next(60_000) ?? new Uint8Array());
    const count = (id: number): number => got.filter(([channel]) => channel === id).length;
    expect(count(0x38)).to.be.within(25, 33);
    expect(count(0x40)).to.be.within(21, 28);
    expect(count(0x00)).to.be.within(4, 6);
  });

  it('puts control before everything else of its stream', () => {
    const queue = new SendQueue(channelsOf('votes', {}));
    for (let i = 0; i < 50; i++) queue.offer(0x22, new Uint8Array(100));
    queue.next(300);
    queue.offer(0x01, Uint8Array.of(42));
    const got: [number, Uint8Array][] = [];
    const read = reader('votes', got);
    const all: number[] = [];
    for (let chunk = queue.next(300); chunk !== undefined; chunk = queue.next(300))
      all.push(...chunk);
    // The piece of the vote that was cut comes first; its reader is not this one.
    read.push(Uint8Array.from(all.slice(3 * 105 - 300)));
    expect(got[0]?.[0]).to.equal(0x01);
  });
});
