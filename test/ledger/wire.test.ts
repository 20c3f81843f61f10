/**
 * Module memory's strict codecs against the generated ones: the same bytes for the same values, and
 * nothing read that the generated codec would not write itself.
 *
 * @module
 */
import { expect } from 'chai';
import fc, { type Arbitrary } from 'fast-check';
import { toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import type { Codec } from '../../node/src/base/proto.ts';
import { Account, Amount } from '../../node/src/gen/metatron/ledger/v1/state.ts';
import {
  Head,
  Operation,
  Space,
  StoredEntry,
} from '../../node/src/gen/metatron/memory/v1/state.ts';
import { MsgPut, MsgPutResponse } from '../../node/src/gen/metatron/memory/v1/tx.ts';
import { accountCodec, setAccount } from '../../node/src/ledger/auth/accounts.ts';
import {
  headCodec,
  msgPutCodec,
  msgPutResponseCodec,
  putOperationCodec,
  spaceCodec,
  storedEntryCodec,
} from '../../node/src/ledger/memory/wire.ts';
import { coinCodec } from '../../node/src/ledger/tx/wire.ts';

type Generated<T> = {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
};

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.constant('ä'.repeat(40)));
const blob = fc.uint8Array({ maxLength: 32 });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Any int32 may stand for an enumeration. */
const enumeration: Arbitrary<never> = int32.map((value) => value as never);
const timestamp = fc.record({
  seconds: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  nanos: int32,
});
const sources = fc.array(fc.record({ id: text, hash: blob }), { maxLength: 3 });
const tags = fc.array(text, { maxLength: 3 });
const maybe = <T>(value: Arbitrary<T>): Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

const puts: Arbitrary<MsgPut> = fc.record({
  author: text,
  space: blob,
  key: text,
  type: enumeration,
  content: blob,
  tags,
  expectedVersion: maybe(uint64),
  eventTime: maybe(timestamp),
  sources,
});
const entries = fc.record({
  id: blob,
  space: blob,
  key: text,
  version: fc.maxSafeNat(),
  author: blob,
  type: enumeration,
  eventTime: maybe(timestamp),
  contentHash: blob,
  contentSize: fc.maxSafeNat(),
  tags,
  sources,
});

/** The generated codec of a type whose numbers the ledger writes from whole numbers. */
function wholes<G, K extends keyof G>(generated: Generated<G>, ...keys: readonly K[]) {
  type Whole = Omit<G, K> & { readonly [N in K]: number };
  const convert = (value: object, by: (n: never) => unknown): object =>
    Object.fromEntries(
      Object.entries(value).map(([k, v]) => [k, keys.includes(k as K) ? by(v as never) : v]),
    );
  return {
    encode: (value: Whole) => generated.encode(convert(value, BigInt) as G),
    decode: (bytes: Uint8Array) =>
      convert(generated.decode(bytes) as object, Number) as unknown as Whole,
  };
}

function agree<T>(codec: Codec<T>, generated: Generated<T>, values: Arbitrary<T>): void {
  const canonical = (bytes: Uint8Array): boolean => {
    try {
      return toHex(generated.encode(generated.decode(bytes)).finish()) === toHex(bytes);
    } catch {
      return false;
    }
  };
  const reads = (bytes: Uint8Array): boolean => {
    try {
      codec.decode(bytes);
      return true;
    } catch (thrown) {
      expect(thrown).to.be.instanceOf(LedgerError);
      return false;
    }
  };
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 });
  fc.assert(
    fc.property(values, flips, fc.boolean(), (value, changes, cut) => {
      const bytes = codec.encode(value);
      expect(toHex(bytes)).to.equal(toHex(generated.encode(value).finish()));
      expect(codec.decode(bytes)).to.deep.equal(value);
      expect(codec.borrow(value, toHex)).to.equal(toHex(bytes));
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      const changed = cut ? bytes.subarray(0, -1) : bytes;
      if (reads(changed)) expect(canonical(changed), toHex(changed)).to.equal(true);
    }),
    { numRuns: 300 },
  );
}

describe('ledger: codecs of memory and accounts', () => {
  it('agree with the generated ones on MsgPut', () => agree(msgPutCodec, MsgPut, puts));

  it('agree on records and rows', () => {
    const whole = fc.maxSafeNat();
    const answer = fc.record({ id: blob, index: whole, version: whole });
    agree(msgPutResponseCodec, wholes(MsgPutResponse, 'index', 'version'), answer);
    agree(
      storedEntryCodec,
      wholes(StoredEntry, 'index'),
      fc.record({ space: blob, index: whole, content: fc.uint8Array({ maxLength: 300 }) }),
    );
    const record = { owner: blob, createdHeight: uint64, size: uint64, root: blob };
    agree(spaceCodec, Space, fc.record({ ...record, mode: enumeration }));
    const head = { version: uint64, index: uint64, leafHash: blob, entryId: blob };
    agree(headCodec, Head, fc.record(head));
    agree(coinCodec, Amount, fc.record({ denom: text, amount: text }));
  });

  it('agree on the leaf of a put', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), maybe(timestamp), entries, (height, blockTime, put) => {
        const leaf = putOperationCodec.encode({ height, blockTime, put });
        const { version, contentSize } = put;
        const value = { ...put, version: BigInt(version), contentSize: BigInt(contentSize) };
        const kind = { $case: 'put', value } as const;
        const operation = { height: BigInt(height), blockTime, kind };
        expect(toHex(leaf)).to.equal(toHex(Operation.encode(operation).finish()));
      }),
    );
  });

  it('agree on accounts', () => {
    const accounts = fc.record({
      number: fc.nat(),
      sequence: fc.maxSafeNat(),
      publicKey: blob,
      moduleName: text,
      permissions: tags,
    });
    fc.assert(
      fc.property(accounts, (account) => {
        let written: Uint8Array | undefined;
        const set = (_: Uint8Array, value: Uint8Array | undefined): void => {
          written = value;
        };
        setAccount({ get: () => undefined, set }, new Uint8Array(20), account);
        const expected = Account.encode({
          numberPlusOne: BigInt(account.number + 1),
          sequence: BigInt(account.sequence),
          publicKey: account.publicKey,
          moduleName: account.moduleName,
          permissions: account.permissions,
        }).finish();
        expect(written && toHex(written)).to.equal(toHex(expected));
        expect(accountCodec.decode(expected)).to.deep.equal(account);
      }),
    );
  });
});
