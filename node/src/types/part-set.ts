/**
 * A block cut into parts of 64 KiB, each with a proof under the part set header.
 *
 * Upholds: a part is accepted only with a valid proof for its own index, so that the parts of a
 * complete set are exactly the bytes its header commits to.
 * Spec: CometBFT types/part_set.go; the index check is the fix of ASA-2025-002.
 *
 * @module
 */
import { HASH_SIZE } from '../base/hash.ts';
import { BLOCK_PART_BYTES, MAX_BLOCK_PARTS } from '../base/limits.ts';
import { MAX_AUNTS, type MerkleProof, merkleProofs, verifyMerkleProof } from '../base/merkle.ts';
import { always, bytes, bytesList, type Codec, message, uint } from '../base/proto.ts';
import { BitArray } from './bit-array.ts';
import { equalPartSetHeaders, type PartSetHeader } from './block-id.ts';

/** tendermint.crypto.Proof. */
const merkleProofCodec: Codec<MerkleProof> = message<MerkleProof>('Proof', {
  total: uint(1),
  index: uint(2),
  leafHash: bytes(3, HASH_SIZE),
  aunts: bytesList(4, HASH_SIZE, MAX_AUNTS),
});

/** One part of a block. */
export type Part = {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly proof: MerkleProof;
};

/** tendermint.types.Part. */
export const partCodec: Codec<Part> = message<Part>('Part', {
  index: uint(1, MAX_BLOCK_PARTS),
  bytes: bytes(2, BLOCK_PART_BYTES),
  proof: always(3, merkleProofCodec),
});

/** Whether a part's own fields fit together, before it is compared with any header. */
export function wellFormedPart(part: Part): boolean {
  const { index, proof } = part;
  const last = proof.total - 1;
  return (
    index === proof.index &&
    index < proof.total &&
    part.bytes.length > 0 &&
    (index === last || part.bytes.length === BLOCK_PART_BYTES) &&
    proof.leafHash.length === HASH_SIZE &&
    proof.aunts.every((aunt) => aunt.length === HASH_SIZE)
  );
}

/** The parts of a block, complete or still being collected. Mutable; owned by one height. */
export class PartSet {
  readonly header: PartSetHeader;
  readonly #parts: (Part | undefined)[];
  #count = 0;
  #byteSize = 0;

  private constructor(header: PartSetHeader) {
    this.header = header;
    this.#parts = new Array<Part | undefined>(header.total).fill(undefined);
  }

  /** An empty set for `header`, whose `total` the caller has bounded. */
  static collecting(header: PartSetHeader): PartSet {
    return new PartSet(header);
  }

  /** The complete set of a block's bytes. */
  static of(block: Uint8Array): PartSet {
    const slices: Uint8Array[] = [];
    for (let at = 0; at < block.length; at += BLOCK_PART_BYTES) {
      slices.push(block.subarray(at, at + BLOCK_PART_BYTES));
    }
    const { root, proofs } = merkleProofs(slices);
    const set = new PartSet({ total: slices.length, hash: root });
    for (const [index, bytes] of slices.entries()) {
      set.#put({ index, bytes, proof: proofs[index] as MerkleProof });
    }
    return set;
  }

  #put(part: Part): void {
    this.#parts[part.index] = part;
    this.#count++;
    this.#byteSize += part.bytes.length;
  }

  /** Adds a part: true if it is new and proven, false if it is known already or does not fit. */
  add(part: Part): boolean {
    const { total, hash } = this.header;
    if (part.index >= total || this.#parts[part.index] !== undefined) return false;
    if (part.proof.total !== total || part.proof.index !== part.index) return false;
    if (!verifyMerkleProof(part.proof, hash, part.bytes)) return false;
    this.#put(part);
    return true;
  }

  /** The part at `index`, if it is there. */
  get(index: number): Part | undefined {
    return this.#parts[index];
  }

  /** Number of parts collected. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the parts collected. */
  get byteSize(): number {
    return this.#byteSize;
  }

  /** Whether all parts are there. */
  get complete(): boolean {
    return this.#count === this.header.total;
  }

  /** Whether this set is for `header`. */
  has(header: PartSetHeader): boolean {
    return equalPartSetHeaders(this.header, header);
  }

  /** Which parts are there. */
  bits(): BitArray {
    const bits = new BitArray(this.header.total);
    for (const [index, part] of this.#parts.entries())
      if (part !== undefined) bits.set(index, true);
    return bits;
  }

  /** The block's bytes; only of a complete set. */
  join(): Uint8Array {
    const out = new Uint8Array(this.#byteSize);
    let at = 0;
    for (const part of this.#parts) {
      if (part === undefined) continue;
      out.set(part.bytes, at);
      at += part.bytes.length;
    }
    return out;
  }
}
