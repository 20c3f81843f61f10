/**
 * The wire format: only the shortest, ordered, known and bounded is read.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import {
  always,
  bool,
  bytes,
  bytesList,
  type Codec,
  encodeDelimited,
  int,
  int64,
  list,
  message,
  optional,
  optionalBytes,
  packedUint64,
  sfixed64,
  text,
  uint,
  uint64,
  union,
} from '../../node/src/base/proto.ts';
import { errors, Reader, Writer } from '../../node/src/base/wire.ts';

type Inner = { readonly n: number };
type All = {
  readonly count: number;
  readonly signed: number;
  readonly big: bigint;
  readonly natural: bigint;
  readonly flag: boolean;
  readonly fixed: number;
  readonly raw: Uint8Array;
  readonly maybe: Uint8Array | undefined;
  readonly name: string;
  readonly one: Inner;
  readonly other: Inner | undefined;
  readonly many: readonly Inner[];
  readonly blobs: readonly Uint8Array[];
  readonly words: readonly bigint[];
};

const inner: Codec<Inner> = message<Inner>('Inner', { n: uint(1) });
const codec: Codec<All> = message<All>('All', {
  count: uint(1),
  signed: int(2),
  big: int64(3),
  natural: uint64(4),
  flag: bool(5),
  fixed: sfixed64(6),
  raw: bytes(7, 32),
  maybe: optionalBytes(8, 32),
  name: text(9, 64),
  one: always(10, inner),
  other: optional(11, inner),
  many: list(12, inner, 5),
  blobs: bytesList(13, 8, 5),
  words: packedUint64(14, 5),
});

const inners = fc.record({ n: fc.maxSafeNat() });
const values: fc.Arbitrary<All> = fc.record({
  count: fc.maxSafeNat(),
  signed: fc.maxSafeInteger(),
  big: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  natural: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  flag: fc.boolean(),
  fixed: fc.maxSafeInteger(),
  raw: fc.uint8Array({ maxLength: 32 }),
  maybe: fc.option(fc.uint8Array({ maxLength: 32 }), { nil: undefined }),
  name: fc.string({ maxLength: 16 }),
  one: inners,
  other: fc.option(inners, { nil: undefined }),
  many: fc.array(inners, { maxLength: 5 }),
  blobs: fc.array(fc.uint8Array({ maxLength: 8 }), { maxLength: 5 }),
  words: fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { maxLength: 5 }),
});

function reasonOf(decode: () => unknown): string {
  try {
    decode();
  } catch (thrown) {
    if (LedgerError.is(thrown, errors.Malformed)) return thrown.params.reason;
    throw thrown;
  }
  return 'accepted';
}

const hexBytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('the wire format', () => {
  it('returns every value, and the same bytes for it', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = codec.encode(value);
        const decoded = codec.decode(encoded);
        expect(decoded).to.deep.equal(value);
        expect(codec.encode(decoded)).to.deep.equal(encoded);
      }),
    );
  });

  it('refuses every changed byte or decodes it to a value that encodes to it', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const encoded = codec.encode(value);
        const place = at % encoded.length;
        encoded[place] = (encoded[place] ?? 0) ^ flip;
        const reason = reasonOf(() => {
          expect(codec.encode(codec.decode(encoded))).to.deep.equal(encoded);
        });
        expect(reason).to.be.a('string');
      }),
      { numRuns: 500 },
    );
  });

  it('refuses every cut', () => {
    const value = { n: 300 };
    const encoded = inner.encode(value);
    for (let size = 1; size < encoded.length; size++) {
      expect(reasonOf(() => inner.decode(encoded.subarray(0, size)))).to.equal('ends too early');
    }
  });

  const breaches: readonly (readonly [what: string, hex: string, reason: RegExp])[] = [
    ['an overlong varint', '088000', /overlong/],
    ['an overlong long varint', '08808080808000', /overlong/],
    ['a varint over 64 bits', '08ffffffffffffffffff02', /over 64 bits/],
    ['a varint over ten bytes', '08ffffffffffffffffffff01', /over ten bytes/],
    ['a number over 2^53 − 1', '088080808080808010', /over 2\^53/],
    ['a written default', '0800', /default/],
    ['an unknown field', '1001', /unknown field/],
    ['another wire type', '0a0101', /unknown field or wire type/],
    ['a repeated field', '08010802', /repeated/],
  ];
  for (const [what, hex, reason] of breaches) {
    it(`refuses ${what}`, () => {
      expect(reasonOf(() => inner.decode(hexBytes(hex)))).to.match(reason);
    });
  }

  it('refuses what is out of order, missing or over its bound', () => {
    expect(reasonOf(() => codec.decode(hexBytes('100108015200')))).to.match(/out of order/);
    expect(reasonOf(() => codec.decode(hexBytes('0801')))).to.equal('one is missing');
    const long = codec.encode({ ...minimal(), raw: new Uint8Array(32) });
    long[1] = 33;
    expect(reasonOf(() => codec.decode(long))).to.match(/more than 32/);
    const six = concat(codec.encode(minimal()), ...Array.from({ length: 6 }, () => '6200'));
    expect(reasonOf(() => codec.decode(six))).to.match(/more than 5 items/);
    expect(reasonOf(() => codec.decode(concat(codec.encode(minimal()), '7200')))).to.match(/empty/);
  });

  it('refuses text that is not UTF-8', () => {
    expect(reasonOf(() => codec.decode(hexBytes('4a01ff5200')))).to.match(/not UTF-8/);
  });

  it('takes exactly one variant of a union', () => {
    type Either =
      | { readonly kind: 'a'; readonly value: Inner }
      | { readonly kind: 'b'; readonly value: Inner };
    const either: Codec<Either> = union<Either>('Either', { a: [1, inner], b: [2, inner] });
    const value: Either = { kind: 'b', value: { n: 7 } };
    expect(toHex(either.encode(value))).to.equal('12020807');
    expect(either.decode(hexBytes('12020807'))).to.deep.equal(value);
    expect(reasonOf(() => either.decode(hexBytes('120208070a00')))).to.match(/more than one/);
    expect(reasonOf(() => either.decode(hexBytes('1a00')))).to.match(/unknown variant/);
    expect(reasonOf(() => either.decode(new Uint8Array(0)))).to.equal('ends too early');
  });

  it('writes long nested messages behind a long length', () => {
    const out = new Writer();
    out.nested(() => out.raw(new Uint8Array(20_000).fill(9)));
    const encoded = out.finish();
    expect(encoded).to.deep.equal(encodeDelimited(new Uint8Array(20_000).fill(9)));
    const reader = new Reader(encoded, 'test');
    expect(reader.delimited(20_000, 'body')).to.have.length(20_000);
  });
});

function concat(first: Uint8Array, ...rest: readonly string[]): Uint8Array {
  return hexBytes(toHex(first) + rest.join(''));
}

function minimal(): All {
  return {
    count: 0,
    signed: 0,
    big: 0n,
    natural: 0n,
    flag: false,
    fixed: 0,
    raw: new Uint8Array(0),
    maybe: undefined,
    name: '',
    one: { n: 0 },
    other: undefined,
    many: [],
    blobs: [],
    words: [],
  };
}
