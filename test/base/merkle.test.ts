/**
 * Merkle trees: published hashes, inclusion and consistency proofs, and forgeries.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { equalBytes, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import {
  EMPTY_ROOT,
  innerHash,
  leafHash,
  merkleProofs,
  merkleRoot,
  proofRoot,
  rootOfHashes,
  splitPoint,
  verifyConsistency,
  verifyMerkleProof,
} from '../../node/src/base/merkle.ts';

const leafLists = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 40 });

/** RFC 9162 section 2.1.4.1, over leaf hashes: the path a log serves. */
function consistencyPath(hashes: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  const subproof = (m: number, from: number, to: number, complete: boolean): Uint8Array[] => {
    if (m === to - from) return complete ? [] : [rootOfHashes(hashes, from, to)];
    const k = splitPoint(to - from);
    return m <= k
      ? [...subproof(m, from, from + k, complete), rootOfHashes(hashes, from + k, to)]
      : [...subproof(m - k, from + k, to, false), rootOfHashes(hashes, from, from + k)];
  };
  return oldSize === 0 || oldSize === hashes.length
    ? []
    : subproof(oldSize, 0, hashes.length, true);
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const out = new Uint8Array(bytes);
  out[at % out.length] = (out[at % out.length] ?? 0) ^ 1;
  return out;
}

describe('Merkle trees', () => {
  // CometBFT crypto/merkle/tree_test.go, TestHashFromByteSlices.
  const roots: readonly (readonly [leaves: number[][], root: string])[] = [
    [[], 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [[[1, 2, 3]], '054edec1d0211f624fed0cbca9d4f9400b0e491c43742af2c5b0abebf0c990d8'],
    [[[]], '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
    [
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      '82e6cfce00453804379b53962939eaa7906b39904be0813fcadd31b100773c4b',
    ],
    [
      [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ],
      'f326493eceab4f2d9ffbc78c59432a0a005d6ea98392045c74df5d14a113be18',
    ],
  ];
  for (const [leaves, root] of roots) {
    it(`gives CometBFT's root of ${leaves.length} leaves ${JSON.stringify(leaves)}`, () => {
      const bytes = leaves.map((leaf) => new Uint8Array(leaf));
      expect(toHex(merkleRoot(bytes))).to.equal(root);
      expect(toHex(merkleProofs(bytes).root)).to.equal(root);
    });
  }

  // CometBFT crypto/merkle/rfc6962_test.go.
  it('hashes leaves and nodes as RFC 6962', () => {
    expect(toHex(leafHash(utf8('L123456')))).to.equal(
      '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
    );
    expect(toHex(innerHash(utf8('N123'), utf8('N456')))).to.equal(
      'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
    );
  });

  // CometBFT crypto/merkle/tree_test.go, Test_getSplitPoint.
  it('splits at the largest power of two below the size', () => {
    const sizes = [2, 3, 4, 5, 10, 20, 100, 255, 256, 257];
    expect(sizes.map(splitPoint)).to.deep.equal([1, 2, 2, 4, 8, 16, 64, 128, 128, 256]);
  });

  it('proves every leaf, at its own index only', () => {
    fc.assert(
      fc.property(leafLists, fc.nat(), (leaves, pick) => {
        const { root, proofs } = merkleProofs(leaves);
        expect(root).to.deep.equal(merkleRoot(leaves));
        for (const [index, leaf] of leaves.entries()) {
          const proof = present(proofs[index], 'proof');
          expect(verifyMerkleProof(proof, root, leaf)).to.equal(true);
        }
        const index = pick % leaves.length;
        const proof = present(proofs[index], 'proof');
        const leaf = present(leaves[index], 'leaf');
        expect(verifyMerkleProof(proof, flipped(root, pick), leaf)).to.equal(false);
        expect(verifyMerkleProof({ ...proof, aunts: [...proof.aunts, root] }, root, leaf)).to.equal(
          false,
        );
        if (leaves.length > 1) {
          expect(verifyMerkleProof({ ...proof, aunts: proof.aunts.slice(1) }, root, leaf)).to.equal(
            false,
          );
          const elsewhere = (index + 1) % leaves.length;
          const moved = { ...proof, index: elsewhere };
          const same = equalBytes(leaf, present(leaves[elsewhere], 'leaf'));
          expect(verifyMerkleProof(moved, root, leaf) && !same).to.equal(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('refuses proofs of impossible shape', () => {
    const { proofs } = merkleProofs([utf8('apple'), utf8('watermelon'), utf8('kiwi')]);
    const proof = present(proofs[0], 'proof');
    const bad = [
      { ...proof, total: -1 },
      { ...proof, total: 0 },
      { ...proof, index: -1 },
      { ...proof, index: 3 },
      { ...proof, leafHash: new Uint8Array(10) },
      { ...proof, aunts: Array.from({ length: 101 }, () => EMPTY_ROOT) },
      { ...proof, aunts: [new Uint8Array(10), ...proof.aunts.slice(1)] },
    ];
    for (const one of bad) expect(proofRoot(one)).to.equal(undefined);
    expect(proofRoot(proof)).to.not.equal(undefined);
  });

  it('shows consistency between any two sizes of one log, and of no other', () => {
    fc.assert(
      fc.property(leafLists, fc.nat(), fc.nat(), (leaves, a, b) => {
        const hashes = leaves.map(leafHash);
        const oldSize = a % (leaves.length + 1);
        const [oldRoot, newRoot] = [rootOfHashes(hashes, 0, oldSize), rootOfHashes(hashes)];
        const path = consistencyPath(hashes, oldSize);
        const size = leaves.length;
        expect(verifyConsistency(oldSize, oldRoot, size, newRoot, path)).to.equal(true);
        const wrongOld = flipped(oldRoot, b);
        expect(verifyConsistency(oldSize, wrongOld, size, newRoot, path)).to.equal(false);
        const longer = [...path, newRoot];
        expect(verifyConsistency(oldSize, oldRoot, size, newRoot, longer)).to.equal(false);
        expect(verifyConsistency(size + 1, oldRoot, size, newRoot, path)).to.equal(false);
        if (oldSize > 0) {
          const wrongNew = flipped(newRoot, b);
          expect(verifyConsistency(oldSize, oldRoot, size, wrongNew, path)).to.equal(false);
        }
        if (path.length > 0) {
          const at = b % path.length;
          const altered = path.map((hash, i) => (i === at ? flipped(hash, b) : hash));
          expect(verifyConsistency(oldSize, oldRoot, size, newRoot, altered)).to.equal(false);
          const shorter = path.slice(1);
          expect(verifyConsistency(oldSize, oldRoot, size, newRoot, shorter)).to.equal(false);
        }
      }),
      { numRuns: 200 },
    );
  });
});
