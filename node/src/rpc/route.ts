/**
 * The shape of a JSON-RPC method, and the helpers that several methods share.
 *
 * @module
 */
import { LedgerError, present } from '../base/errors.ts';
import type { Block } from '../types/block.ts';
import type { BlockMeta } from '../types/chain-state.ts';
import { badParams, errors } from './errors.ts';
import type { Json } from './json.ts';
import type { Args, Params } from './params.ts';
import type { ChainReader } from './ports.ts';

/** A method: its parameters and what it answers. Refuses by throwing `LedgerError`. */
export type Route = {
  readonly params: Params;
  readonly call: (args: Args<Params>) => Json | Promise<Json>;
};

/** Methods by name. */
export type Routes = Readonly<Record<string, Route>>;

/** Declares a method whose arguments have the types of its parameters. */
export function route<const P extends Params>(
  params: P,
  call: (args: Args<P>) => Json | Promise<Json>,
): Route {
  // The dispatcher reads the arguments by `params`, which makes them `Args<P>`.
  return { params, call: (args) => call(args as Args<P>) };
}

/** Entries on a page when the client does not say, and at most. */
export const DEFAULT_PER_PAGE = 30;
export const MAX_PER_PAGE = 100;

/** A page of a list. */
export type PageArgs = {
  readonly page: number | undefined;
  readonly per_page: number | undefined;
};

/** The entries of the page asked for. @throws LedgerError rpc/6 if there is no such page */
export function pageOf<T>(items: readonly T[], args: PageArgs): readonly T[] {
  const asked = args.per_page ?? DEFAULT_PER_PAGE;
  const perPage = asked < 1 ? DEFAULT_PER_PAGE : Math.min(asked, MAX_PER_PAGE);
  const pages = Math.max(1, Math.ceil(items.length / perPage));
  const page = args.page ?? 1;
  if (page < 1 || page > pages) throw new LedgerError(errors.BadPage, { pages, page });
  return items.slice((page - 1) * perPage, page * perPage);
}

/**
 * The height asked for, or the latest.
 *
 * @param latest - the highest that may be asked for; one above the tip for validators
 * @throws LedgerError rpc/2, rpc/3, rpc/4
 */
export function heightOf(
  chain: ChainReader,
  height: number | undefined,
  latest: number = chain.height,
): number {
  if (height === undefined) return latest;
  if (height <= 0) throw new LedgerError(errors.HeightNotPositive, { height });
  if (height > latest) throw new LedgerError(errors.HeightTooHigh, { height, latest });
  if (height < chain.base) throw new LedgerError(errors.HeightPruned, { height, base: chain.base });
  return height;
}

/** A stored value of a height that was checked. @throws LedgerError rpc/5 before the first block */
export function stored<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new LedgerError(errors.NotFound, { what });
  return value;
}

/** A stored block with its name. */
export function blockAt(
  chain: ChainReader,
  height: number,
): { readonly meta: BlockMeta; readonly block: Block } {
  return {
    meta: stored(chain.meta(height), `block ${height}`),
    block: present(chain.block(height), `the block of stored height ${height}`),
  };
}

/** A parameter that must be given. @throws LedgerError rpc/1 */
export function required<T>(value: T | undefined, name: string): T {
  return value === undefined ? badParams(`${name} is required`) : value;
}
