/**
 * ICS-23 proofs of our tree under the unmodified @confio/ics23 and under our own verifier; the
 * forgeries that unpacked keys allow.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { ics23, tendermintSpec, verifyMembership, verifyNonMembership } from '@confio/ics23';
import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes, concatBytes, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { packKey, unpackKey } from '../../node/src/types/packed-key.ts';
import {
  commitmentProofCodec,
  type ExistenceProof,
  existenceRoot,
  LEAF_OP,
  verifyAbsence,
  verifyMembership as verifyOurs,
} from '../../node/src/types/proofs.ts';

import { rootHash } from '../../node/state/crown.ts';
import { proofBytes } from '../../node/state/ics23.ts';
import { leafText, textOf } from '../../node/state/text.ts';
import { findLeaf } from '../../node/state/trail.ts';
import { Update } from '../../node/state/tree.ts';
import { anyKey, flipped, hex, type NaiveLeaf, naiveLeaves, naiveRoot } from './support.ts';

const VECTORS = new URL('../vectors/ics23/', import.meta.url);

type Entries = readonly (readonly [Uint8Array, Uint8Array])[];

type Ours = { root: Uint8Array; prove: (key: Uint8Array) => Promise<Uint8Array> };

/** A tree of ours over logical keys: its root, and the proof it gives for any key. */
function treeOf(entries: Entries): Ours {
  const values = new Map(entries.map(([key, value]) => [textOf(key), value]));
  const changes = entries
    .map(([key, value]) => ({ key: textOf(key), hash: leafText(key, value) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const update = new Update(undefined);
  update.apply(changes, () => undefined);
  const prove = async (key: Uint8Array): Promise<Uint8Array> => {
    const found = await findLeaf(update.root, textOf(key), async ({ bucket }) =>
      present(update.fresh.get(bucket.key)?.leaves, 'leaves'),
    );
    return proofBytes(key, found, (logical) => present(values.get(textOf(logical)), 'value'));
  };
  return { root: rootHash(update.root), prove };
}

/** What the unmodified package says; decoding errors count as refusals. */
function packageSays(
  proof: Uint8Array,
  root: Uint8Array,
  key: Uint8Array,
  value?: Uint8Array,
): boolean {
  try {
    const decoded = ics23.CommitmentProof.decode(proof);
    return value === undefined
      ? verifyNonMembership(decoded, tendermintSpec, root, key)
      : verifyMembership(decoded, tendermintSpec, root, key, value);
  } catch {
    return false;
  }
}

const anyEntries = fc
  .uniqueArray(fc.tuple(anyKey, fc.uint8Array({ minLength: 1, maxLength: 5 })), {
    selector: ([key]) => toHex(key),
    minLength: 1,
    maxLength: 30,
  })
  .map((entries): Entries => entries);

describe('ics23 vectors', () => {
  type Vector = { key: string; value: string; proof: string; root: string };
  for (const name of readdirSync(VECTORS).filter((file) => file.endsWith('.json'))) {
    it(name, () => {
      const vector = JSON.parse(readFileSync(new URL(name, VECTORS), 'utf8')) as Vector;
      const [key, proof, root] = [hex(vector.key), hex(vector.proof), hex(vector.root)];
      const value = vector.value === '' ? undefined : hex(vector.value);
      expect(packageSays(proof, root, key, value)).to.equal(true);
      const decoded = commitmentProofCodec.decode(proof);
      expect(toHex(commitmentProofCodec.encode(decoded))).to.equal(vector.proof);
      const { exist, nonexist } = decoded;
      for (const record of [exist, nonexist?.left, nonexist?.right]) {
        if (record === undefined) continue;
        expect(toHex(existenceRoot(record) ?? expect.fail())).to.equal(vector.root);
      }
      // Its keys are text, which no key of our tree can be.
      expect(verifyOurs(proof, root, key, value ?? key)).to.equal(false);
      expect(verifyAbsence(proof, root, key)).to.equal(false);
    });
  }
});

describe('proofs of our tree', () => {
  it('verify with the unmodified package and with our verifier, of both kinds', async () => {
    await fc.assert(
      fc.asyncProperty(anyEntries, anyKey, async (entries, absent) => {
        const { root, prove } = treeOf(entries);
        for (const [key, value] of entries) {
          const proof = await prove(key);
          expect(packageSays(proof, root, packKey(key), value)).to.equal(true);
          expect(verifyOurs(proof, root, key, value)).to.equal(true);
          expect(verifyAbsence(proof, root, key)).to.equal(false);
        }
        if (entries.some(([key]) => toHex(key) === toHex(absent))) return;
        const proof = await prove(absent);
        expect(packageSays(proof, root, packKey(absent))).to.equal(true);
        expect(verifyAbsence(proof, root, absent)).to.equal(true);
        expect(verifyOurs(proof, root, absent, Uint8Array.of(1))).to.equal(false);
      }),
    );
  });

  it('fail when any bit of proof, key, value or root is changed', async () => {
    const entries = Array.from({ length: 9 }, (_, i) => [
      Uint8Array.of(1, 20 * i, i),
      utf8(`v${i}`),
    ]);
    const { root, prove } = treeOf(entries as unknown as Entries);
    const [key, value] = [Uint8Array.of(1, 80, 4), utf8('v4')];
    const [proof, absent] = [await prove(key), Uint8Array.of(1, 90, 0)];
    const absence = await prove(absent);
    for (let bit = 0; bit < proof.length * 8; bit++) {
      expect(verifyOurs(flipped(proof, bit), root, key, value), `bit ${bit}`).to.equal(false);
    }
    for (let bit = 0; bit < absence.length * 8; bit++) {
      expect(verifyAbsence(flipped(absence, bit), root, absent), `bit ${bit}`).to.equal(false);
    }
    for (let bit = 0; bit < 8 * 32; bit++) {
      expect(verifyOurs(proof, flipped(root, bit), key, value)).to.equal(false);
      expect(packageSays(proof, flipped(root, bit), packKey(key), value)).to.equal(false);
      expect(packageSays(absence, flipped(root, bit), packKey(absent))).to.equal(false);
      expect(verifyAbsence(absence, flipped(root, bit), absent)).to.equal(false);
    }
    for (let bit = 0; bit < 8 * key.length; bit++) {
      expect(verifyOurs(proof, root, flipped(key, bit), value)).to.equal(false);
      expect(verifyAbsence(absence, root, flipped(absent, bit))).to.equal(false);
    }
    for (let bit = 0; bit < 8 * value.length; bit++) {
      expect(verifyOurs(proof, root, key, flipped(value, bit))).to.equal(false);
    }
  });

  it('do not show the absence of a record by neighbours that are not neighbours', async () => {
    await fc.assert(
      fc.asyncProperty(anyEntries, fc.nat(), fc.nat(), fc.nat(), async (entries, a, b, c) => {
        const { root, prove } = treeOf(entries);
        const keys = entries.map(([key]) => key).sort(compareBytes);
        const at = (i: number): Uint8Array => present(keys[i % keys.length], 'key');
        const existOf = async (key: Uint8Array): Promise<ExistenceProof | undefined> =>
          commitmentProofCodec.decode(await prove(key)).exist;
        const [left, right] = [await existOf(at(a)), await existOf(at(b))];
        const key = at(c);
        for (const pair of [
          { left, right },
          { left, right: undefined },
          { left: undefined, right },
        ]) {
          const nonexist = { key: packKey(key), ...pair };
          const forged = commitmentProofCodec.encode({ exist: undefined, nonexist });
          expect(verifyAbsence(forged, root, key)).to.equal(false);
          expect(packageSays(forged, root, packKey(key))).to.equal(false);
        }
      }),
    );
  });

  it('of a tree without records show that any key is absent', async () => {
    const { root, prove } = treeOf([]);
    const key = Uint8Array.of(1);
    expect(verifyAbsence(await prove(key), root, key)).to.equal(true);
    expect(verifyAbsence(await prove(key), new Uint8Array(32), key)).to.equal(false);
  });
});

/** The honest proof of a leaf of a naive tree, whose keys may be unpacked. */
function honest({ key, value, path }: NaiveLeaf): ExistenceProof {
  return { key, value, leaf: LEAF_OP, path: path.map((op) => ({ hash: 1, ...op })) };
}

/**
 * Reads a leaf's preimage anew: the end of its key, from `at` on, as length and bytes of another
 * key, and what is before as a longer leaf prefix. Every byte that is hashed stays the same.
 */
function reread(proof: ExistenceProof, at: number): ExistenceProof | undefined {
  const { key } = proof;
  if (key[at] !== key.length - at - 1) return undefined;
  const prefix = concatBytes(Uint8Array.of(0, key.length), key.subarray(0, at));
  return { ...proof, key: key.subarray(at + 1), leaf: { ...LEAF_OP, prefix } };
}

function leafOf(leaves: readonly NaiveLeaf[], key: Uint8Array): NaiveLeaf {
  return present(
    leaves.find((leaf) => toHex(leaf.key) === toHex(key)),
    'leaf',
  );
}

describe('forgeries by a longer leaf prefix', () => {
  const victim = utf8('balance/alice');
  const chosen = concatBytes(utf8('note/'), Uint8Array.of(victim.length), victim);
  const version256 = concatBytes(utf8('memory/'), Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0));
  const records: Entries = [
    [utf8('balance/bob'), utf8('7')],
    [chosen, utf8('1000000')],
    [version256, utf8('text')],
    [utf8('zone'), utf8('z')],
  ];

  it('succeed against unmodified ics23 on unpacked keys: a record that is not there', () => {
    const leaves = naiveLeaves(records);
    const root = naiveRoot(leaves);
    const exist = present(reread(honest(leafOf(leaves, chosen)), 5), 'forgery');
    const forged = commitmentProofCodec.encode({ exist, nonexist: undefined });
    expect(packageSays(forged, root, victim, utf8('1000000'))).to.equal(true);
    expect(verifyOurs(forged, root, victim, utf8('1000000'))).to.equal(false);
  });

  it('succeed against unmodified ics23 on unpacked keys: absence of a record that is there', () => {
    const leaves = naiveLeaves(records);
    const root = naiveRoot(leaves);
    const bob = utf8('balance/bob');
    const left = present(reread(honest(leafOf(leaves, version256)), version256.length - 2), 'left');
    expect(toHex(left.key)).to.equal('00');
    const right = honest(leafOf(leaves, chosen));
    const forged = commitmentProofCodec.encode({
      exist: undefined,
      nonexist: { key: bob, left, right },
    });
    expect(packageSays(forged, root, bob)).to.equal(true);
    expect(verifyAbsence(forged, root, bob)).to.equal(false);
    const truth = commitmentProofCodec.encode({
      exist: honest(leafOf(leaves, bob)),
      nonexist: undefined,
    });
    expect(packageSays(truth, root, bob, utf8('7'))).to.equal(true);
  });

  it('fail on our tree: the same records, every way to read a leaf anew', () => {
    const leaves = naiveLeaves(records.map(([key, value]) => [packKey(key), value]));
    const root = naiveRoot(leaves);
    expect(toHex(root)).to.equal(toHex(treeOf(records).root));
    for (const leaf of leaves) {
      const proof = honest(leaf);
      for (let at = 0; at < leaf.key.length; at++) expect(reread(proof, at)).to.equal(undefined);
    }
    // The victim's key put where it is unpacked, in an honest leaf's place, with a longer prefix.
    const target = leafOf(leaves, packKey(chosen));
    for (let cut = 1; cut < target.key.length; cut++) {
      const prefix = concatBytes(Uint8Array.of(0, target.key.length), target.key.subarray(0, cut));
      const key = target.key.subarray(cut);
      const exist = { ...honest(target), key, leaf: { ...LEAF_OP, prefix } };
      const forged = commitmentProofCodec.encode({ exist, nonexist: undefined });
      expect(packageSays(forged, root, key, target.value)).to.equal(false);
    }
  });

  it('have nowhere to start in any packed key: no byte of it can end a length', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 111 });
    fc.assert(
      fc.property(key, (logical) => {
        const packed = packKey(logical);
        // A varint's last byte is below 0x80; a length inside the key would need one.
        expect(packed.some((byte) => byte < 0x80)).to.equal(false);
        expect(unpackKey(packed.subarray(1))?.length ?? 0).to.be.lessThan(logical.length + 1);
      }),
    );
  });

  it('fail under our verifier even on unpacked keys: it demands the exact leaf prefix', () => {
    const leaves = naiveLeaves(records);
    naiveRoot(leaves);
    const forged = present(reread(honest(leafOf(leaves, chosen)), 5), 'forgery');
    expect(existenceRoot(forged)).to.equal(undefined);
    expect(existenceRoot(honest(leafOf(leaves, chosen)))).to.not.equal(undefined);
  });
});
