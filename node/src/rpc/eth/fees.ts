/**
 * Prices: eth_gasPrice, eth_maxPriorityFeePerGas, eth_feeHistory.
 *
 * Upholds: no tip is below what this node asks for gas, so that it takes what wallets make of it. A
 * history has at most 1,024 blocks and 100 percentiles; a block without Ethereum
 * transactions costs nothing to look at.
 * Spec: go-ethereum eth/gasprice.
 *
 * @module
 */
import type { BlockSummary, Receipt } from '../../gen/metatron/evm/v1/state.ts';
import type { Json, JsonObject } from '../json.ts';
import type { EthChain } from './chain.ts';
import { badParams, fails } from './errors.ts';
import type { Methods } from './methods.ts';
import { type Params, readBlockNumber } from './params.ts';
import { quantity, readList, readNumber } from './values.ts';

const MAX_BLOCKS = 1_024;
const MAX_PERCENTILES = 100;
/** Blocks whose tips a suggestion looks at. */
const SUGGEST_BLOCKS = 20;
/** The share of cheaper tips that a suggestion leaves below it. */
const SUGGEST_PERCENTILE = 60;

/** What a block's transactions offered above the base fee, cheapest first. */
type Tip = { readonly tip: bigint; readonly gas: bigint };

function tipsOf(receipts: readonly Receipt[], baseFee: bigint): readonly Tip[] {
  return receipts
    .map(({ effectiveGasPrice, gasUsed }) => ({
      tip: BigInt(effectiveGasPrice) - baseFee,
      gas: gasUsed,
    }))
    .sort((a, b) => (a.tip < b.tip ? -1 : a.tip > b.tip ? 1 : 0));
}

/** The tip below which this share of the block's gas was offered. */
function tipAt(tips: readonly Tip[], percentile: number): bigint {
  const total = tips.reduce((sum, { gas }) => sum + gas, 0n);
  const wanted = (total * BigInt(Math.round(percentile * 100))) / 10_000n;
  let sum = 0n;
  for (const { tip, gas } of tips) {
    sum += gas;
    if (sum >= wanted) return tip;
  }
  return tips.at(-1)?.tip ?? 0n;
}

function readCount(value: unknown): number {
  const count = typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
  const blocks = count ?? readNumber(value, 'blockCount');
  return Math.min(blocks, MAX_BLOCKS);
}

function readPercentiles(value: unknown): readonly number[] {
  const list = readList(value, 'rewardPercentiles', MAX_PERCENTILES, (item, what) =>
    typeof item === 'number' ? item : badParams(`${what}: not a number`),
  );
  for (const [i, item] of list.entries()) {
    if (item < 0 || item > 100) fails(`invalid reward percentile: ${item}`);
    if (i > 0 && item <= (list[i - 1] ?? 0)) {
      fails(`invalid reward percentile: #${i - 1}:${list[i - 1]} >= #${i}:${item}`);
    }
  }
  return list;
}

/** Looks at what blocks cost. */
export class Fees {
  readonly #chain: EthChain;
  readonly #least: bigint;

  /** @param least - the price of gas below which this node takes no transaction */
  constructor(chain: EthChain, least: bigint) {
    this.#chain = chain;
    this.#least = least;
  }

  #atLeast(tip: bigint): bigint {
    return tip > this.#least ? tip : this.#least;
  }

  /** A tip that this node takes, and with which a transaction is not the last to be taken. */
  async tip(): Promise<bigint> {
    const { height, ports } = this.#chain;
    const from = Math.max(height - SUGGEST_BLOCKS + 1, ports.chain.base);
    const tips: bigint[] = [];
    for (const block of await ports.ledger.summaries(from, height, SUGGEST_BLOCKS)) {
      const receipts = await this.#chain.queries.receipts(Number(block.height));
      for (const { tip } of tipsOf(receipts, BigInt(block.baseFee)).slice(0, 3)) tips.push(tip);
    }
    tips.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    return this.#atLeast(tips[Math.floor(((tips.length - 1) * SUGGEST_PERCENTILE) / 100)] ?? 0n);
  }

  /** The base fee of the next block. */
  nextBaseFee(): Promise<bigint> {
    return this.#chain.ports.ledger.baseFee(this.#chain.height + 1);
  }

  /** eth_feeHistory. */
  async history(args: Params): Promise<Json> {
    const count = args.at(0, readCount);
    const ref = args.at(1, readBlockNumber);
    const percentiles = args.maybe(2, readPercentiles);
    const newest = this.#chain.find(ref);
    if (newest === undefined) return fails('request beyond head block');
    const base = Math.max(this.#chain.ports.chain.base, 1);
    const oldest = Math.max(newest - count + 1, base);
    if (count === 0) return { oldestBlock: '0x0', gasUsedRatio: [], reward: undefined };
    const { ledger } = this.#chain.ports;
    const found = await ledger.summaries(oldest, newest, MAX_BLOCKS);
    const summaries = new Map(found.map((one) => [Number(one.height), one]));
    return this.#rows(oldest, newest, summaries, percentiles);
  }

  async #rows(
    oldest: number,
    newest: number,
    summaries: ReadonlyMap<number, BlockSummary>,
    percentiles: readonly number[] | undefined,
  ): Promise<JsonObject> {
    const { blockGasLimit } = await this.#chain.params();
    const fees: string[] = [];
    const ratios: number[] = [];
    const rewards: string[][] = [];
    for (let height = oldest; height <= newest; height++) {
      const summary = summaries.get(height);
      const fee = summary?.baseFee ?? (await this.#chain.ports.ledger.baseFee(height));
      fees.push(quantity(BigInt(fee)));
      ratios.push(Number(summary?.gasUsed ?? 0n) / Number(blockGasLimit));
      if (percentiles === undefined) continue;
      const receipts = summary === undefined ? [] : await this.#chain.queries.receipts(height);
      const tips = tipsOf(receipts, BigInt(fee));
      rewards.push(percentiles.map((share) => quantity(this.#atLeast(tipAt(tips, share)))));
    }
    fees.push(quantity(await this.#chain.ports.ledger.baseFee(newest + 1)));
    return {
      oldestBlock: quantity(oldest),
      baseFeePerGas: fees,
      gasUsedRatio: ratios,
      reward: percentiles === undefined ? undefined : rewards,
    };
  }
}

/** The methods about prices. */
export function feeMethods(fees: Fees): Methods {
  return {
    eth_gasPrice: {
      most: 0,
      call: async () => quantity((await fees.nextBaseFee()) + (await fees.tip())),
    },
    eth_maxPriorityFeePerGas: { most: 0, call: async () => quantity(await fees.tip()) },
    eth_feeHistory: { most: 3, call: (args) => fees.history(args) },
  };
}
