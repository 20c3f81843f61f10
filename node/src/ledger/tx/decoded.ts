/**
 * Decoded transactions by the hash of their bytes: checked, proposed and executed, each is decoded
 * once.
 *
 * Upholds: decoding reads nothing but the bytes and the chain's address prefix, so what is
 * remembered is what decoding again would give. Bounded by what the decoded parts weigh; the oldest
 * go first. A refusal is not remembered.
 * Absent here: decoding itself (decode.ts).
 *
 * @module
 */

import { latin1 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { DecodedTx } from './decode.ts';

/** Most that remembered transactions weigh, in bytes. */
const MAX_WEIGHT = 24 * 2 ** 20;
/** About what a transaction and one of its messages weigh beside their own bytes. */
const TX_WEIGHT = 2_000;
const MESSAGE_WEIGHT = 1_000;

/** A decoded transaction and the name it is remembered by. */
export type KnownTx = { readonly name: string; readonly tx: DecodedTx };

/** A bounded memory of decoded transactions. */
export class DecodedTxs {
  readonly #decode: (bytes: Uint8Array) => DecodedTx;
  readonly #known = new Map<string, KnownTx>();
  #weight = 0;

  constructor(decode: (bytes: Uint8Array) => DecodedTx) {
    this.#decode = decode;
  }

  /** The transaction of these bytes. @throws LedgerError by an SDK code */
  get(bytes: Uint8Array): KnownTx {
    const name = latin1(sha256(bytes));
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const fresh = { name, tx: this.#decode(bytes) };
    this.#known.set(name, fresh);
    this.#weight += weightOf(fresh.tx);
    for (const oldest of this.#known.keys()) {
      if (this.#weight <= MAX_WEIGHT) break;
      this.forget(oldest);
    }
    return fresh;
  }

  /** Forgets a transaction that will not be asked for again. */
  forget(name: string): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    this.#known.delete(name);
    this.#weight -= weightOf(known.tx);
  }
}

function weightOf(tx: DecodedTx): number {
  return TX_WEIGHT + tx.size + tx.messages.length * MESSAGE_WEIGHT;
}
