/**
 * JSON-RPC methods about stored heights: blocks, headers, commits, results, validators, parameters.
 *
 * Spec: CometBFT 0.38 rpc/core/{blocks,consensus}.go.
 *
 * @module
 */
import { LedgerError, present } from '../base/errors.ts';
import { MAX_QUERY_LENGTH, parseQuery } from '../indexer/query.ts';
import { searchBlocks } from '../indexer/search.ts';
import { badParams, errors } from './errors.ts';
import {
  base64OrNull,
  blockIdJson,
  blockJson,
  blockMetaJson,
  commitJson,
  headerJson,
  type JsonObject,
  listOrNull,
  paramsJson,
  validatorJson,
} from './json.ts';
import { eventJson, paramUpdatesJson, resultJson, validatorUpdatesJson } from './json-abci.ts';
import type { ChainReader, RpcPorts } from './ports.ts';
import { blockAt, heightOf, pageOf, type Routes, required, route, stored } from './route.ts';

/** Blocks in one answer of `blockchain`. */
const MAX_METAS = 20;

/** Sorts ascending results in the order asked for. @throws LedgerError rpc/7 */
export function ordered<T>(
  ascending: readonly T[],
  order: string | undefined,
  initial: string,
): T[] {
  const by = order === undefined || order === '' ? initial : order;
  if (by !== 'asc' && by !== 'desc') throw new LedgerError(errors.BadOrder, {});
  return by === 'asc' ? [...ascending] : ascending.toReversed();
}

/** A search's query text. @throws LedgerError rpc/1 */
export function searchText(query: string | undefined): string {
  const text = required(query, 'query');
  if (text.length > MAX_QUERY_LENGTH) badParams('maximum query length exceeded');
  return text;
}

function block(chain: ChainReader, height: number): JsonObject {
  const found = blockAt(chain, height);
  return { block_id: blockIdJson(found.meta.blockId), block: blockJson(found.block) };
}

function commit(chain: ChainReader, height: number): JsonObject {
  const { header } = stored(chain.meta(height), `header ${height}`);
  // The tip has no canonical commit yet: the next block will carry it.
  const canonical = height !== chain.height;
  const found = canonical ? chain.commitOf(height) : chain.seenCommit(height);
  return {
    signed_header: {
      header: headerJson(header),
      commit: commitJson(stored(found, `commit of height ${height}`)),
    },
    canonical,
  };
}

function blockResults(chain: ChainReader, height: number): JsonObject {
  const results = stored(chain.results(height), `results of height ${height}`);
  return {
    height: String(height),
    txs_results: listOrNull(results.txResults, resultJson),
    finalize_block_events: listOrNull(results.events, eventJson),
    validator_updates: validatorUpdatesJson(results.validatorUpdates),
    consensus_param_updates: paramUpdatesJson(results.paramUpdates),
    app_hash: base64OrNull(results.appHash),
  };
}

function blockchain(
  chain: ChainReader,
  from: number | undefined,
  to: number | undefined,
): JsonObject {
  if ((from ?? 0) < 0 || (to ?? 0) < 0) badParams('heights must be non-negative');
  const max = Math.min(to || chain.height, chain.height);
  const min = Math.max(from || 1, chain.base, max - MAX_METAS + 1);
  if (min > max) throw new LedgerError(errors.BadRange, { min, max });
  const metas = [];
  for (let height = max; height >= min; height--) {
    metas.push(blockMetaJson(present(chain.meta(height), `meta of stored height ${height}`)));
  }
  return { last_height: String(chain.height), block_metas: metas };
}

/** The methods, over the ports. */
export function blockRoutes({ chain, index }: RpcPorts): Routes {
  const heightOfHash = (hash: Uint8Array | undefined): number | undefined => {
    const height = index.heightOf(required(hash, 'hash'));
    return height !== undefined && height >= chain.base && height <= chain.height
      ? height
      : undefined;
  };
  return {
    block: route({ height: 'int' }, (p) => block(chain, heightOf(chain, p.height))),
    block_by_hash: route({ hash: 'bytes' }, (p) => {
      const height = heightOfHash(p.hash);
      if (height !== undefined) return block(chain, height);
      return { block_id: { hash: '', parts: { total: 0, hash: '' } }, block: null };
    }),
    header: route({ height: 'int' }, (p) => {
      const height = heightOf(chain, p.height);
      return { header: headerJson(stored(chain.meta(height), `header ${height}`).header) };
    }),
    header_by_hash: route({ hash: 'hex' }, (p) => {
      const height = heightOfHash(p.hash);
      const meta = height === undefined ? undefined : chain.meta(height);
      return { header: meta === undefined ? null : headerJson(meta.header) };
    }),
    commit: route({ height: 'int' }, (p) => commit(chain, heightOf(chain, p.height))),
    block_results: route({ height: 'int' }, (p) => blockResults(chain, heightOf(chain, p.height))),
    blockchain: route({ minHeight: 'int', maxHeight: 'int' }, (p) =>
      blockchain(chain, p.minHeight, p.maxHeight),
    ),
    block_search: route(
      { query: 'text', page: 'int', per_page: 'int', order_by: 'text' },
      async (p) => {
        const query = parseQuery(searchText(p.query));
        const kept = { from: chain.base, to: chain.height };
        const found = ordered(await searchBlocks(index, query, kept), p.order_by, 'desc');
        const blocks = pageOf(found, p).map((height) => block(chain, height));
        return { blocks, total_count: String(found.length) };
      },
    ),
    validators: route({ height: 'int', page: 'int', per_page: 'int' }, (p) => {
      const height = heightOf(chain, p.height, chain.height + 1);
      const set = stored(chain.validators(height), `validators of height ${height}`);
      const page = pageOf(set.validators, p);
      return {
        block_height: String(height),
        validators: page.map(validatorJson),
        count: String(page.length),
        total: String(set.validators.length),
      };
    }),
    consensus_params: route({ height: 'int' }, (p) => {
      const height = heightOf(chain, p.height, chain.height + 1);
      const params = stored(chain.params(height), `parameters of height ${height}`);
      return { block_height: String(height), consensus_params: paramsJson(params) };
    }),
  };
}
