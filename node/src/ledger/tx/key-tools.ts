/**
 * What is done with secp256k1 keys beside checking signatures; elliptic curves are handed in.
 *
 * @module
 */
import { hash160 } from '../../base/hash.ts';
import type { AccountId } from '../addresses.ts';
import { keccak256 } from '../keccak.ts';
import { once } from '../once.ts';

/** The curve's part. Both answer `undefined` for what is no key or no signature. */
export type KeyTools = {
  /**
   * The 65-byte key that made a signature over a digest.
   *
   * @param signature - r and s, 64 bytes
   * @param recovery - parity of the signature's point, 0 or 1
   */
  readonly recover: (
    digest: Uint8Array,
    signature: Uint8Array,
    recovery: number,
  ) => Uint8Array | undefined;
  /** The 65-byte form of a 33-byte key. */
  readonly uncompress: (publicKey: Uint8Array) => Uint8Array | undefined;
};

/** A key's two faces. */
export type Faces = {
  /** 33 bytes. */
  readonly publicKey: Uint8Array;
  readonly id: AccountId;
  /** The address that the EVM knows it by: 20 bytes. */
  readonly address: Uint8Array;
};

/** The 33-byte form of a 65-byte key. */
export function compress(uncompressed: Uint8Array): Uint8Array {
  const out = uncompressed.slice(0, 33);
  out[0] = 2 + ((uncompressed[64] as number) & 1);
  return out;
}

/** The faces of a 65-byte key. */
export function facesOf(uncompressed: Uint8Array): Faces {
  const publicKey = compress(uncompressed);
  const address = keccak256(uncompressed.subarray(1)).slice(12);
  return { publicKey, id: hash160(publicKey), address };
}

const NO_KEY = 'no key';

/** Finds the faces of 33-byte keys; remembers the answer with the key's array. */
export function facesFinder(tools: KeyTools): (publicKey: Uint8Array) => Faces | undefined {
  const find = once<Faces | typeof NO_KEY>((publicKey) => {
    const uncompressed = tools.uncompress(publicKey);
    return uncompressed === undefined ? NO_KEY : facesOf(uncompressed);
  });
  return (publicKey) => {
    const found = find(publicKey);
    return found === NO_KEY ? undefined : found;
  };
}
