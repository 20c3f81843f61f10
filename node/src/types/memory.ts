/**
 * What the ledger and its clients must agree on about memory: ids, state keys, bounds.
 *
 * Upholds: an entry's id commits to space, author, account sequence and place in the transaction,
 * so it is known before the transaction is sent and never given twice.
 * Used by: node/src/ledger/memory (executes), node/src/client (derives ids, verifies proofs).
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { concatBytes, putU64be, u64be, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';

/** Most bytes of an entry's content: 64 KiB. */
export const MAX_CONTENT_BYTES = 65_536;
/** Most bytes of a key, of a source's id, of a tag. */
export const MAX_KEY_BYTES = 256;
export const MAX_SOURCE_ID_BYTES = 256;
export const MAX_TAG_BYTES = 64;
/** Most tags and sources of an entry. */
export const MAX_TAGS = 16;
export const MAX_SOURCES = 16;

/** Bytes of the salt that tells one owner's spaces apart. */
export const SALT_BYTES = 32;

/** Type URLs. */
export const MSG_PUT_URL = '/metatron.memory.v1.MsgPut';
export const MSG_PUT_RESPONSE_URL = '/metatron.memory.v1.MsgPutResponse';
export const MSG_CREATE_SPACE_URL = '/metatron.memory.v1.MsgCreateSpace';
export const MSG_UPDATE_SPACE_URL = '/metatron.memory.v1.MsgUpdateSpace';
export const MSG_TRANSFER_SPACE_URL = '/metatron.memory.v1.MsgTransferSpace';
export const MSG_FREEZE_SPACE_URL = '/metatron.memory.v1.MsgFreezeSpace';
export const MSG_GRANT_URL = '/metatron.memory.v1.MsgGrant';
export const MSG_REVOKE_URL = '/metatron.memory.v1.MsgRevoke';

/** What a grant may allow: bits, by the names that people use. */
export const RIGHTS = { read: 1, write: 2, curate: 4, admin: 8 } as const;
/** All of them. */
const ALL_RIGHTS = 15;

/** The names of rights, in order of their bits. */
export function rightsNames(rights: number): readonly string[] {
  return Object.entries(RIGHTS).flatMap(([name, bit]) => ((rights & bit) === 0 ? [] : [name]));
}

/** Parameters of the rules' errors that are rights. */
const RIGHTS_PARAMETERS: readonly string[] = ['needed', 'held', 'rights'];

/**
 * A parameter of an error of the rules that holds rights, by name, such as `needed=read+write`.
 *
 * @returns nothing if it is another parameter, or its value is no rights
 */
export function rightsParameter(error: string, name: string, value: bigint): string | undefined {
  const are = error.startsWith('MemoryRules') && RIGHTS_PARAMETERS.includes(name);
  if (!are || value < 0n || value > BigInt(ALL_RIGHTS)) return undefined;
  return `${name}=${rightsNames(Number(value)).join('+') || 'none'}`;
}

const PERSONAL_SPACE = utf8('metatron/space/personal/');
const SHARED_SPACE = utf8('metatron/space/shared/');
const ENTRY = utf8('metatron/entry/');
const SPACE_KEY = Uint8Array.of(0x20);
const HEAD_KEY = Uint8Array.of(0x21);
const GRANT_KEY = Uint8Array.of(0x22);

/** The id of an account's personal space: 32 bytes. */
export function personalSpaceId(account: Uint8Array): Uint8Array {
  return sha256(concatBytes(PERSONAL_SPACE, account));
}

/**
 * The id of a space that its owner made: 32 bytes.
 *
 * @param owner - the owner's address as the EVM knows it, 20 bytes
 * @param salt - 32 bytes
 */
export function sharedSpaceId(owner: Uint8Array, salt: Uint8Array): Uint8Array {
  return sha256(concatBytes(SHARED_SPACE, owner, salt));
}

/** What an entry's id is the hash of; used by one call at a time. */
const entryInput = concatBytes(ENTRY, new Uint8Array(32 + 20 + 8 + 8));

/**
 * The id of an entry: 32 bytes.
 *
 * @param sequence - the author's account sequence in the transaction
 * @param message - the message's place in the transaction, from 0
 */
export function entryId(
  space: Uint8Array,
  author: Uint8Array,
  sequence: number,
  message: number,
): Uint8Array {
  if (space.length !== 32 || author.length !== 20) {
    return sha256(concatBytes(ENTRY, space, author, u64be(sequence), u64be(message)));
  }
  entryInput.set(space, ENTRY.length);
  entryInput.set(author, ENTRY.length + 32);
  putU64be(entryInput, ENTRY.length + 52, sequence);
  putU64be(entryInput, ENTRY.length + 60, message);
  return sha256(entryInput);
}

/** State key of a space's record. */
export function spaceKey(space: Uint8Array): Uint8Array {
  return concatBytes(SPACE_KEY, space);
}

/** State key of the head of `key` in a space. */
export function headKey(space: Uint8Array, key: string): Uint8Array {
  return headKeyOfHash(space, sha256(utf8(key)));
}

/** State key of the head of the key with this SHA-256 in a space. */
export function headKeyOfHash(space: Uint8Array, keyHash: Uint8Array): Uint8Array {
  return concatBytes(HEAD_KEY, space, keyHash);
}

/** State key of the place of a subject's grant; without one, what those of a space begin with. */
export function grantKey(space: Uint8Array, subject?: Uint8Array): Uint8Array {
  return subject === undefined
    ? concatBytes(GRANT_KEY, space)
    : concatBytes(GRANT_KEY, space, subject);
}
