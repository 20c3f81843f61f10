/**
 * Pages of lists as the Cosmos SDK asks for them.
 *
 * Upholds: an answer has at most 1,000 items (100 unless asked), and no list is walked further than
 * 10,000 items to skip or count. A page's `nextKey` continues exactly after its last item.
 * Spec: cosmos.base.query.v1beta1 pagination.
 *
 * @module
 */
import { compareBytes, concatBytes, EMPTY, utf8 } from '../base/bytes.ts';
import type { PageRequest, PageResponse } from './cosmos.ts';
import { grpcRefusal } from './errors.ts';
import { after, prefixRange } from './keys.ts';
import type { Pair, StateView } from './store.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;
/** Most items skipped by an offset, and most items counted. */
const MAX_WALK = 10_000;

/** A page of items and where the next one starts. */
export type Paged<T> = { readonly items: readonly T[]; readonly pagination: PageResponse };

type Bounds = {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly limit: number;
  readonly countTotal: boolean;
  readonly reverse: boolean;
};

function boundsOf(request: PageRequest | undefined): Bounds {
  const {
    key = EMPTY,
    offset = 0n,
    limit = 0n,
    countTotal = true,
    reverse = false,
  } = request ?? {};
  if (key.length > 0 && offset > 0n) {
    return grpcRefusal('InvalidArgument', 'either offset or key is expected, got both');
  }
  if (offset > BigInt(MAX_WALK)) {
    return grpcRefusal('InvalidArgument', `offset is at most ${MAX_WALK}; go on by key`);
  }
  const most = limit === 0n || limit > BigInt(MAX_LIMIT) ? MAX_LIMIT : Number(limit);
  const size = limit === 0n ? DEFAULT_LIMIT : most;
  return { key, offset: Number(offset), limit: size, countTotal, reverse };
}

/** Pages through the records whose keys start with `prefix`. */
export async function pageRecords(
  view: StateView,
  prefix: Uint8Array,
  request: PageRequest | undefined,
): Promise<Paged<Pair>> {
  const bounds = boundsOf(request);
  const { from, to } = prefixRange(prefix);
  const start = concatBytes(prefix, bounds.key);
  const given = bounds.key.length > 0;
  const range = bounds.reverse
    ? { from, to: given ? after(start) : to }
    : { from: given ? start : from, to };
  const limit = bounds.offset + bounds.limit + 1;
  const pairs = await view.range({ ...range, reverse: bounds.reverse, limit });
  const rest = pairs.slice(bounds.offset);
  const next = rest[bounds.limit];
  const counted = bounds.countTotal && !given;
  const total = counted
    ? (await view.range({ from, to, reverse: false, limit: MAX_WALK })).length
    : 0;
  return {
    items: rest.slice(0, bounds.limit),
    pagination: { nextKey: next?.[0].subarray(prefix.length) ?? EMPTY, total: BigInt(total) },
  };
}

/** Pages through a short list that is in order of `keyOf`. */
export function pageList<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
  request: PageRequest | undefined,
): Paged<T> {
  const bounds = boundsOf(request);
  const items = bounds.reverse ? all.toReversed() : all;
  const sign = bounds.reverse ? -1 : 1;
  const starts = (item: T): boolean => sign * compareBytes(utf8(keyOf(item)), bounds.key) >= 0;
  const found = bounds.key.length > 0 ? items.findIndex(starts) : bounds.offset;
  const start = found < 0 ? items.length : found;
  const next = items[start + bounds.limit];
  return {
    items: items.slice(start, start + bounds.limit),
    pagination: {
      nextKey: next === undefined ? EMPTY : utf8(keyOf(next)),
      total: bounds.countTotal ? BigInt(all.length) : 0n,
    },
  };
}

/** Every record under `prefix`; the caller knows that there are at most `limit`. */
export function allRecords(
  view: StateView,
  prefix: Uint8Array,
  limit: number,
): Promise<readonly Pair[]> {
  return view.range({ ...prefixRange(prefix), reverse: false, limit });
}
