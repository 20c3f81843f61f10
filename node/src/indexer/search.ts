/**
 * Evaluating queries on the index: which transactions, and which blocks, satisfy all conditions.
 *
 * Upholds: conditions on attributes must hold within one event of a transaction (or block), as in
 * CometBFT; conditions on `tx.height` and `block.height` narrow the range; `tx.hash = '…'` decides
 * alone. Every search reads at most a fixed number of entries, in slices that let the node work.
 * Spec: CometBFT 0.38 state/txindex/kv and state/indexer/block/kv.
 *
 * @module
 */
import { fromHex } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { ChainIndex, TxLocation } from './chain-index.ts';
import {
  type AttributeKind,
  after,
  attributeKey,
  countKey,
  heightIn,
  indexedValue,
  KIND,
  type Position,
  placesIn,
  positionsOf,
  tagPrefix,
  valuePrefix,
} from './keys.ts';
import type { Pair } from './ports.ts';
import { type Comparison, type Condition, errors, matchesValue, type Query } from './query.ts';

/** Most entries one search reads. */
const MAX_SCANNED = 250_000;
const SLICE = 1_000;

type Range = { readonly from: number; readonly to: number };

const ALL_HEIGHTS: Range = { from: 0, to: Number.MAX_SAFE_INTEGER };
const NO_HEIGHTS: Range = { from: 1, to: 0 };

/** One search over the index; counts what it reads. */
class Search {
  readonly #index: ChainIndex;
  #scanned = 0;

  constructor(index: ChainIndex) {
    this.#index = index;
  }

  #count(read: number): void {
    this.#scanned += read;
    if (this.#scanned > MAX_SCANNED) throw new LedgerError(errors.TooBroad, { limit: MAX_SCANNED });
  }

  /** The positions of one entry; each counts as one. */
  #places({ key, value }: Pair): Generator<Position> {
    this.#count(placesIn(value) - 1);
    return positionsOf(key, value);
  }

  async *entries(from: Uint8Array, to: Uint8Array): AsyncGenerator<Pair> {
    let start = from;
    for (;;) {
      const pairs = await this.#index.space.range({
        from: start,
        to,
        reverse: false,
        limit: SLICE,
      });
      this.#count(pairs.length);
      yield* pairs;
      const last = pairs.at(-1);
      if (last === undefined || pairs.length < SLICE) return;
      start = new Uint8Array(last.key.length + 1);
      start.set(last.key);
    }
  }

  /** Positions where one condition holds, within the heights. */
  async *positions(
    kind: AttributeKind,
    condition: Condition,
    heights: Range,
  ): AsyncGenerator<Position> {
    const tag = tagPrefix(kind, condition.tag);
    const text = textOf(condition);
    if (text !== undefined) {
      const prefix = valuePrefix(tag, text);
      const from = attributeKey(prefix, heights.from);
      const end = heights.to >= ALL_HEIGHTS.to ? after(prefix) : undefined;
      const to = end ?? attributeKey(prefix, heights.to + 1);
      for await (const pair of this.entries(from, to)) yield* this.#places(pair);
      return;
    }
    for await (const pair of this.entries(tag, after(tag))) {
      const height = heightIn(pair.key);
      if (height < heights.from || height > heights.to) continue;
      if (matchesValue(condition, indexedValue(pair.key, tag.length))) yield* this.#places(pair);
    }
  }

  /** Positions where all conditions hold; at least one condition. */
  async all(
    kind: AttributeKind,
    conditions: readonly Condition[],
    heights: Range,
  ): Promise<Position[]> {
    let found: Map<string, Position> | undefined;
    for (const condition of mostSelectiveFirst(conditions)) {
      const next = new Map<string, Position>();
      for await (const at of this.positions(kind, condition, heights)) {
        const key = `${at.height}/${at.index}/${at.event}`;
        if (found === undefined || found.has(key)) next.set(key, at);
      }
      found = next;
      if (found.size === 0) break;
    }
    return [...(found ?? new Map<string, Position>()).values()];
  }
}

/** The text that the tag's value must equal, if the condition asks for a text. */
function textOf(condition: Condition): string | undefined {
  if (condition.op !== '=' || condition.operand.kind !== 'string') return undefined;
  return condition.operand.text;
}

function mostSelectiveFirst(conditions: readonly Condition[]): readonly Condition[] {
  return [...conditions].sort(
    (a, b) => Number(textOf(b) !== undefined) - Number(textOf(a) !== undefined),
  );
}

type HeightCondition = Extract<Condition, { readonly op: Comparison }>;

function isHeight(condition: Condition, tag: string): condition is HeightCondition {
  return condition.tag === tag && condition.op !== 'EXISTS' && condition.op !== 'CONTAINS';
}

/** The heights that satisfy one condition. */
function heightsOf({ op, operand }: HeightCondition): Range {
  if (operand.kind !== 'number') return NO_HEIGHTS;
  const bound = Number(operand.value.digits) / 10 ** operand.value.scale;
  const { from, to } = ALL_HEIGHTS;
  switch (op) {
    case '=':
      return Number.isInteger(bound) ? { from: bound, to: bound } : NO_HEIGHTS;
    case '<':
      return { from, to: Math.ceil(bound) - 1 };
    case '<=':
      return { from, to: Math.floor(bound) };
    case '>':
      return { from: Math.floor(bound) + 1, to };
    default:
      return { from: Math.ceil(bound), to };
  }
}

/** The heights that satisfy all conditions on `tag`. */
function heightRange(conditions: readonly Condition[], tag: string): Range {
  return conditions
    .filter((condition) => isHeight(condition, tag))
    .map(heightsOf)
    .reduce((a, b) => ({ from: Math.max(a.from, b.from), to: Math.min(a.to, b.to) }), ALL_HEIGHTS);
}

function byPlace(a: TxLocation, b: TxLocation): number {
  return a.height === b.height ? a.index - b.index : a.height - b.height;
}

/** Non-empty heights in the range and their transactions' number, ascending. */
async function* occupied(search: Search, heights: Range): AsyncGenerator<TxLocation> {
  const end = heights.to >= ALL_HEIGHTS.to ? ALL_HEIGHTS.to : heights.to + 1;
  for await (const { key, value } of search.entries(countKey(heights.from), countKey(end))) {
    const view = new DataView(key.buffer, key.byteOffset + 1);
    const height = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
    yield { height, index: new DataView(value.buffer, value.byteOffset).getUint32(0) };
  }
}

/** All transactions of the heights. */
async function allTxs(search: Search, heights: Range): Promise<TxLocation[]> {
  const found: TxLocation[] = [];
  for await (const { height, index: count } of occupied(search, heights)) {
    if (found.length + count > MAX_SCANNED) {
      throw new LedgerError(errors.TooBroad, { limit: MAX_SCANNED });
    }
    for (let i = 0; i < count; i++) found.push({ height, index: i });
  }
  return found;
}

function byHash(index: ChainIndex, hex: string): TxLocation[] {
  const hash = fromHex(hex);
  if (hash === undefined) {
    throw new LedgerError(errors.BadQuery, { reason: 'tx.hash is not in hex' });
  }
  const at = index.locate(hash);
  return at === undefined ? [] : [at];
}

/**
 * Transactions that satisfy the query, in chain order.
 *
 * @throws LedgerError index/2 if it touches too many entries; index/1 for a malformed hash
 */
export async function searchTxs(index: ChainIndex, query: Query): Promise<TxLocation[]> {
  const { conditions } = query;
  const hash = conditions.find((c) => c.tag === 'tx.hash' && textOf(c) !== undefined);
  if (hash !== undefined) return byHash(index, textOf(hash) ?? '');
  const heights = heightRange(conditions, 'tx.height');
  if (heights.from > heights.to) return [];
  const search = new Search(index);
  const rest = conditions.filter((c) => !isHeight(c, 'tx.height'));
  if (rest.length === 0) return allTxs(search, heights);
  const places = new Map<string, TxLocation>();
  for (const at of await search.all(KIND.tx, rest, heights)) {
    places.set(`${at.height}/${at.index}`, { height: at.height, index: at.index });
  }
  return [...places.values()].sort(byPlace);
}

/**
 * Heights of blocks that satisfy the query, ascending.
 *
 * @param kept - the stored heights; conditions on `block.height` alone range over these
 * @throws LedgerError index/2 if it touches too many entries
 */
export async function searchBlocks(
  index: ChainIndex,
  query: Query,
  kept: { readonly from: number; readonly to: number },
): Promise<number[]> {
  const range = heightRange(query.conditions, 'block.height');
  const heights = { from: Math.max(range.from, kept.from), to: Math.min(range.to, kept.to) };
  if (heights.from > heights.to) return [];
  const rest = query.conditions.filter((c) => !isHeight(c, 'block.height'));
  if (rest.length === 0) {
    const count = heights.to - heights.from + 1;
    if (count > MAX_SCANNED) throw new LedgerError(errors.TooBroad, { limit: MAX_SCANNED });
    return Array.from({ length: count }, (_, i) => heights.from + i);
  }
  const found = await new Search(index).all(KIND.block, rest, heights);
  return [...new Set(found.map((at) => at.height))].sort((a, b) => a - b);
}
