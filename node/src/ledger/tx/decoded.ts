/**
 * Decoded transactions that wait or are in a block: checked, proposed and executed, each is decoded
 * once.
 *
 * Found by a few bytes of the last signature, and then compared in full: no hash is needed. Two
 * transactions that share those bytes displace each other, which costs a decoding.
 * Upholds: decoding reads nothing but the bytes and the chain's address prefix, so what is
 * remembered is what decoding again would give. Bounded by what the decoded parts weigh: while it
 * is full no more is remembered, because what came first is also needed first; what was not
 * forgotten after a number of blocks goes. A refusal is not remembered.
 * Absent here: decoding itself (decode.ts).
 *
 * @module
 */

import { equalBytes } from '../../base/bytes.ts';
import type { DecodedTx } from './decode.ts';

/** Most that remembered transactions weigh, in bytes, beside their own bytes. */
const MAX_WEIGHT = 24 * 2 ** 20;
/** What a transaction and one of its messages weigh, as measured with puts. */
const TX_WEIGHT = 1_700;
const MESSAGE_WEIGHT = 350;
/** Blocks after which a transaction is forgotten in any case. */
const MAX_BLOCKS = 60;

type Known = { readonly tx: DecodedTx; readonly block: number };

/** A bounded memory of decoded transactions. */
export class DecodedTxs {
  readonly #decode: (bytes: Uint8Array) => DecodedTx;
  /** In the order in which they came. */
  readonly #known = new Map<number, Known>();
  #weight = 0;
  #block = 0;

  constructor(decode: (bytes: Uint8Array) => DecodedTx) {
    this.#decode = decode;
  }

  /** The transaction of these bytes. @throws LedgerError by an SDK code */
  get(bytes: Uint8Array): DecodedTx {
    const name = nameOf(bytes);
    const known = this.#known.get(name)?.tx;
    if (known !== undefined && equalBytes(known.bytes, bytes)) return known;
    const tx = this.#decode(bytes);
    if (known !== undefined) this.forget(known);
    const weight = weightOf(tx);
    if (this.#weight + weight <= MAX_WEIGHT) {
      this.#weight += weight;
      this.#known.set(name, { tx, block: this.#block });
      tx.kept = true;
    }
    return tx;
  }

  /** Forgets a transaction that will not be asked for again. */
  forget(tx: DecodedTx): void {
    const name = nameOf(tx.bytes);
    if (this.#known.get(name)?.tx !== tx) return;
    this.#known.delete(name);
    tx.kept = false;
    this.#weight -= weightOf(tx);
  }

  /** Takes note that a block is done. */
  blockDone(): void {
    this.#block++;
    for (const { tx, block } of this.#known.values()) {
      if (block + MAX_BLOCKS > this.#block) return;
      this.forget(tx);
    }
  }
}

/** Four bytes out of the last signature, as a small number; 0 of what is no transaction. */
function nameOf(bytes: Uint8Array): number {
  const at = bytes.length - 8;
  if (at < 0) return 0;
  let name = (bytes[at] as number) & 0x3f;
  for (let i = 1; i < 4; i++) name = (name << 8) | (bytes[at + i] as number);
  return name;
}

function weightOf(tx: DecodedTx): number {
  return TX_WEIGHT + tx.messages.length * MESSAGE_WEIGHT;
}
