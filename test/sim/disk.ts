/**
 * A simulated disk: what of a node survives its crash.
 *
 * Upholds: bytes of the log that were synced survive; of those that were not, a random piece does,
 * torn at any byte. The guard's record and a stored height are there or not, never half. Damage to
 * durable bytes happens only when asked for.
 *
 * @module
 */
import { concatBytes } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { GuardRecord } from '../../node/src/engine/ports.ts';
import type { ChainState, CommittedHeight } from '../../node/src/types/chain-state.ts';
import type { Evidence } from '../../node/src/types/evidence.ts';
import type { Prng } from './prng.ts';

/** Bytes before each record: length and checksum. */
const HEAD_BYTES = 8;

/** A disk. Owned by one node for the whole run; its incarnations come and go. */
export class Disk {
  guard: GuardRecord | undefined;
  genesis: ChainState | undefined;
  readonly heights: Map<number, CommittedHeight> = new Map();
  readonly evidence: Map<string, Evidence> = new Map();
  readonly committedEvidence: Set<string> = new Set();
  /** The application's pairs. */
  readonly pairs: Map<string, Uint8Array> = new Map();
  #synced: Uint8Array = new Uint8Array(0);
  #pending: Uint8Array[] = [];

  /** Bytes of the log that are not durable. */
  get unsynced(): number {
    return this.#pending.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** The last stored height. */
  get height(): number {
    let top = 0;
    for (const height of this.heights.keys()) if (height > top) top = height;
    return top;
  }

  append(record: Uint8Array): void {
    const head = new Uint8Array(HEAD_BYTES);
    const view = new DataView(head.buffer);
    view.setUint32(0, record.length);
    head.set(sha256(record).subarray(0, 4), 4);
    this.#pending.push(head, record.slice());
  }

  sync(): void {
    if (this.#pending.length === 0) return;
    this.#synced = concatBytes(this.#synced, ...this.#pending);
    this.#pending = [];
  }

  reset(): void {
    this.#synced = new Uint8Array(0);
    this.#pending = [];
  }

  /** Whole records; what comes after the last of them is cut off. */
  records(): readonly Uint8Array[] {
    const bytes = concatBytes(this.#synced, ...this.#pending);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const out: Uint8Array[] = [];
    let at = 0;
    while (at + HEAD_BYTES <= bytes.length) {
      const end = at + HEAD_BYTES + view.getUint32(at);
      if (end > bytes.length) break;
      const record = bytes.slice(at + HEAD_BYTES, end);
      const sum = sha256(record).subarray(0, 4);
      if (!sum.every((byte, i) => byte === bytes[at + 4 + i])) break;
      out.push(record);
      at = end;
    }
    this.#synced = bytes.slice(0, at);
    this.#pending = [];
    return out;
  }

  /** Loses what was not durable, but for a random piece of it. @returns whether a write was torn */
  crash(prng: Prng): boolean {
    const lost = concatBytes(...this.#pending);
    const kept = prng.int(0, lost.length);
    this.#pending = [];
    this.#synced = concatBytes(this.#synced, lost.subarray(0, kept));
    return kept > 0 && kept < lost.length;
  }

  /** Changes a durable byte of the log. @returns whether there was one */
  corrupt(prng: Prng): boolean {
    const { length } = this.#synced;
    if (length === 0) return false;
    const at = prng.int(Math.floor(length / 2), length - 1);
    this.#synced = this.#synced.slice();
    this.#synced[at] = (this.#synced[at] as number) ^ prng.int(1, 255);
    return true;
  }

  /** Loses a durable end of the log. @returns whether there was one */
  truncate(prng: Prng): boolean {
    const { length } = this.#synced;
    if (length === 0) return false;
    this.#synced = this.#synced.slice(0, prng.int(0, length - 1));
    return true;
  }
}
