/**
 * The tree against a naive one: same root for any order, shared structure, buckets, packed keys.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes, toHex } from '../../node/src/base/bytes.ts';
import { packKey, unpackKey } from '../../node/src/types/packed-key.ts';
import { rangeOf } from '../../node/state/buckets.ts';
import { crownOf, rootHash } from '../../node/state/crown.ts';
import { bytesOf, leafText, textOf } from '../../node/state/text.ts';
import { findLeaf } from '../../node/state/trail.ts';
import {
  type Bucket,
  bucketsOf,
  Inner,
  type LeafChange,
  type Leaves,
  leavesHash,
  MAX_LEAVES,
  placeOf,
  type Root,
  Update,
} from '../../node/state/tree.ts';
import { anyKey, anyValue, applyTo, hex, type Model, naiveLeaves, naiveRoot } from './support.ts';

type Changes = readonly (readonly [Uint8Array, Uint8Array | undefined])[];

const anyChanges = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 60 });

function leafChanges(changes: Changes): LeafChange[] {
  const last = new Map(changes.map(([key, value]) => [textOf(key), value]));
  return [...last]
    .map(([key, value]) => ({ key, hash: value && leafText(bytesOf(key), value) }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
}

function modelRoot(model: Model): string {
  const packed = [...model].map(([key, value]) => [packKey(hex(key)), value] as const);
  return toHex(naiveRoot(naiveLeaves(packed)));
}

/** The leaves of a bucket of a model's tree: all records in the bucket's range. */
function leavesIn(model: Model, root: Root, bucket: Bucket): Leaves {
  const { bits } = placeOf(root, bucket.key) ?? expect.fail('no such bucket');
  const { from, to } = rangeOf(bucket.key, bits);
  const within = [...model]
    .map(([key, value]) => [hex(key), value] as const)
    .filter(([key]) => compareBytes(from, key) <= 0 && compareBytes(key, to) < 0)
    .sort(([a], [b]) => compareBytes(a, b));
  return {
    keys: within.map(([key]) => textOf(key)),
    hashes: within.map(([key, value]) => leafText(key, value)),
  };
}

/** A tree whose leaves are found in the model alone. */
class Tree {
  root: Root;
  readonly model: Model = new Map();
  /** Buckets by name as the updates said. */
  readonly named = new Map<string, Bucket>();

  apply(changes: Changes, pieces = 1): Update {
    const { root } = this;
    const before: Model = new Map(this.model);
    const update = new Update(root);
    const leaves = leafChanges(changes);
    const size = Math.ceil(leaves.length / pieces);
    for (let at = 0; at < leaves.length; at += size) {
      const piece = leaves.slice(at, at + size);
      const placed = piece.every(({ key }) => placeOf(update.root, key) !== undefined);
      update.apply(piece, (bucket) => leavesIn(before, root, bucket), placed);
    }
    applyTo(this.model, changes);
    this.root = update.root;
    for (const name of update.stale) expect(this.named.delete(name)).to.equal(true);
    for (const [name, { bucket, leaves }] of update.fresh) {
      expect(this.named.has(name), 'a new name').to.equal(false);
      expect(leavesIn(this.model, this.root, bucket)).to.deep.equal(leaves);
      this.named.set(name, bucket);
    }
    return update;
  }

  get hash(): string {
    return toHex(rootHash(this.root));
  }
}

const anyBatches = fc.array(fc.tuple(anyChanges, fc.integer({ min: 1, max: 4 })), { maxLength: 8 });

describe('tree', () => {
  it('has the root of a tree hashed from nothing, after any batches in any pieces', () => {
    fc.assert(
      fc.property(anyBatches, (batches) => {
        const tree = new Tree();
        for (const [batch, pieces] of batches) {
          tree.apply(batch, pieces);
          expect(tree.hash).to.equal(modelRoot(tree.model));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of changes, and removal restores the root before', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyKey, { selector: toHex, minLength: 2, maxLength: 40 }),
        fc.infiniteStream(fc.nat()),
        (keys, order) => {
          const shuffled = keys
            .map((key) => [order.next().value ?? 0, key] as const)
            .sort(([a], [b]) => a - b);
          const tree = new Tree();
          const before: string[] = [];
          for (const [, key] of shuffled) {
            before.push(tree.hash);
            tree.apply([[key, Uint8Array.of(1)]]);
          }
          const once = new Tree();
          once.apply(keys.map((key) => [key, Uint8Array.of(1)] as const));
          expect(tree.hash).to.equal(once.hash);
          for (const [, key] of shuffled.reverse()) {
            tree.apply([[key, undefined]]);
            expect(tree.hash).to.equal(before.pop());
          }
          expect(tree.named.size).to.equal(0);
        },
      ),
    );
  });

  it('leaves the tree object itself when nothing changes', () => {
    const tree = new Tree();
    const changes = [1, 2, 3].map((n) => [Uint8Array.of(n, 9), Uint8Array.of(n)] as const);
    tree.apply(changes);
    const { root } = tree;
    for (const same of [changes, [[Uint8Array.of(4, 4), undefined] as const]]) {
      expect(tree.apply(same).fresh.size).to.equal(0);
      expect(tree.root).to.equal(root);
    }
  });

  it('is cut into buckets that are bounded, named once, and told when they change', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, async (batches) => {
        const tree = new Tree();
        for (const [batch, pieces] of batches) tree.apply(batch, pieces);
        const buckets = [...bucketsOf(tree.root)];
        const names = buckets.map(({ key }) => key);
        expect(names).to.deep.equal([...tree.named.keys()].sort());
        for (const bucket of buckets) {
          expect(tree.named.get(bucket.key)).to.equal(bucket);
          expect(bucket.size).to.be.within(1, MAX_LEAVES);
          const leaves = leavesIn(tree.model, tree.root, bucket);
          expect(leaves.keys.length).to.equal(bucket.size);
          expect(leavesHash(leaves, 0, bucket.size)).to.equal(bucket.hash);
        }
        // Names and hashes of the buckets alone give the same crown, and one that goes on the same.
        const again = new Tree();
        again.root = await crownOf(buckets);
        expect(again.hash).to.equal(tree.hash);
        expect(shape(again.root)).to.equal(shape(tree.root));
      }),
    );
  });

  it('goes on from a crown made again as from the first one', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, anyBatches, async (first, second) => {
        const tree = new Tree();
        for (const [batch, pieces] of first) tree.apply(batch, pieces);
        tree.root = await crownOf([...bucketsOf(tree.root)]);
        for (const [batch, pieces] of second) {
          tree.apply(batch, pieces);
          expect(tree.hash).to.equal(modelRoot(tree.model));
        }
      }),
    );
  });

  it('finds leaves and the neighbours of absent keys', async () => {
    await fc.assert(
      fc.asyncProperty(anyChanges, anyKey, async (changes, key) => {
        const tree = new Tree();
        tree.apply(changes);
        const found = await findLeaf(tree.root, textOf(key), ({ bucket, bits }) => {
          expect(placeOf(tree.root, bucket.key)?.bits).to.equal(bits);
          return Promise.resolve(leavesIn(tree.model, tree.root, bucket));
        });
        const keys = [...tree.model.keys()].sort();
        expect(found.kind).to.equal(tree.model.has(toHex(key)) ? 'leaf' : 'gap');
        if (found.kind !== 'gap') return;
        const name = (leaf: string | undefined): string | undefined => leaf && toHex(bytesOf(leaf));
        expect(name(found.before?.key)).to.equal(keys.findLast((k) => k < toHex(key)));
        expect(name(found.after?.key)).to.equal(keys.find((k) => k > toHex(key)));
      }),
      { numRuns: 300 },
    );
  });
});

/** Where a crown branches. */
function shape(root: Root): string {
  return root instanceof Inner ? `(${shape(root.left)}${root.bit}${shape(root.right)})` : '.';
}

describe('packed keys', () => {
  it('unpack to what was packed, keep order, and set every top bit', () => {
    const key = fc.uint8Array({ minLength: 1, maxLength: 111 });
    fc.assert(
      fc.property(key, fc.nat(110), fc.nat(255), (bytes, at, byte) => {
        const packed = packKey(bytes);
        expect(packed.length).to.be.at.most(127);
        expect(packed.every((b) => b >= 0x80)).to.equal(true);
        expect(toHex(unpackKey(packed) ?? expect.fail())).to.equal(toHex(bytes));
        const other = Uint8Array.from(bytes);
        other[at % bytes.length] = byte;
        const order = Math.sign(compareBytes(bytes, other));
        expect(Math.sign(compareBytes(packed, packKey(other)))).to.equal(order);
      }),
    );
  });

  it('refuse keys of no or too many bytes, and bytes that no key packs to', () => {
    expect(() => packKey(new Uint8Array(0))).to.throw('0 bytes');
    expect(() => packKey(new Uint8Array(112))).to.throw('112 bytes');
    expect(unpackKey(new Uint8Array(0))).to.equal(undefined);
    expect(unpackKey(Uint8Array.of(0x80))).to.equal(undefined);
    expect(unpackKey(Uint8Array.of(0x80, 0x01))).to.equal(undefined);
    expect(unpackKey(Uint8Array.of(0x80, 0x81))).to.equal(undefined);
    expect(unpackKey(Uint8Array.of(0x80, 0xc0))).to.deep.equal(Uint8Array.of(1));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
        const key = unpackKey(bytes);
        if (key !== undefined) expect(toHex(packKey(key))).to.equal(toHex(bytes));
      }),
    );
  });
});
