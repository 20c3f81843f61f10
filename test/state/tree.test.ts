/**
 * The tree against a naive one: same root for any order, history in the structure, pages.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { compareBytes, toHex } from '../../node/src/base/bytes.ts';
import { packKey, unpackKey } from '../../node/src/types/packed-key.ts';
import { stateLeafHash } from '../../node/src/types/proofs.ts';
import { decodePage, encodePage, PageCache, unstoredPages } from '../../node/state/pages.ts';
import {
  findLeaf,
  Inner,
  type LeafChange,
  Page,
  type Root,
  rootHash,
  updateTree,
} from '../../node/state/tree.ts';
import { anyKey, anyValue, applyTo, hex, type Model, naiveLeaves, naiveRoot } from './support.ts';

type Changes = readonly (readonly [Uint8Array, Uint8Array | undefined])[];

const anyChanges = fc.array(fc.tuple(anyKey, anyValue), { maxLength: 30 });

function leafChanges(changes: Changes): LeafChange[] {
  const last = new Map(changes.map(([key, value]) => [toHex(key), [key, value] as const]));
  return [...last.values()]
    .map(([key, value]) => {
      const packed = packKey(key);
      return { key: packed, hash: value && stateLeafHash(packed, value) };
    })
    .sort((a, b) => compareBytes(a.key, b.key));
}

function modelRoot(model: Model): string {
  const packed = [...model].map(([key, value]) => [packKey(hex(key)), value] as const);
  return toHex(naiveRoot(naiveLeaves(packed)));
}

/** Pages in a map, of which almost none stay in memory. */
class Shelf {
  readonly stored = new Map<number, Uint8Array>();
  readonly cache = new PageCache((id) => this.stored.get(id) ?? expect.fail(`no page ${id}`), 8);

  store(root: Root): void {
    for (const page of unstoredPages(root)) {
      page.id = this.stored.size + 1;
      const bytes = encodePage(page.root as Inner);
      this.stored.set(page.id, bytes);
      this.cache.stored(page, bytes.length);
    }
  }
}

const loadInMemory = (page: Page): Inner => page.root ?? expect.fail('not in memory');

describe('tree', () => {
  it('has the root of a tree hashed from nothing, after any batches of changes', () => {
    fc.assert(
      fc.property(fc.array(anyChanges, { maxLength: 8 }), (batches) => {
        const model: Model = new Map();
        let root: Root;
        for (const batch of batches) {
          root = updateTree(root, leafChanges(batch), loadInMemory).root;
          applyTo(model, batch);
          expect(toHex(rootHash(root))).to.equal(modelRoot(model));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of changes, and removal restores the root before', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(anyKey, { selector: toHex, minLength: 2, maxLength: 25 }),
        fc.infiniteStream(fc.nat()),
        (keys, order) => {
          const shuffled = keys
            .map((key) => [order.next().value ?? 0, key] as const)
            .sort(([a], [b]) => a - b);
          let root: Root;
          const before: string[] = [];
          for (const [, key] of shuffled) {
            before.push(toHex(rootHash(root)));
            root = updateTree(root, leafChanges([[key, Uint8Array.of(1)]]), loadInMemory).root;
          }
          const all = keys.map((key) => [key, Uint8Array.of(1)] as const);
          const once = updateTree(undefined, leafChanges(all), loadInMemory).root;
          expect(toHex(rootHash(root))).to.equal(toHex(rootHash(once)));
          for (const [, key] of shuffled.reverse()) {
            root = updateTree(root, leafChanges([[key, undefined]]), loadInMemory).root;
            expect(toHex(rootHash(root))).to.equal(before.pop());
          }
        },
      ),
    );
  });

  it('leaves the tree object itself when nothing changes', () => {
    const changes = leafChanges([1, 2, 3].map((n) => [Uint8Array.of(n, 9), Uint8Array.of(n)]));
    const { root } = updateTree(undefined, changes, loadInMemory);
    expect(updateTree(root, changes, loadInMemory).root).to.equal(root);
    const absent = leafChanges([[Uint8Array.of(4, 4), undefined]]);
    expect(updateTree(root, absent, loadInMemory).root).to.equal(root);
  });

  it('gives the same roots when pages are stored and dropped between batches', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyChanges, fc.boolean()), { maxLength: 8 }), (batches) => {
        const shelf = new Shelf();
        const model: Model = new Map();
        const roots: [Root, string][] = [];
        let root: Root;
        for (const [batch, store] of batches) {
          root = updateTree(root, leafChanges(batch), shelf.cache.load).root;
          applyTo(model, batch);
          if (store) shelf.store(root);
          expect(toHex(rootHash(root))).to.equal(modelRoot(model));
          roots.push([root, modelRoot(model)]);
          expect(shelf.cache.nodes).to.be.lessThan(300);
        }
        for (const [old, hash] of roots) expect(toHex(rehash(old, shelf))).to.equal(hash);
      }),
    );
  });

  it('names as stale exactly the stored pages that the new tree does not have', () => {
    fc.assert(
      fc.property(anyChanges, anyChanges, (first, second) => {
        const shelf = new Shelf();
        const before = updateTree(undefined, leafChanges(first), shelf.cache.load).root;
        shelf.store(before);
        const { root, stale } = updateTree(before, leafChanges(second), shelf.cache.load);
        const left = new Set(pageIds(root, shelf));
        const gone = pageIds(before, shelf).filter((id) => !left.has(id));
        const named = new Set(stale.flatMap(({ id }) => (id === undefined ? [] : [id])));
        expect([...named].sort()).to.deep.equal([...gone].sort());
      }),
    );
  });

  it('finds leaves and the neighbours of absent keys', () => {
    fc.assert(
      fc.property(anyChanges, anyKey, (changes, key) => {
        const model: Model = new Map();
        applyTo(model, changes);
        const { root } = updateTree(undefined, leafChanges(changes), loadInMemory);
        const found = findLeaf(root, packKey(key), loadInMemory);
        const keys = [...model.keys()].sort();
        expect(found.kind).to.equal(model.has(toHex(key)) ? 'leaf' : 'gap');
        if (found.kind !== 'gap') return;
        const name = (leaf: Uint8Array | undefined): string | undefined =>
          leaf && toHex(unpackKey(leaf) ?? expect.fail('not packed'));
        expect(name(found.before?.leaf.key)).to.equal(keys.findLast((k) => k < toHex(key)));
        expect(name(found.after?.leaf.key)).to.equal(keys.find((k) => k > toHex(key)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('pages', () => {
  it('decode to the nodes that were encoded', () => {
    const changes = Array.from({ length: 200 }, (_, i) => [Uint8Array.of(5, i), Uint8Array.of(i)]);
    const { root } = updateTree(undefined, leafChanges(changes as never), loadInMemory);
    const shelf = new Shelf();
    shelf.store(root);
    for (const bytes of shelf.stored.values()) {
      expect(toHex(encodePage(decodePage(bytes).root))).to.equal(toHex(bytes));
    }
    expect(shelf.stored.size).to.be.greaterThan(1);
  });
});

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

/** The root hash computed from the leaves' hashes up, loading every page. */
function rehash(root: Root, shelf: Shelf): Uint8Array {
  const walk = (node: NonNullable<Root> | Inner): Uint8Array => {
    if (node instanceof Page) return walk(shelf.cache.load(node));
    if (!(node instanceof Inner)) return node.hash;
    return new Inner(node.bit, node.key, fake(node.left), fake(node.right)).hash;
  };
  const fake = (node: NonNullable<Root> | Inner): Page =>
    new Page(0, walk(node), undefined, undefined);
  return root === undefined ? rootHash(root) : walk(root);
}

function pageIds(root: Root, shelf: Shelf): number[] {
  const ids: number[] = [];
  const walk = (node: NonNullable<Root> | Inner): void => {
    if (node instanceof Page) {
      if (node.id !== undefined) ids.push(node.id);
      walk(shelf.cache.load(node));
    } else if (node instanceof Inner) {
      walk(node.left);
      walk(node.right);
    }
  };
  if (root !== undefined) walk(root);
  return ids;
}
