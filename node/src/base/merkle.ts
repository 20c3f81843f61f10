/**
 * RFC 6962 Merkle trees over a list of byte strings: roots, inclusion and consistency proofs.
 *
 * Upholds: a root commits to the number, order and bytes of the leaves. Leaves and inner nodes are
 * hashed under different prefixes, so one can never be taken for the other.
 * Spec: RFC 6962 section 2.1; CometBFT spec/core/encoding.md ("Merkle trees").
 * Used by: headers, part sets, results (types), and the logs of memory spaces.
 *
 * @module
 */
import { EMPTY, equalBytes } from './bytes.ts';
import { HASH_SIZE, sha256 } from './hash.ts';

const LEAF_PREFIX = 0;
const INNER_PREFIX = 1;

/** Most aunts a proof may carry, as in CometBFT: trees of up to 2^100 leaves. */
export const MAX_AUNTS = 100;

/** The root of no leaves: SHA-256 of nothing. */
export const EMPTY_ROOT: Uint8Array = sha256(EMPTY);

/** What is hashed next: arrays of their own cost more than hashes. Larger leaves get them. */
const MAX_SCRATCH_LEAF = 1_024;
const leafInput: Uint8Array = new Uint8Array(1 + MAX_SCRATCH_LEAF);
const innerInput: Uint8Array = new Uint8Array(1 + 2 * HASH_SIZE);
innerInput[0] = INNER_PREFIX;

/** SHA-256(0x00 ‖ leaf). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  const size = 1 + leaf.length;
  const input = size <= leafInput.length ? leafInput.subarray(0, size) : new Uint8Array(size);
  input[0] = LEAF_PREFIX;
  input.set(leaf, 1);
  return sha256(input);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function innerHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const size = 1 + left.length + right.length;
  const input = size === innerInput.length ? innerInput : new Uint8Array(size);
  input[0] = INNER_PREFIX;
  input.set(left, 1);
  input.set(right, 1 + left.length);
  return sha256(input);
}

/** The largest power of two below `n`; `n` is at least 2. */
export function splitPoint(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

/** The root over already hashed leaves `hashes[from … to)`. */
export function rootOfHashes(
  hashes: readonly Uint8Array[],
  from = 0,
  to: number = hashes.length,
): Uint8Array {
  if (to === from) return EMPTY_ROOT;
  if (to - from === 1) return hashes[from] as Uint8Array;
  const k = from + splitPoint(to - from);
  return innerHash(rootOfHashes(hashes, from, k), rootOfHashes(hashes, k, to));
}

/** The root over `leaves`: 32 bytes. Cost: about 3 µs a leaf. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOfHashes(leaves.map(leafHash));
}

/** An inclusion proof in CometBFT's shape; aunts run from the leaf towards the root. */
export type MerkleProof = {
  readonly total: number;
  readonly index: number;
  readonly leafHash: Uint8Array;
  readonly aunts: readonly Uint8Array[];
};

/** The root over `leaves`, and one inclusion proof for each. */
export function merkleProofs(leaves: readonly Uint8Array[]): {
  readonly root: Uint8Array;
  readonly proofs: readonly MerkleProof[];
} {
  const total = leaves.length;
  const hashes = leaves.map(leafHash);
  const aunts: Uint8Array[][] = hashes.map(() => []);
  const walk = (from: number, to: number): Uint8Array => {
    if (to - from === 1) return hashes[from] as Uint8Array;
    const k = from + splitPoint(to - from);
    const left = walk(from, k);
    const right = walk(k, to);
    for (let i = from; i < k; i++) aunts[i]?.push(right);
    for (let i = k; i < to; i++) aunts[i]?.push(left);
    return innerHash(left, right);
  };
  const root = total === 0 ? EMPTY_ROOT : walk(0, total);
  const proofs = hashes.map((hash, index) => ({
    total,
    index,
    leafHash: hash,
    aunts: aunts[index] as Uint8Array[],
  }));
  return { root, proofs };
}

function isHash(bytes: Uint8Array): boolean {
  return bytes.length === HASH_SIZE;
}

/** The root that `proof` leads to, or `undefined` if its shape is impossible. */
export function proofRoot(proof: MerkleProof): Uint8Array | undefined {
  const { total, index, aunts } = proof;
  if (index < 0 || index >= total || aunts.length > MAX_AUNTS) return undefined;
  if (!isHash(proof.leafHash)) return undefined;
  if (!aunts.every(isHash)) return undefined;
  // Directions from the root down: true where the leaf lies left.
  const lefts: boolean[] = [];
  for (let i = index, n = total; n > 1; ) {
    const k = splitPoint(n);
    lefts.push(i < k);
    if (i < k) n = k;
    else {
      i -= k;
      n -= k;
    }
  }
  if (lefts.length !== aunts.length) return undefined;
  return aunts.reduce<Uint8Array>(
    (hash, aunt, depth) =>
      lefts[lefts.length - 1 - depth] ? innerHash(hash, aunt) : innerHash(aunt, hash),
    proof.leafHash,
  );
}

/** Whether `proof` shows that `leaf` stands at its index under `root`. */
export function verifyMerkleProof(proof: MerkleProof, root: Uint8Array, leaf: Uint8Array): boolean {
  if (!equalBytes(proof.leafHash, leafHash(leaf))) return false;
  const reached = proofRoot(proof);
  return reached !== undefined && equalBytes(reached, root);
}

/**
 * Whether `path` shows that the tree of `newSize` leaves under `newRoot` starts with the tree of
 * `oldSize` leaves under `oldRoot`: nothing was changed or removed.
 *
 * Source: RFC 9162 section 2.1.4.2.
 */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (oldSize < 0 || oldSize > newSize || !path.every(isHash)) return false;
  if (oldSize === newSize) return path.length === 0 && equalBytes(oldRoot, newRoot);
  if (oldSize === 0) return path.length === 0 && equalBytes(oldRoot, EMPTY_ROOT);
  const [seed, ...rest] = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  if (seed === undefined) return false;
  const roots = climbPath(seed, { first: oldSize - 1, last: newSize - 1 }, rest);
  return roots !== undefined && equalBytes(roots.old, oldRoot) && equalBytes(roots.new, newRoot);
}

/** The two roots that a consistency path leads to, or `undefined` if it has the wrong length. */
function climbPath(
  seed: Uint8Array,
  lastLeaves: Positions,
  path: readonly Uint8Array[],
): { readonly old: Uint8Array; readonly new: Uint8Array } | undefined {
  let { first, last } = climbWhile(1, lastLeaves);
  let oldHash = seed;
  let newHash = seed;
  for (const node of path) {
    if (last === 0) return undefined;
    if (first % 2 === 1 || first === last) {
      oldHash = innerHash(node, oldHash);
      newHash = innerHash(node, newHash);
      ({ first, last } = climbWhile(0, { first, last }));
    } else newHash = innerHash(newHash, node);
    ({ first, last } = climb({ first, last }));
  }
  return last === 0 ? { old: oldHash, new: newHash } : undefined;
}

/** Positions of the last leaf of the older and the newer tree at one level of the newer. */
type Positions = { readonly first: number; readonly last: number };

function climb({ first, last }: Positions): Positions {
  return { first: Math.floor(first / 2), last: Math.floor(last / 2) };
}

/** Climbs while `first` has this lowest bit and is above zero. */
function climbWhile(bit: 0 | 1, from: Positions): Positions {
  let at = from;
  while (at.first % 2 === bit && at.first !== 0) at = climb(at);
  return at;
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
