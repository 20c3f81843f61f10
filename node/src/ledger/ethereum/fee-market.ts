/**
 * The base fee of blocks.
 *
 * Upholds: a block without Ethereum transactions writes nothing: how far the base fee has fallen
 * since is worked out when it is asked for. The target is half of a block's gas; the gas of native
 * transactions does not count.
 * Layout: metatron.evm.v1 FeeMarket.
 * Spec: EIP-1559; elasticity 2, change by at most an eighth per block.
 *
 * @module
 */
import { FeeMarket as FeeMarketRecord } from '../../gen/metatron/evm/v1/state.ts';
import { KEY, key, named } from '../keys.ts';
import { once } from '../once.ts';
import {
  type MutableRecords,
  type RecordCodec,
  type Records,
  readRecord,
  writeRecord,
} from '../record.ts';
import { type EthereumParams, getEthereumParams } from './params.ts';

/** The last block that had Ethereum transactions. */
export type FeeMarket = {
  readonly height: number;
  /** Wei per gas. */
  readonly baseFee: bigint;
  readonly gasUsed: number;
};

const MARKET_KEY = named(key(KEY.evm, Uint8Array.of(1)));
const ELASTICITY = 2n;
const MAX_CHANGE = 8n;

const codec: RecordCodec<FeeMarket> = {
  encode: ({ height, baseFee, gasUsed }) =>
    FeeMarketRecord.encode({
      height: BigInt(height),
      baseFee: String(baseFee),
      gasUsed: BigInt(gasUsed),
    }).finish(),
  decode: once((bytes) => {
    const { height, baseFee, gasUsed } = FeeMarketRecord.decode(bytes);
    return { height: Number(height), baseFee: BigInt(baseFee), gasUsed: Number(gasUsed) };
  }),
};

/** The last block that had Ethereum transactions, if there was one. */
export function getFeeMarket(state: Records): FeeMarket | undefined {
  return readRecord(state, MARKET_KEY, codec);
}

/** Notes a block that had Ethereum transactions. */
export function setFeeMarket(state: MutableRecords, market: FeeMarket): void {
  writeRecord(state, MARKET_KEY, codec, market);
}

/** The base fee after a block of `baseFee` that used `gasUsed` of `gasLimit`. */
export function nextBaseFee(baseFee: bigint, gasUsed: bigint, gasLimit: bigint): bigint {
  const target = gasLimit / ELASTICITY;
  if (gasUsed === target || target === 0n) return baseFee;
  if (gasUsed > target) {
    const rise = (baseFee * (gasUsed - target)) / target / MAX_CHANGE;
    return baseFee + (rise > 1n ? rise : 1n);
  }
  return baseFee - (baseFee * (target - gasUsed)) / target / MAX_CHANGE;
}

/** What the base fee is worked out from. */
export type FeeTerms = {
  readonly gasLimit: bigint;
  readonly initialHeight: number;
};

/**
 * The base fee of the block at `height`, which is not below the last block with transactions.
 *
 * Cost: linear in the blocks since, until the fee falls no more: at most some 1,300 steps.
 */
export function baseFeeAt(state: Records, height: number, terms: FeeTerms): bigint {
  return baseFeeAfter(getFeeMarket(state), height, terms, getEthereumParams(state));
}

/** The same, by that last block. @param before - none if there was no such block */
export function baseFeeAfter(
  before: FeeMarket | undefined,
  height: number,
  terms: FeeTerms,
  { minBaseFee, baseFee: first }: EthereumParams,
): bigint {
  const last = before ?? { height: terms.initialHeight, baseFee: first, gasUsed: 0 };
  let fee = last.baseFee;
  let used = BigInt(last.gasUsed);
  for (let at = last.height; at < height; at++) {
    const next = nextBaseFee(fee, used, terms.gasLimit);
    const bounded = next > minBaseFee ? next : minBaseFee;
    if (used === 0n && bounded === fee) break;
    fee = bounded;
    used = 0n;
  }
  return fee;
}
