/**
 * The blocks of the current height: parts being collected, and blocks that are complete.
 *
 * Upholds: a block is complete only if all its parts are proven under the header that names it and
 * its bytes decode to a block of this height; it is decoded once. Holds only blocks that the
 * consensus core still asks for, and at most one incomplete set.
 * Absent here: validity of the block; executor.ts has it.
 *
 * @module
 */
import { toHex } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { type Block, blockCodec } from '../types/block.ts';
import type { BlockId, PartSetHeader } from '../types/block-id.ts';
import { headerHash } from '../types/header.ts';
import { type Part, PartSet } from '../types/part-set.ts';

/** A complete block with its parts and its name. */
export type WholeBlock = {
  readonly blockId: BlockId;
  readonly block: Block;
  readonly parts: PartSet;
};

/** Cuts a block into parts and names it. */
export function wholeBlockOf(block: Block): WholeBlock {
  const parts = PartSet.of(blockCodec.encode(block));
  const blockId = { hash: headerHash(block.header), partSetHeader: parts.header };
  return { blockId, block, parts };
}

function nameOf(header: PartSetHeader): string {
  return `${header.total}:${toHex(header.hash)}`;
}

/** Collects the parts of one height after another. */
export class Collector {
  #height = 0;
  #maxBytes = 0;
  #collecting: PartSet | undefined;
  readonly #whole = new Map<string, WholeBlock>();

  /** Begins a height with nothing collected. @param maxBytes - bound of a block's bytes */
  begin(height: number, maxBytes: number): void {
    this.#height = height;
    this.#maxBytes = maxBytes;
    this.#collecting = undefined;
    this.#whole.clear();
  }

  /** The set that parts are collected for: complete or not. */
  get current(): PartSet | undefined {
    return this.#collecting;
  }

  /** A complete block by its part set header. */
  find(header: PartSetHeader): WholeBlock | undefined {
    return this.#whole.get(nameOf(header));
  }

  /** Holds a block of our own making; it becomes the one that is collected. */
  hold(whole: WholeBlock): void {
    this.#whole.set(nameOf(whole.parts.header), whole);
    this.#collecting = whole.parts;
  }

  /**
   * Collects parts of `header` from now on, forgetting an incomplete set of another.
   *
   * @returns the block, if it is complete already
   */
  collect(header: PartSetHeader): WholeBlock | undefined {
    if (this.#collecting?.has(header) !== true) {
      this.#collecting = this.find(header)?.parts ?? PartSet.collecting(header);
    }
    return this.find(header);
  }

  /**
   * Adds a part to the set that is collected.
   *
   * @returns 'known' if it adds nothing (or is not of this set), 'added', or the completed block;
   *   'broken' if the parts are complete but are not a block of this height
   */
  add(part: Part): 'known' | 'added' | 'broken' | WholeBlock {
    const set = this.#collecting;
    if (set === undefined || set.complete) return 'known';
    if (set.byteSize + part.bytes.length > this.#maxBytes || !set.add(part)) return 'known';
    if (!set.complete) return 'added';
    const block = decodeBlock(set);
    if (block?.header.height !== this.#height) return 'broken';
    const blockId = { hash: headerHash(block.header), partSetHeader: set.header };
    const whole = { blockId, block, parts: set };
    this.#whole.set(nameOf(set.header), whole);
    return whole;
  }

  /** Forgets complete blocks that are neither in `held` nor the one being collected. */
  keepOnly(held: readonly BlockId[]): void {
    if (this.#whole.size < 2) return;
    const names = new Set(held.map((id) => nameOf(id.partSetHeader)));
    if (this.#collecting !== undefined) names.add(nameOf(this.#collecting.header));
    for (const name of [...this.#whole.keys()]) if (!names.has(name)) this.#whole.delete(name);
  }
}

function decodeBlock(parts: PartSet): Block | undefined {
  try {
    return blockCodec.decode(parts.join());
  } catch (thrown) {
    if (thrown instanceof LedgerError) return undefined;
    throw thrown;
  }
}
