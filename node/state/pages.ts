/**
 * Pages of the tree: their bytes, and which of them are in memory.
 *
 * Upholds: nodes in memory are bounded by `maxNodes` and by what changed since the last
 * checkpoint; a page is dropped only after it was stored. Pages are written once, under ids that
 * grow, and never overwritten while a checkpoint needs them.
 *
 * @module
 */
import { EMPTY } from '../src/base/bytes.ts';
import { invariant } from '../src/base/errors.ts';
import { HASH_SIZE } from '../src/base/hash.ts';
import { type Child, Inner, Leaf, type LoadPage, Page, type Root } from './tree.ts';

/**
 * A page's bytes: length of the shared prefix, the prefix, then the nodes in preorder. A node's
 * first byte is 0 for a leaf, 8 for the name of another page, else the bit an inner node branches
 * in, counted within the page's byte (bit 0 is always set in a packed key and never branches).
 */
const LEAF_TAG = 0;
const PAGE_TAG = 8;
const ID_BYTES = 6;
/** About the bytes of one node in a page. */
const NODE_BYTES = 50;

/** The bytes of a page whose own pages below are stored already. */
export function encodePage(root: Inner): Uint8Array {
  const level = root.bit >> 3;
  const nodes: Child[] = [];
  let size = 1 + level;
  const collect = (node: Child): void => {
    nodes.push(node);
    if (node instanceof Inner) {
      size += 2 + HASH_SIZE;
      collect(node.left);
      collect(node.right);
    } else if (node instanceof Page) size += 3 + ID_BYTES + HASH_SIZE;
    else size += 2 + node.key.length - level + HASH_SIZE;
  };
  collect(root);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  out[0] = level;
  out.set(root.key.subarray(0, level), 1);
  let at = 1 + level;
  for (const node of nodes) {
    if (node instanceof Inner) {
      out[at++] = node.bit & 7;
      out[at++] = node.key[level] ?? 0;
    } else if (node instanceof Page) {
      invariant(node.id !== undefined, 'pages below a page are stored before it');
      out[at] = PAGE_TAG;
      view.setUint16(at + 1, node.bit);
      view.setUint16(at + 3, Math.floor(node.id / 2 ** 32));
      view.setUint32(at + 5, node.id >>> 0);
      at += 3 + ID_BYTES;
    } else {
      out[at++] = LEAF_TAG;
      out[at++] = node.key.length - level;
      out.set(node.key.subarray(level), at);
      at += node.key.length - level;
    }
    out.set(node.hash, at);
    at += HASH_SIZE;
  }
  return out;
}

/** The nodes of a page, and how many there are. */
export function decodePage(bytes: Uint8Array): { readonly root: Inner; readonly nodes: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const level = bytes[0] ?? 0;
  const prefix = bytes.subarray(1, 1 + level);
  let at = 1 + level;
  let nodes = 0;
  const keyOf = (rest: Uint8Array): Uint8Array => {
    const key = new Uint8Array(level + rest.length);
    key.set(prefix);
    key.set(rest, level);
    return key;
  };
  const hashAt = (start: number): Uint8Array => {
    at = start + HASH_SIZE;
    // Copied: a view would keep the whole page's bytes, and Buffer's `slice` is a view.
    return new Uint8Array(bytes.subarray(start, at));
  };
  const read = (): Child => {
    const tag = bytes[at] as number;
    nodes++;
    if (tag === LEAF_TAG) {
      const end = at + 2 + (bytes[at + 1] as number);
      return new Leaf(keyOf(bytes.subarray(at + 2, end)), hashAt(end));
    }
    if (tag === PAGE_TAG) {
      const bit = view.getUint16(at + 1);
      const id = view.getUint16(at + 3) * 2 ** 32 + view.getUint32(at + 5);
      return new Page(bit, hashAt(at + 3 + ID_BYTES), id, undefined);
    }
    const key = keyOf(bytes.subarray(at + 1, at + 2));
    const hash = hashAt(at + 2);
    const left = read();
    return new Inner(level * 8 + tag, key, left, read(), hash);
  };
  const root = read();
  invariant(root instanceof Inner && at === bytes.length, 'a page is one inner node and its like');
  return { root, nodes };
}

/** Pages below `root` that are not stored yet, each after the ones below it. */
export function* unstoredPages(root: Root): Generator<Page> {
  if (!(root instanceof Page) || root.id !== undefined || root.root === undefined) return;
  yield* unstoredBelow(root.root);
  yield root;
}

function* unstoredBelow(node: Child): Generator<Page> {
  if (node instanceof Page) yield* unstoredPages(node);
  else if (node instanceof Inner) {
    yield* unstoredBelow(node.left);
    yield* unstoredBelow(node.right);
  }
}

/** Reads the bytes of a stored page. @throws if it is not there */
export type ReadPage = (id: number) => Uint8Array;

/** Stored pages that are in memory, in two generations: the one not used for longest is dropped. */
export class PageCache {
  readonly #read: ReadPage;
  readonly #maxNodes: number;
  #young = new Map<Page, number>();
  #old = new Map<Page, number>();
  #youngNodes = 0;
  #oldNodes = 0;

  /** @param maxNodes - most nodes held in memory for stored pages; about 300 bytes each */
  constructor(read: ReadPage, maxNodes: number) {
    this.#read = read;
    this.#maxNodes = maxNodes;
  }

  /** Brings a page into memory. */
  readonly load: LoadPage = (page) => {
    if (page.root !== undefined) {
      const nodes = this.#old.get(page);
      if (nodes !== undefined) {
        this.#old.delete(page);
        this.#oldNodes -= nodes;
        this.#hold(page, nodes);
      }
      return page.root;
    }
    invariant(page.id !== undefined, 'a page without an id is in memory');
    const { root, nodes } = decodePage(this.#read(page.id));
    page.root = root;
    this.#hold(page, nodes);
    return root;
  };

  /** Takes a page that was just stored into the cache's accounts. */
  stored(page: Page, byteSize: number): void {
    this.#hold(page, Math.ceil(byteSize / NODE_BYTES));
  }

  #hold(page: Page, nodes: number): void {
    if (this.#youngNodes > 0 && this.#youngNodes + nodes > this.#maxNodes / 2) {
      for (const dropped of this.#old.keys()) dropped.root = undefined;
      this.#old = this.#young;
      this.#oldNodes = this.#youngNodes;
      this.#young = new Map();
      this.#youngNodes = 0;
    }
    this.#young.set(page, nodes);
    this.#youngNodes += nodes;
  }

  /** Nodes held for stored pages. */
  get nodes(): number {
    return this.#youngNodes + this.#oldNodes;
  }
}

/** The bytes that name a tree in a checkpoint: nothing, a leaf, or the id of a page. */
export function encodeRoot(root: Root): Uint8Array {
  if (root === undefined) return EMPTY;
  if (root instanceof Leaf) {
    const out = new Uint8Array(1 + root.key.length + HASH_SIZE);
    out[0] = LEAF_TAG;
    out.set(root.key, 1);
    out.set(root.hash, 1 + root.key.length);
    return out;
  }
  invariant(root.id !== undefined, 'the pages of a checkpoint are stored');
  const out = new Uint8Array(3 + ID_BYTES + HASH_SIZE);
  const view = new DataView(out.buffer);
  out[0] = PAGE_TAG;
  view.setUint16(1, root.bit);
  view.setUint16(3, Math.floor(root.id / 2 ** 32));
  view.setUint32(5, root.id >>> 0);
  out.set(root.hash, 3 + ID_BYTES);
  return out;
}

/** The tree that `encodeRoot` named. */
export function decodeRoot(bytes: Uint8Array): Root {
  if (bytes.length === 0) return undefined;
  const end = bytes.length - HASH_SIZE;
  const hash = bytes.subarray(end);
  if (bytes[0] === LEAF_TAG) return new Leaf(bytes.subarray(1, end), hash);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const id = view.getUint16(3) * 2 ** 32 + view.getUint32(5);
  return new Page(view.getUint16(1), hash, id, undefined);
}
