/**
 * REST about the chain: status, blocks, transactions, validators, pending transactions.
 *
 * @module
 */
import * as z from 'zod';
import { fromHex } from '../../base/bytes.ts';
import { LedgerError, present } from '../../base/errors.ts';
import type { TxLocation } from '../../indexer/chain-index.ts';
import { parseQuery } from '../../indexer/query.ts';
import { searchTxs } from '../../indexer/search.ts';
import { txHash } from '../../types/block.ts';
import type { BlockMeta } from '../../types/chain-state.ts';
import { BLOCK_ID_FLAG } from '../../types/commit.ts';
import type { AbciEvent, TxResult } from '../../types/results.ts';
import { formatTime, ZERO_TIME } from '../../types/time.ts';
import { errors } from '../errors.ts';
import { EthQueries } from '../eth/queries.ts';
import { base64, hex } from '../json.ts';
import type { RpcPorts } from '../ports.ts';
import { blockAt, heightOf, stored } from '../route.ts';
import { COMET_VERSION } from '../routes-node.ts';
import { type Endpoint, endpoint } from './endpoint.ts';
import { ethereumOf } from './ethereum-tx.ts';
import { badParams, decodeTx, param } from './query.ts';
import {
  type BlockAnswer,
  type BlockSummary,
  blockListSchema,
  blockSchema,
  type EventAnswer,
  mempoolSchema,
  type StatusAnswer,
  statusSchema,
  type TxAnswer,
  type TxList,
  type TxSummary,
  txListSchema,
  txSchema,
  validatorsSchema,
} from './schemas.ts';

const EITHER_HASH = z.string().regex(/^(?:0x)?[0-9A-Fa-f]{64}$/, 'is not 64 hex digits');
/** Heights that one page of transactions looks through, at most. */
const MAX_HEIGHTS = 2_000;

function status(ports: RpcPorts): StatusAnswer {
  const { chain, pool, net, consensus } = ports;
  const latest = chain.meta(chain.height);
  const state = chain.state();
  return {
    chainId: ports.chainId,
    moniker: ports.node.moniker,
    version: COMET_VERSION,
    latestHeight: chain.height,
    latestHash: latest === undefined ? '' : hex(latest.blockId.hash),
    latestTime: formatTime(latest?.header.time ?? ZERO_TIME),
    appHash: state === undefined ? '' : hex(state.appHash),
    earliestHeight: chain.base,
    catchingUp: consensus.catchingUp,
    validators: state?.validators.validators.length ?? 0,
    peers: net.peers().length,
    pendingTransactions: pool.size,
  };
}

function summary({ blockId, header, txCount, blockSize }: BlockMeta): BlockSummary {
  return {
    height: header.height,
    hash: hex(blockId.hash),
    time: formatTime(header.time),
    proposer: hex(header.proposerAddress),
    transactions: txCount,
    bytes: blockSize,
  };
}

function events(list: readonly AbciEvent[]): EventAnswer[] {
  return list.map(({ type, attributes }) => ({
    type,
    attributes: attributes.map(({ key, value, index }) => ({ key, value, index })),
  }));
}

function block({ chain }: RpcPorts, height: number): BlockAnswer {
  const found = blockAt(chain, height);
  const { header, data, evidence, lastCommit } = found.block;
  const signatures = lastCommit?.signatures ?? [];
  const signed = signatures.filter((s) => s.blockIdFlag === BLOCK_ID_FLAG.commit).length;
  return {
    ...summary(found.meta),
    appHash: hex(header.appHash),
    lastCommit: {
      height: lastCommit?.height ?? 0,
      round: lastCommit?.round ?? 0,
      signed,
      absent: signatures.length - signed,
    },
    transactionHashes: data.txs.map((tx) => hex(txHash(tx))),
    evidence: evidence.evidence.length,
    events: events(chain.results(height)?.events ?? []),
  };
}

function txSummary({ height, index, tx, result }: TxResult): TxSummary {
  return {
    hash: hex(txHash(tx)),
    height,
    index,
    code: result.code,
    codespace: result.codespace,
    gasWanted: String(result.gasWanted),
    gasUsed: String(result.gasUsed),
    bytes: tx.length,
  };
}

/** Places of transactions below the cursor, newest first; at most `limit` and one more. */
function newestTxs({ chain }: RpcPorts, before: TxLocation, limit: number): TxLocation[] {
  const found: TxLocation[] = [];
  const lowest = Math.max(chain.base, before.height - MAX_HEIGHTS);
  for (let height = before.height; height >= lowest && found.length <= limit; height--) {
    const count = chain.meta(height)?.txCount ?? 0;
    const top = height === before.height ? Math.min(count, before.index) : count;
    for (let index = top - 1; index >= 0 && found.length <= limit; index--) {
      found.push({ height, index });
    }
  }
  return found;
}

function below(cursor: string | undefined, tip: number): TxLocation {
  const [height = tip, index = Number.MAX_SAFE_INTEGER] = (cursor ?? '')
    .split('.')
    .filter(Boolean)
    .map(Number);
  return { height: Math.min(height, tip), index };
}

async function transactions(
  ports: RpcPorts,
  p: { readonly query?: string; readonly limit: number; readonly cursor?: string | undefined },
): Promise<TxList> {
  const { chain, index } = ports;
  const before = below(p.cursor, chain.height);
  let places: TxLocation[];
  if (p.query === undefined) places = newestTxs(ports, before, p.limit);
  else {
    const found = await searchTxs(index, parseQuery(p.query));
    places = found
      .filter(
        (at) =>
          at.height < before.height || (at.height === before.height && at.index < before.index),
      )
      .reverse();
  }
  const page = places.slice(0, p.limit);
  const last = page.at(-1);
  const more = places.length > p.limit && last !== undefined;
  const list = page.flatMap((at) => index.txAt(at) ?? []).map(txSummary);
  return { transactions: list, next: more ? `${last.height}.${last.index}` : null };
}

/** The place of a transaction by its own hash, or by that of the Ethereum transaction in it. */
async function placeOf(
  { index }: RpcPorts,
  queries: EthQueries,
  hash: Uint8Array,
): Promise<TxLocation | undefined> {
  const at = index.locate(hash);
  if (at !== undefined) return at;
  return await queries.placeOf(hash);
}

async function transaction(ports: RpcPorts, queries: EthQueries, text: string): Promise<TxAnswer> {
  const { chain, index } = ports;
  const hash = present(fromHex(text.replace(/^0x/, '')), 'a checked hash');
  const at = await placeOf(ports, queries, hash);
  const found = at && at.height <= chain.height ? index.txAt(at) : undefined;
  if (found === undefined) {
    throw new LedgerError(errors.NotFound, { what: `transaction ${text}` });
  }
  return {
    ...txSummary(found),
    time: formatTime(chain.meta(found.height)?.header.time ?? ZERO_TIME),
    log: found.result.log,
    events: events(found.result.events),
    raw: base64(found.tx),
    decoded: await decodeTx(ports, found.tx),
    ethereum: await ethereumOf(queries, found),
  };
}

function blockEndpoints(ports: RpcPorts): readonly Endpoint[] {
  const { chain } = ports;
  return [
    endpoint(
      '/v1/blocks',
      'Blocks, newest first',
      z.strictObject({ limit: param.limit, cursor: param.cursor }),
      blockListSchema,
      ({ limit, cursor }) => {
        const top = Math.min(cursor === undefined ? chain.height : Number(cursor), chain.height);
        const bottom = Math.max(top - limit + 1, chain.base, 1);
        const blocks: BlockSummary[] = [];
        for (let height = top; height >= bottom; height--) {
          blocks.push(summary(present(chain.meta(height), `meta of stored height ${height}`)));
        }
        return {
          blocks,
          next: bottom > chain.base && blocks.length > 0 ? String(bottom - 1) : null,
        };
      },
    ),
    endpoint(
      '/v1/blocks/:height',
      'A block by its height, its hash, or `latest`',
      z.strictObject({ height: z.string().max(64) }),
      blockSchema,
      ({ height }) => block(ports, blockHeight(ports, height)),
    ),
  ];
}

function blockHeight({ chain, index }: RpcPorts, text: string): number {
  if (text === 'latest') return heightOf(chain, undefined);
  if (/^\d{1,15}$/.test(text)) return heightOf(chain, Number(text));
  const hash = text.length === 64 ? fromHex(text) : undefined;
  if (hash === undefined) return badParams('height is a number, a block hash, or latest');
  return heightOf(chain, stored(index.heightOf(hash), `block ${text}`));
}

/** The endpoints, over the ports. */
export function chainEndpoints(ports: RpcPorts): readonly Endpoint[] {
  const { chain, pool } = ports;
  const queries = new EthQueries(ports.app);
  return [
    endpoint('/v1/status', 'How this node stands', z.strictObject({}), statusSchema, () =>
      status(ports),
    ),
    ...blockEndpoints(ports),
    endpoint(
      '/v1/transactions',
      'Transactions, newest first; `query` takes the event query language',
      z.strictObject({
        limit: param.limit,
        cursor: param.cursor,
        query: z.string().min(1).max(512).optional(),
      }),
      txListSchema,
      ({ limit, cursor, query }) =>
        transactions(ports, query === undefined ? { limit, cursor } : { limit, cursor, query }),
    ),
    endpoint(
      '/v1/transactions/:hash',
      'A transaction by its hash, or by the hash of the Ethereum transaction in it, decoded',
      z.strictObject({ hash: EITHER_HASH }),
      txSchema,
      ({ hash }) => transaction(ports, queries, hash),
    ),
    endpoint(
      '/v1/validators',
      'The validators of a height; of the next one by default',
      z.strictObject({ height: param.height.optional() }),
      validatorsSchema,
      (p) => {
        const height = heightOf(chain, p.height, chain.height + 1);
        const set = stored(chain.validators(height), `validators of height ${height}`);
        return {
          height,
          totalPower: String(set.totalPower),
          validators: set.validators.map((v) => ({
            address: hex(v.address),
            publicKey: base64(v.publicKey.bytes),
            power: String(v.power),
            priority: String(v.priority),
            proposer: hex(v.address) === hex(set.proposer.address),
          })),
        };
      },
    ),
    endpoint(
      '/v1/mempool',
      'The pending transactions',
      z.strictObject({ limit: param.limit }),
      mempoolSchema,
      ({ limit }) => ({
        transactions: pool.size,
        bytes: pool.byteSize,
        hashes: pool.list(limit).map(({ tx }) => hex(txHash(tx))),
      }),
    ),
  ];
}
