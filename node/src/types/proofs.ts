/**
 * Proofs that records are in the state or absent from it: ICS-23 bytes and their verifier.
 *
 * Upholds: accepts only what our tree makes: the exact leaf prefix 0x00, inner nodes of one shape,
 * keys in packed form, canonical bytes. That is stricter than ICS-23, whose specification lets a
 * leaf prefix only *start* with 0x00 and ignores the key that an absence proof names. Any changed
 * bit makes verification fail. Total: malformed bytes are a failed proof, never an error.
 * Absent here: trust in the root; it is `appHash` of the header of height + 1.
 * Spec: cosmos/ics23 proofs.proto, TendermintSpec. Pure; runs in a browser.
 *
 * @module
 */
import { compareBytes, EMPTY, equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { HASH_SIZE, sha256 } from '../base/hash.ts';
import { EMPTY_ROOT } from '../base/merkle.ts';
import { bytes, type Codec, list, message, optional, uint } from '../base/proto.ts';
import { MAX_PACKED_BYTES, packKey, unpackKey } from './packed-key.ts';

/** Most bytes of a record's value in a proof: 4 MiB. */
export const MAX_VALUE_BYTES = 4_194_304;
/** Most steps from a leaf to the root: one per bit of a packed key. */
const MAX_STEPS = MAX_PACKED_BYTES * 7;

const SHA256_OP = 1;
const VAR_PROTO = 1;

/** How a leaf is hashed; ours is always `LEAF_OP`. */
export type LeafOp = {
  readonly hash: number;
  readonly prehashKey: number;
  readonly prehashValue: number;
  readonly length: number;
  readonly prefix: Uint8Array;
};

/** How a child's hash goes into its parent's. */
export type InnerOp = {
  readonly hash: number;
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
};

/** A record and its way to the root. Keys are packed. */
export type ExistenceProof = {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly leaf: LeafOp | undefined;
  readonly path: readonly InnerOp[];
};

/** The records on both sides of a key that is not there. */
export type NonExistenceProof = {
  readonly key: Uint8Array;
  readonly left: ExistenceProof | undefined;
  readonly right: ExistenceProof | undefined;
};

/** What `abci_query` returns as a proof: one of the two. */
export type CommitmentProof = {
  readonly exist: ExistenceProof | undefined;
  readonly nonexist: NonExistenceProof | undefined;
};

/** The one leaf operation of TendermintSpec, with its exact prefix. */
export const LEAF_OP: LeafOp = {
  hash: SHA256_OP,
  prehashKey: 0,
  prehashValue: SHA256_OP,
  length: VAR_PROTO,
  prefix: Uint8Array.of(0),
};

/** The inner operation of a child on the left or right of `sibling`. */
export function innerOp(right: boolean, sibling: Uint8Array): InnerOp {
  if (!right) return { hash: SHA256_OP, prefix: Uint8Array.of(1), suffix: sibling };
  const prefix = new Uint8Array(1 + HASH_SIZE);
  prefix[0] = 1;
  prefix.set(sibling, 1);
  return { hash: SHA256_OP, prefix, suffix: EMPTY };
}

const leafOpCodec: Codec<LeafOp> = message<LeafOp>('LeafOp', {
  hash: uint(1, 255),
  prehashKey: uint(2, 255),
  prehashValue: uint(3, 255),
  length: uint(4, 255),
  prefix: bytes(5, HASH_SIZE),
});

const innerOpCodec: Codec<InnerOp> = message<InnerOp>('InnerOp', {
  hash: uint(1, 255),
  prefix: bytes(2, 2 * HASH_SIZE),
  suffix: bytes(3, 2 * HASH_SIZE),
});

const existenceCodec: Codec<ExistenceProof> = message<ExistenceProof>('ExistenceProof', {
  key: bytes(1, MAX_VALUE_BYTES),
  value: bytes(2, MAX_VALUE_BYTES),
  leaf: optional(3, leafOpCodec),
  path: list(4, innerOpCodec, MAX_STEPS),
});

const nonExistenceCodec: Codec<NonExistenceProof> = message<NonExistenceProof>(
  'NonExistenceProof',
  {
    key: bytes(1, MAX_VALUE_BYTES),
    left: optional(2, existenceCodec),
    right: optional(3, existenceCodec),
  },
);

/** cosmos.ics23.v1.CommitmentProof without its batch forms. */
export const commitmentProofCodec: Codec<CommitmentProof> = message<CommitmentProof>(
  'CommitmentProof',
  { exist: optional(1, existenceCodec), nonexist: optional(2, nonExistenceCodec) },
);

/**
 * Whether `proof` shows that the record `key` has `value` under `root`.
 *
 * @param proof - CommitmentProof bytes, as `abci_query` returns them
 * @param key - the logical key, not packed
 */
export function verifyMembership(
  proof: Uint8Array,
  root: Uint8Array,
  key: Uint8Array,
  value: Uint8Array,
): boolean {
  return guarded(() => {
    const { exist, nonexist } = commitmentProofCodec.decode(proof);
    return (
      exist !== undefined &&
      nonexist === undefined &&
      equalBytes(exist.key, packKey(key)) &&
      equalBytes(exist.value, value) &&
      leadsTo(exist, root)
    );
  });
}

/**
 * Whether `proof` shows that there is no record `key` under `root`.
 *
 * @param proof - CommitmentProof bytes, as `abci_query` returns them
 * @param key - the logical key, not packed
 */
export function verifyAbsence(proof: Uint8Array, root: Uint8Array, key: Uint8Array): boolean {
  return guarded(() => {
    const { exist, nonexist } = commitmentProofCodec.decode(proof);
    if (nonexist === undefined || exist !== undefined) return false;
    const packed = packKey(key);
    return equalBytes(nonexist.key, packed) && bracketed(nonexist, root, packed);
  });
}

/** Runs a check; bytes that do not decode fail it. */
function guarded(check: () => boolean): boolean {
  try {
    return check();
  } catch (thrown) {
    if (thrown instanceof LedgerError) return false;
    throw thrown;
  }
}

function bracketed(proof: NonExistenceProof, root: Uint8Array, key: Uint8Array): boolean {
  const { left, right } = proof;
  if (left !== undefined && !(compareBytes(left.key, key) < 0 && leadsTo(left, root))) return false;
  if (right !== undefined && !(compareBytes(key, right.key) < 0 && leadsTo(right, root))) {
    return false;
  }
  if (left === undefined && right === undefined) return equalBytes(root, EMPTY_ROOT);
  if (left === undefined) return (right?.path ?? []).every(isLeftChild);
  if (right === undefined) return left.path.every(isRightChild);
  return adjacent(left.path, right.path);
}

function isRightChild(step: InnerOp): boolean {
  return step.suffix.length === 0;
}

function isLeftChild(step: InnerOp): boolean {
  return !isRightChild(step);
}

/** Whether two ways to the root come from neighbouring leaves. */
function adjacent(left: readonly InnerOp[], right: readonly InnerOp[]): boolean {
  let l = left.length - 1;
  let r = right.length - 1;
  while (l >= 0 && r >= 0 && sameStep(left[l], right[r])) {
    l--;
    r--;
  }
  const [below, above] = [left[l], right[r]];
  if (below === undefined || above === undefined) return false;
  return (
    isLeftChild(below) &&
    isRightChild(above) &&
    left.slice(0, l).every(isRightChild) &&
    right.slice(0, r).every(isLeftChild)
  );
}

function sameStep(a: InnerOp | undefined, b: InnerOp | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return equalBytes(a.prefix, b.prefix) && equalBytes(a.suffix, b.suffix);
}

function isOurLeaf(op: LeafOp | undefined): boolean {
  return (
    op !== undefined &&
    op.hash === LEAF_OP.hash &&
    op.prehashKey === LEAF_OP.prehashKey &&
    op.prehashValue === LEAF_OP.prehashValue &&
    op.length === LEAF_OP.length &&
    equalBytes(op.prefix, LEAF_OP.prefix)
  );
}

function isOurStep(op: InnerOp): boolean {
  const { prefix, suffix } = op;
  if (op.hash !== SHA256_OP || prefix[0] !== 1) return false;
  return suffix.length === 0
    ? prefix.length === 1 + HASH_SIZE
    : prefix.length === 1 && suffix.length === HASH_SIZE;
}

/**
 * The root that a record leads to by operations of our tree alone; `undefined` if it has others.
 *
 * The key may be of any form here: `verifyMembership` and `verifyAbsence` demand a packed one.
 */
export function existenceRoot({ key, value, leaf, path }: ExistenceProof): Uint8Array | undefined {
  if (!isOurLeaf(leaf) || !path.every(isOurStep)) return undefined;
  if (key.length === 0 || key.length > MAX_PACKED_BYTES || value.length === 0) return undefined;
  let hash = stateLeafHash(key, value);
  for (const { prefix, suffix } of path) {
    const input = new Uint8Array(prefix.length + HASH_SIZE + suffix.length);
    input.set(prefix);
    input.set(hash, prefix.length);
    input.set(suffix, prefix.length + HASH_SIZE);
    hash = sha256(input);
  }
  return hash;
}

function leadsTo(proof: ExistenceProof, root: Uint8Array): boolean {
  const reached = unpackKey(proof.key) && existenceRoot(proof);
  return reached !== undefined && equalBytes(reached, root);
}

/**
 * The hash of a leaf of the state tree: SHA-256(0 ‖ length ‖ key ‖ 32 ‖ SHA-256(value)).
 *
 * @param key - packed, at most 127 bytes
 */
function stateLeafHash(key: Uint8Array, value: Uint8Array): Uint8Array {
  const input = new Uint8Array(key.length + 3 + HASH_SIZE);
  input[1] = key.length;
  input.set(key, 2);
  input[key.length + 2] = HASH_SIZE;
  input.set(sha256(value), key.length + 3);
  return sha256(input);
}
