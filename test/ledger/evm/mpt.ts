/**
 * The root of Ethereum's state trie, from a flat list: built at once, no node is kept.
 *
 * Spec: yellow paper, appendix D; keys enter by their hash.
 *
 * @module
 */
import { compareBytes, toHex } from '../../../node/src/base/bytes.ts';
import { encodeRlp, type RlpItem } from '../../../node/src/ledger/ethereum/rlp.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';

type Leaf = { readonly path: string; readonly value: Uint8Array };

/** Hex-prefix encoding of a path. */
function encodePath(path: string, leaf: boolean): Uint8Array {
  const odd = path.length % 2 === 1;
  const flag = (leaf ? 2 : 0) + (odd ? 1 : 0);
  return Buffer.from(odd ? `${flag}${path}` : `${flag}0${path}`, 'hex');
}

/** How a node is named inside another: itself if it is short, else its hash. */
function reference(node: RlpItem): RlpItem {
  const bytes = encodeRlp(node);
  return bytes.length < 32 ? node : keccak256(bytes);
}

function commonLength(leaves: readonly Leaf[], from: number): number {
  const [first, last] = [leaves[0]?.path ?? '', leaves.at(-1)?.path ?? ''];
  let at = from;
  while (at < first.length && first[at] === last[at]) at++;
  return at - from;
}

/** The node over leaves in order of their paths. */
function nodeOf(leaves: readonly Leaf[], depth: number): RlpItem {
  const [first] = leaves;
  if (first === undefined) return new Uint8Array(0);
  if (leaves.length === 1) return [encodePath(first.path.slice(depth), true), first.value];
  const shared = commonLength(leaves, depth);
  if (shared > 0) {
    const path = encodePath(first.path.slice(depth, depth + shared), false);
    return [path, reference(nodeOf(leaves, depth + shared))];
  }
  const branches = [...'0123456789abcdef'].map((nibble): RlpItem => {
    const inside = leaves.filter(({ path }) => path[depth] === nibble);
    return inside.length === 0 ? new Uint8Array(0) : reference(nodeOf(inside, depth + 1));
  });
  return [...branches, new Uint8Array(0)];
}

/** The root over keys and values, each value already encoded. */
export function trieRoot(
  entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): Uint8Array {
  const leaves = entries
    .map(([key, value]) => ({ hash: keccak256(key), value }))
    .sort((a, b) => compareBytes(a.hash, b.hash))
    .map(({ hash, value }) => ({ path: toHex(hash), value }));
  return keccak256(encodeRlp(nodeOf(leaves, 0)));
}
