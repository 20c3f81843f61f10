/**
 * Positional parameters of a call, and the block that a parameter names.
 *
 * Upholds: what is missing, malformed or too much is refused in geth's words, with its place.
 * Spec: go-ethereum rpc/json.go, rpc/types.go; EIP-1898.
 *
 * @module
 */
import { LedgerError } from '../../base/errors.ts';
import { badParams, errors } from './errors.ts';
import { readBool, readHash, readNumber, readObject } from './values.ts';

/** Reads one parameter. @throws LedgerError ethrpc/1 */
type Read<T> = (value: unknown) => T;

/** The parameters of a call. */
export class Params {
  readonly #values: readonly unknown[];

  /** @param most - how many the method has */
  constructor(values: unknown, most: number) {
    if (values !== undefined && values !== null && !Array.isArray(values)) {
      badParams('non-array args');
    }
    this.#values = Array.isArray(values) ? values : [];
    if (this.#values.length > most) badParams(`too many arguments, want at most ${most}`);
  }

  /** A parameter that must be there. */
  at<T>(index: number, read: Read<T>): T {
    const value = this.#values[index];
    if (value === undefined || value === null) {
      badParams(`missing value for required argument ${index}`);
    }
    return this.#read(index, value, read);
  }

  /** A parameter that may be left out. */
  maybe<T>(index: number, read: Read<T>): T | undefined {
    const value = this.#values[index];
    return value === undefined || value === null ? undefined : this.#read(index, value, read);
  }

  #read<T>(index: number, value: unknown, read: Read<T>): T {
    try {
      return read(value);
    } catch (thrown) {
      if (!LedgerError.is(thrown, errors.BadParams)) throw thrown;
      return badParams(`invalid argument ${index}: ${thrown.message}`);
    }
  }
}

/** Names of blocks; the newest is final at once. */
export type BlockTag = 'latest' | 'safe' | 'finalized' | 'earliest' | 'pending';

/** Which block is meant. */
export type BlockRef =
  | { readonly kind: 'tag'; readonly tag: BlockTag }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'hash'; readonly hash: Uint8Array };

/** The newest block. */
export const LATEST: BlockRef = { kind: 'tag', tag: 'latest' };

const TAGS: ReadonlySet<string> = new Set(['latest', 'safe', 'finalized', 'earliest', 'pending']);

/** A tag or a number. */
export function readBlockNumber(value: unknown, what = 'block number'): BlockRef {
  if (typeof value === 'string' && TAGS.has(value)) return { kind: 'tag', tag: value as BlockTag };
  return { kind: 'number', number: readNumber(value, what) };
}

/** A tag, a number, a hash, or an object with one of the latter two (EIP-1898). */
export function readBlockRef(value: unknown): BlockRef {
  if (typeof value === 'string') {
    if (value.length === 66) return { kind: 'hash', hash: readHash(value, 'block hash') };
    return readBlockNumber(value);
  }
  const { blockNumber, blockHash, requireCanonical } = readObject(value, 'block');
  if (requireCanonical !== undefined) readBool(requireCanonical, 'requireCanonical');
  if (blockHash !== undefined && blockNumber !== undefined) {
    return badParams('cannot specify both BlockHash and BlockNumber, choose one or the other');
  }
  if (blockHash !== undefined) return { kind: 'hash', hash: readHash(blockHash, 'blockHash') };
  if (blockNumber !== undefined) return readBlockNumber(blockNumber, 'blockNumber');
  return badParams('invalid arguments; neither block nor hash specified');
}
