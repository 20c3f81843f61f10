/**
 * ICS-23 proofs made from trails of the tree; verified by types/proofs.ts and any ICS-23 verifier.
 *
 * @module
 */
import {
  commitmentProofCodec,
  type ExistenceProof,
  innerOp,
  LEAF_OP,
} from '../src/types/proofs.ts';
import type { Found, Trail } from './tree.ts';

/** Reads the value of a leaf, by its packed key, at the height of the tree. */
export type ReadValue = (packedKey: Uint8Array) => Uint8Array;

function existence({ leaf, steps }: Trail, readValue: ReadValue): ExistenceProof {
  const path = steps.map(({ right, sibling }) => innerOp(right, sibling));
  return { key: leaf.key, value: readValue(leaf.key), leaf: LEAF_OP, path };
}

/** CommitmentProof bytes for what the tree says about the packed key `key`. */
export function proofBytes(key: Uint8Array, found: Found, readValue: ReadValue): Uint8Array {
  if (found.kind === 'leaf') {
    return commitmentProofCodec.encode({
      exist: existence(found.trail, readValue),
      nonexist: undefined,
    });
  }
  const left = found.before && existence(found.before, readValue);
  const right = found.after && existence(found.after, readValue);
  return commitmentProofCodec.encode({ exist: undefined, nonexist: { key, left, right } });
}
