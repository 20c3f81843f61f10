/**
 * Logs: which ones a filter means, and finding them in a range of blocks.
 *
 * Upholds: a search visits only blocks with Ethereum transactions, and of those only what a bloom
 * filter lets through; it is bounded in blocks, in receipts read and in logs found, and works in
 * slices between other work.
 * Spec: ethereum/execution-apis (Filter); go-ethereum eth/filters.
 *
 * @module
 */
import { equalBytes } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import type { BlockSummary, Log, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import type { JsonObject } from '../json.ts';
import type { EthChain } from './chain.ts';
import { badParams, errors } from './errors.ts';
import { type BlockRef, LATEST, readBlockNumber } from './params.ts';
import { bloomBits, logJson } from './transactions.ts';
import { optional, readAddress, readHash, readList, readObject } from './values.ts';

/** Bounds of a search. */
export type LogLimits = {
  /** Most blocks in a range. */
  readonly maxBlocks: number;
  /** Most logs found. */
  readonly maxLogs: number;
};

/** Most transactions whose receipts one search reads. */
const MAX_RECEIPTS = 200_000;
const MAX_TOPICS = 4;
const MAX_CHOICES = 1_000;
/** Summaries read at once. */
const CHUNK = 64;

/** What a filter asks of a log. */
export type LogFilter = {
  /** Empty: any. */
  readonly addresses: readonly Uint8Array[];
  /** By position; an empty list takes any. */
  readonly topics: readonly (readonly Uint8Array[])[];
};

/** A filter and the blocks that it looks at. */
export type LogQuery = LogFilter & {
  readonly from: BlockRef;
  readonly to: BlockRef;
  readonly block: Uint8Array | undefined;
};

function readChoices(value: unknown, what: string): readonly Uint8Array[] {
  if (value === null) return [];
  if (typeof value === 'string') return [readHash(value, what)];
  const list = readList(value, what, MAX_CHOICES, (item, name) =>
    item === null ? undefined : readHash(item, name),
  );
  const given = list.filter((item) => item !== undefined);
  // `null` among the choices takes anything.
  return given.length === list.length ? given : [];
}

/** Reads a filter. */
export function readFilter(value: unknown): LogQuery {
  const { address, topics, fromBlock, toBlock, blockHash } = readObject(value, 'filter');
  const block = optional(blockHash, 'blockHash', readHash);
  if (block !== undefined && (fromBlock ?? toBlock ?? undefined) !== undefined) {
    badParams('cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other');
  }
  const addresses = optional(address, 'address', (given, what) =>
    typeof given === 'string'
      ? [readAddress(given, what)]
      : readList(given, what, MAX_CHOICES, readAddress),
  );
  const positions = optional(topics, 'topics', (list, what) =>
    readList(list, what, MAX_TOPICS, readChoices),
  );
  return {
    addresses: addresses ?? [],
    topics: positions ?? [],
    from: optional(fromBlock, 'fromBlock', readBlockNumber) ?? LATEST,
    to: optional(toBlock, 'toBlock', readBlockNumber) ?? LATEST,
    block,
  };
}

/** Whether a log is meant. */
export function matchesLog({ addresses, topics }: LogFilter, log: Log): boolean {
  if (addresses.length > 0 && !addresses.some((one) => equalBytes(one, log.address))) return false;
  return topics.every((choices, i) => {
    const topic = log.topics[i];
    if (topic === undefined) return false;
    return choices.length === 0 || choices.some((one) => equalBytes(one, topic));
  });
}

/** Words that a bloom filter must have, each by its three bits: one choice of each list. */
type BloomTest = readonly (readonly (readonly number[])[])[];

function bloomTest(filter: LogFilter, keccak: (bytes: Uint8Array) => Uint8Array): BloomTest {
  return [filter.addresses, ...filter.topics]
    .filter((choices) => choices.length > 0)
    .map((choices) => choices.map((choice) => bloomBits(keccak(choice))));
}

function passes(test: BloomTest, bloom: Uint8Array): boolean {
  const has = (bit: number): boolean => ((bloom[255 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0;
  return test.every((choices) => choices.some((bits) => bits.every(has)));
}

/** Logs of receipts that a filter means. */
export function logsOf(
  receipts: readonly Receipt[],
  filter: LogFilter,
  block: { readonly hash: Uint8Array; readonly time: bigint },
): readonly JsonObject[] {
  return receipts.flatMap((receipt) =>
    receipt.logs.flatMap((log, i) =>
      matchesLog(filter, log) ? [logJson(log, i, receipt, block)] : [],
    ),
  );
}

/** Searches blocks for logs. */
export class LogSearch {
  readonly #chain: EthChain;
  readonly #limits: LogLimits;

  constructor(chain: EthChain, limits: LogLimits) {
    this.#chain = chain;
    this.#limits = limits;
  }

  /** The heights that a query looks at. @throws LedgerError ethrpc/1, ethrpc/6, ethrpc/11 */
  range(query: LogQuery): { readonly from: number; readonly to: number } {
    const chain = this.#chain;
    if (query.block !== undefined) {
      const height = chain.heightOf({ kind: 'hash', hash: query.block });
      return { from: height, to: height };
    }
    const at = (ref: BlockRef): number =>
      ref.kind === 'number' ? ref.number : chain.heightOf(ref);
    const [from, to] = [at(query.from), at(query.to)];
    if (from > to) badParams('invalid block range params');
    const last = Math.min(to, chain.height);
    if (last - from >= this.#limits.maxBlocks) {
      const reason = `block range is larger than ${this.#limits.maxBlocks} blocks`;
      throw new LedgerError(errors.TooMuch, { reason });
    }
    return { from: Math.max(from, chain.ports.chain.base), to: last };
  }

  /** The logs that a query means. @throws LedgerError ethrpc/11 if they are too many */
  search(query: LogQuery): Promise<readonly JsonObject[]> {
    const { from, to } = this.range(query);
    return this.between(query, from, to);
  }

  /** The logs between two heights. */
  async between(filter: LogFilter, from: number, to: number): Promise<readonly JsonObject[]> {
    const test = bloomTest(filter, this.#chain.ports.ledger.keccak256);
    const found: JsonObject[] = [];
    let read = 0;
    for (let next = from; next <= to; ) {
      const blocks = await this.#chain.ports.ledger.summaries(next, to, CHUNK);
      for (const block of blocks) {
        if (block.logCount === 0 || !passes(test, block.bloom)) continue;
        read += block.txCount;
        found.push(...(await this.#logs(filter, block)));
        if (found.length > this.#limits.maxLogs || read > MAX_RECEIPTS) this.#tooMuch();
      }
      const last = blocks.at(-1);
      if (last === undefined || blocks.length < CHUNK) break;
      next = Number(last.height) + 1;
    }
    return found;
  }

  #tooMuch(): never {
    const reason = `query returned more than ${this.#limits.maxLogs} results`;
    throw new LedgerError(errors.TooMuch, { reason });
  }

  async #logs(filter: LogFilter, summary: BlockSummary): Promise<readonly JsonObject[]> {
    const height = Number(summary.height);
    const { blockId, header } = this.#chain.meta(height);
    const block = { hash: blockId.hash, time: header.time };
    const receipts = await this.#chain.queries.receipts(height);
    // Queries are answered at once: other work gets its turn here.
    await new Promise((resolve) => setImmediate(resolve));
    return logsOf(receipts, filter, block);
  }
}
