/**
 * Ways through a tree: from a key's leaf, or from the leaves beside its place, up to the root.
 *
 * Upholds: whatever a tree holds or lacks has a trail, and ics23.ts makes a proof of each.
 * Leaves of a bucket are brought by the function handed in.
 *
 * @module
 */
import {
  Bucket,
  bitOf,
  firstDifference,
  Inner,
  type Leaves,
  leavesHash,
  type Place,
  parting,
  type Root,
} from './tree.ts';

/** A record's key and the way up from it: what ICS-23 calls an existence proof, less the value. */
export type Trail = {
  /** Logical. */
  readonly key: string;
  /** From the leaf's parent to the root; `right` says on which side the leaf lies. */
  readonly steps: readonly { readonly right: boolean; readonly sibling: string }[];
};

/** What a tree says about one key: its leaf, or the leaves before and after where it would be. */
export type Found =
  | { readonly kind: 'leaf'; readonly trail: Trail }
  | { readonly kind: 'gap'; readonly before: Trail | undefined; readonly after: Trail | undefined };

/** Brings the leaves of a bucket. */
export type BringLeaves = (place: Place) => Promise<Leaves>;

/** A run of leaves, which a tree has as a subtree: a bucket's or a part of it. */
type Run = { readonly leaves: Leaves; readonly from: number; readonly to: number };
type Subtree = Inner | Bucket | Run;
/** A node with two sides, seen from above. */
type Fork = { readonly bit: number; readonly key: string; readonly sides: readonly Subtree[] };
type Descent = { readonly fork: Fork; readonly right: boolean };

function hashOf(node: Subtree): string {
  if (node instanceof Inner || node instanceof Bucket) return node.hash;
  return leavesHash(node.leaves, node.from, node.to);
}

function side({ sides }: Fork, right: boolean): Subtree {
  return sides[right ? 1 : 0] as Subtree;
}

/** Walks of one tree. */
class Walk {
  readonly #bring: BringLeaves;

  constructor(bring: BringLeaves) {
    this.#bring = bring;
  }

  /** A subtree's two sides, or the key of the leaf that it is. */
  async open(node: Subtree, above: readonly Descent[]): Promise<Fork | string> {
    if (node instanceof Inner) {
      return { bit: node.bit, key: node.key, sides: [node.left, node.right] };
    }
    const bits = (above.at(-1)?.fork.bit ?? -1) + 1;
    const { leaves, from, to } =
      node instanceof Bucket
        ? { leaves: await this.#bring({ bucket: node, bits }), from: 0, to: node.size }
        : node;
    const key = leaves.keys[from] as string;
    if (to - from === 1) return key;
    const { bit, middle } = parting(leaves.keys, from, to);
    const sides = [
      { leaves, from, to: middle },
      { leaves, from: middle, to },
    ];
    return { bit, key, sides };
  }

  /** The first (or, going right, last) leaf of a subtree. */
  async edge(node: Subtree, right: boolean, above: readonly Descent[]): Promise<Trail> {
    const descents = [...above];
    for (let at = node; ; ) {
      const opened = await this.open(at, descents);
      if (typeof opened === 'string') return trailOf(opened, descents);
      descents.push({ fork: opened, right });
      at = side(opened, right);
    }
  }

  /** The neighbours of a key that would stand just before or just after all keys of `node`. */
  async gap(node: Subtree, keyIsBefore: boolean, descents: readonly Descent[]): Promise<Found> {
    const near = await this.edge(node, !keyIsBefore, descents);
    const depth = descents.findLastIndex(({ right }) => right === keyIsBefore);
    const turn = descents[depth];
    let far: Trail | undefined;
    if (turn !== undefined) {
      const above = [...descents.slice(0, depth), { fork: turn.fork, right: !turn.right }];
      far = await this.edge(side(turn.fork, !turn.right), keyIsBefore, above);
    }
    return keyIsBefore
      ? { kind: 'gap', before: far, after: near }
      : { kind: 'gap', before: near, after: far };
  }
}

function trailOf(key: string, descents: readonly Descent[]): Trail {
  const steps = descents.map(({ fork, right }) => ({ right, sibling: hashOf(side(fork, !right)) }));
  return { key, steps: steps.reverse() };
}

/** Looks a logical key up. */
export async function findLeaf(root: Root, key: string, bring: BringLeaves): Promise<Found> {
  if (root === undefined) return { kind: 'gap', before: undefined, after: undefined };
  const walk = new Walk(bring);
  const descents: Descent[] = [];
  for (let at: Subtree = root; ; ) {
    const opened = await walk.open(at, descents);
    if (typeof opened === 'string') {
      if (opened === key) return { kind: 'leaf', trail: trailOf(key, descents) };
      return walk.gap(at, key < opened, descents);
    }
    const apart = firstDifference(opened.key, key, opened.bit);
    if (apart < opened.bit) return walk.gap(at, bitOf(key, apart) === 0, descents);
    const right = bitOf(key, opened.bit) === 1;
    descents.push({ fork: opened, right });
    at = side(opened, right);
  }
}
