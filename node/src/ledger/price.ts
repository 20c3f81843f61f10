/**
 * What a node asks for gas before it lets a transaction into its mempool.
 *
 * Upholds: the floor is each node's own choice and no part of consensus.
 * Spec: Cosmos SDK `minimum-gas-prices`: any one of the listed coins is enough.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type Amount, coinsText, isDenom } from './bank/coins.ts';
import { BASE_DENOM } from './denom.ts';
import { refuse, errors as sdk } from './errors.ts';
import { refuseEvm } from './ethereum/errors.ts';
import type { DecodedTx } from './tx/decode.ts';

/** Refusals of the configuration. */
export const errors: { readonly BadPrice: ErrorSpec<{ readonly text: string }> } = {
  BadPrice: errorSpec('ledger', 1, 'node', (p) => `"${p.text}" is not a gas price like 0.025aphi`),
};

const SCALE_DIGITS = 18;
const SCALE = 10n ** BigInt(SCALE_DIGITS);
const PRICE = /^(\d{1,30})(?:\.(\d{1,18}))?([a-zA-Z].*)$/;

/** Price of one unit of gas in 10^-18 of a coin. */
export type GasPrice = { readonly denom: string; readonly scaled: bigint };

/** Reads prices such as `0.025aphi,1uatom`; empty text is no floor. @throws LedgerError ledger/1 */
export function parsePrices(text: string): readonly GasPrice[] {
  if (text.trim() === '') return [];
  const prices = text.split(',').map((part) => {
    const [, whole = '', fraction = '', denom = ''] = PRICE.exec(part.trim()) ?? [];
    if (whole === '' || !isDenom(denom)) throw new LedgerError(errors.BadPrice, { text: part });
    return { denom, scaled: BigInt(whole + fraction.padEnd(SCALE_DIGITS, '0')) };
  });
  return prices.filter((price) => price.scaled > 0n);
}

/** The least whole amount of `denom` for one unit of gas; 0 if gas has no price in it. */
export function leastPrice(floor: readonly GasPrice[], denom: string): bigint {
  const price = floor.find((one) => one.denom === denom);
  return price === undefined ? 0n : (price.scaled + SCALE - 1n) / SCALE;
}

/** @throws LedgerError sdk/13, of Ethereum's evm/23, if the fee is below every price in `floor` */
export function checkFloor(
  floor: readonly GasPrice[],
  { fee, gasLimit, ethereum }: Pick<DecodedTx, 'fee' | 'gasLimit' | 'ethereum'>,
): void {
  if (floor.length === 0) return;
  const required = floor.map(({ denom, scaled }) => ({
    denom,
    amount: (scaled * BigInt(gasLimit) + SCALE - 1n) / SCALE,
  }));
  const enough = required.some(
    ({ denom, amount }) => (fee.find((coin) => coin.denom === denom)?.amount ?? 0n) >= amount,
  );
  if (enough) return;
  if (ethereum !== undefined) {
    const least = leastPrice(floor, BASE_DENOM);
    const { maxFeePerGas } = ethereum.tx;
    refuseEvm('Underpriced', `gas fee cap ${maxFeePerGas}, minimum needed ${least}`);
  }
  const reason = `insufficient fees; got: ${coinsText(fee)} required: ${coinsText(required)}`;
  refuse(sdk.InsufficientFee, reason);
}

/** Rank between senders: the highest price offered, in whole units of a coin per unit of gas. */
export function priorityOf(fee: readonly Amount[], gasLimit: number): number {
  if (gasLimit === 0) return 0;
  const most = fee.reduce((best, coin) => (coin.amount > best ? coin.amount : best), 0n);
  const price = most / BigInt(gasLimit);
  return price > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(price);
}
