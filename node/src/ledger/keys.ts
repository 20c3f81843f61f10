/**
 * How keys of records and rows are made, and which first byte belongs to which module.
 *
 * Upholds: the first byte fixes a key's length, so no key is a prefix of another; text enters as
 * its SHA-256. A first byte is never reused: it is consensus.
 *
 *     0x01 chain   0x02 auth params   0x03 next account number   0x10 account
 *     0x18 balance   0x19 supply   0x1a denom metadata   0x1b owner of a denom
 *     0x1c denominations
 *     0x20 space   0x21 head of a key   0x22 place of a grant
 *     0x30 contract   0x31 storage slot   0x32 alias of an address   0x33 base fee, EVM parameters
 *     0x34 receiver of a validator's tips   0x35 missed votes of a validator
 *     rows:   0x40 entry by id   0x41 operation by space and index   0x42 version of a key
 *             0x48 code by hash   0x49 receipt   0x4a place of an Ethereum transaction
 *             0x4b Ethereum transactions of a block
 *
 * @module
 */
import { concatBytes, latin1, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

/** First bytes. */
export const KEY = {
  chain: 0x01,
  authParams: 0x02,
  nextAccountNumber: 0x03,
  account: 0x10,
  balance: 0x18,
  supply: 0x19,
  denomMetadata: 0x1a,
  denomOwner: 0x1b,
  denoms: 0x1c,
  contract: 0x30,
  slot: 0x31,
  alias: 0x32,
  evm: 0x33,
  tipReceiver: 0x34,
  missedVotes: 0x35,
} as const;

/** First bytes of rows. */
export const ROW = { code: 0x48, receipt: 0x49, place: 0x4a, evmBlock: 0x4b } as const;

/** A key: its first byte and its parts. */
export function key(first: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return concatBytes(Uint8Array.of(first), ...parts);
}

/** A record's key with the name by which maps in memory know it: one character per byte. */
export type RecordKey = { readonly bytes: Uint8Array; readonly name: string };

/** Names a key. */
export function named(bytes: Uint8Array): RecordKey {
  return { bytes, name: latin1(bytes) };
}

/** The range of all keys that start with these bytes. */
export function prefixRange(prefix: Uint8Array): { from: Uint8Array; to: Uint8Array } {
  const to = prefix.slice();
  for (let i = to.length - 1; i >= 0; i--) {
    const byte = to[i] as number;
    if (byte < 0xff) {
      to[i] = byte + 1;
      return { from: prefix, to: to.subarray(0, i + 1) };
    }
  }
  return { from: prefix, to: new Uint8Array(prefix.length + 1).fill(0xff) };
}

/** The least key above `last`: where the next page of a range starts. */
export function after(last: Uint8Array): Uint8Array {
  return concatBytes(last, Uint8Array.of(0));
}

const names = new Map<string, Uint8Array>();

/** SHA-256 of a short text, as keys carry it; remembers up to 1,000 answers. */
export function textHash(text: string): Uint8Array {
  const known = names.get(text);
  if (known !== undefined) return known;
  const hash = sha256(utf8(text));
  if (names.size >= 1000) names.clear();
  names.set(text, hash);
  return hash;
}
