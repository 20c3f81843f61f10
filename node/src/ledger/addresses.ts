/**
 * Account ids as text: bech32 under the prefix that genesis fixed.
 *
 * Upholds: an account id has 20 bytes and one text. Answers are remembered: those of `id` up to a
 * bound, those of `text` with the id's array. They depend on nothing but the prefix.
 *
 * @module
 */

import { decodeBech32, encodeBech32 } from '../base/bech32.ts';
import { utf8 } from '../base/bytes.ts';
import { sha256Truncated } from '../base/hash.ts';
import { ADDRESS_BYTES } from '../base/limits.ts';
import { errors, refuse } from './errors.ts';
import { once } from './once.ts';

/** Most remembered addresses. */
const MEMORY = 20_000;

/** A 20-byte account id. */
export type AccountId = Uint8Array;

/** The prefix of addresses when genesis names none. */
export const DEFAULT_PREFIX = 'metatron';

/** The id of a module's account, as the Cosmos SDK derives it from the module's name. */
export function moduleAccountId(name: string): AccountId {
  return sha256Truncated(utf8(name));
}

/** Turns account ids into text and back. */
export class Addresses {
  readonly prefix: string;
  /** The bech32 text of an id. */
  readonly text: (id: AccountId) => string;
  readonly #ids = new Map<string, AccountId>();

  constructor(prefix: string) {
    this.prefix = prefix;
    this.text = once((id) => encodeBech32(prefix, id));
  }

  /** @throws LedgerError sdk/7 if `text` is not an address of this chain; `what` names the field */
  id(text: string, what: string): AccountId {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    if (text === '')
      return refuse(errors.InvalidAddress, `${what}: empty address string is not allowed`);
    const decoded = decodeBech32(text);
    if (decoded === undefined) {
      return refuse(errors.InvalidAddress, `${what}: decoding bech32 failed`);
    }
    if (decoded.prefix !== this.prefix) {
      const { prefix } = decoded;
      const reason = `${what}: invalid Bech32 prefix; expected ${this.prefix}, got ${prefix}`;
      return refuse(errors.InvalidAddress, reason);
    }
    if (decoded.bytes.length !== ADDRESS_BYTES) {
      const reason = `${what}: address length must be 20 bytes, got ${decoded.bytes.length}`;
      return refuse(errors.InvalidAddress, reason);
    }
    if (this.#ids.size >= MEMORY) this.#ids.clear();
    this.#ids.set(text, decoded.bytes);
    return decoded.bytes;
  }
}
