/**
 * Keys and values of the EVM's own state: code of an address, slots of its storage.
 *
 *     0x30 contract: account id → keccak hash of its code, or a delegation (EIP-7702) as it is
 *     0x31 slot: account id, 32-byte slot → value
 *     row 0x48: keccak hash → code
 *
 * Upholds: one value has one encoding, big-endian without leading zeros; zero has no record.
 * Absent here: balance and nonce, which are the account's own.
 *
 * @module
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import type { AccountId } from '../addresses.ts';
import { integerBytes } from '../ethereum/rlp.ts';
import { key, named, type RecordKey } from '../keys.ts';
import type { RecordCodec } from '../record.ts';

const CONTRACT = 0x30;
const SLOT = 0x31;
const CODE = 0x48;

/** Bytes of a delegation: ef0100 and an address. */
export const DELEGATION_BYTES = 23;

/** Where the code hash of an account stands. */
export function contractKey(id: AccountId): RecordKey {
  return named(key(CONTRACT, id));
}

/** Where a slot stands. @param slot - 32 bytes */
export function slotKey(id: AccountId, slot: Uint8Array): RecordKey {
  return named(key(SLOT, id, slot));
}

/** The row of a code. */
export function codeRow(hash: Uint8Array): Uint8Array {
  return key(CODE, hash);
}

/** A word as 64 digits of hex: the name of a slot. */
export function wordHex(word: bigint): string {
  return word.toString(16).padStart(64, '0');
}

/** The bytes of a word by its 64 digits. */
export function wordBytes(hex: string): Uint8Array {
  return present(fromHex(hex), 'hex of a word');
}

/** A number by its big-endian bytes. */
export function wordOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}

/** A slot's value, above zero. */
export const slotCodec: RecordCodec<bigint> = { encode: integerBytes, decode: wordOf };

/** A contract's record, as it is. */
export const contractCodec: RecordCodec<Uint8Array> = {
  encode: (record) => record,
  decode: (record) => record,
};
