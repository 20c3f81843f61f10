/**
 * ICS-23 proofs made from trails of the tree; verified by types/proofs.ts and any ICS-23 verifier.
 *
 * @module
 */

import { packKey } from '../src/types/packed-key.ts';
import {
  commitmentProofCodec,
  type ExistenceProof,
  innerOp,
  LEAF_OP,
} from '../src/types/proofs.ts';
import { bytesOf } from './text.ts';
import type { Found, Trail } from './trail.ts';

/** Reads the value of a record, by its logical key, at the height of the tree. */
export type ReadValue = (key: Uint8Array) => Uint8Array;

function existence({ key, steps }: Trail, readValue: ReadValue): ExistenceProof {
  const path = steps.map(({ right, sibling }) => innerOp(right, bytesOf(sibling)));
  const logical = bytesOf(key);
  return { key: packKey(logical), value: readValue(logical), leaf: LEAF_OP, path };
}

/** CommitmentProof bytes for what the tree says about the logical key `key`. */
export function proofBytes(key: Uint8Array, found: Found, readValue: ReadValue): Uint8Array {
  if (found.kind === 'leaf') {
    return commitmentProofCodec.encode({
      exist: existence(found.trail, readValue),
      nonexist: undefined,
    });
  }
  const left = found.before && existence(found.before, readValue);
  const right = found.after && existence(found.after, readValue);
  return commitmentProofCodec.encode({
    exist: undefined,
    nonexist: { key: packKey(key), left, right },
  });
}
