/**
 * Coins as amounts: reading lists of them strictly, adding them up, writing them as text.
 *
 * Upholds: amounts are whole, not negative, below 2^256 and written one way; a valid list has
 * ascending denominations and no zero.
 * Spec: Cosmos SDK types/coin.go.
 *
 * @module
 */
import { errors, refuse } from '../errors.ts';
import type { Coin } from '../tx/wire.ts';

/** An amount of one denomination. */
export type Amount = { readonly denom: string; readonly amount: bigint };

const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const AMOUNT = /^(0|[1-9]\d{0,77})$/;
const MAX_AMOUNT = 1n << 256n;

/** Whether `text` may name a denomination. */
export function isDenom(text: string): boolean {
  return DENOM.test(text);
}

/** A decimal amount, or `undefined` if it is not canonical or too large. */
export function parseAmount(text: string): bigint | undefined {
  if (!AMOUNT.test(text)) return undefined;
  const value = BigInt(text);
  return value < MAX_AMOUNT ? value : undefined;
}

/** Coins as the SDK prints them: `5aphi,7uatom`. */
export function coinsText(coins: readonly Amount[]): string {
  return coins.map((coin) => `${coin.amount}${coin.denom}`).join(',');
}

/** The coins as they were written, for messages about a refusal. */
function rawText(coins: readonly Coin[]): string {
  return coins.map((coin) => `${coin.amount}${coin.denom}`).join(',');
}

/**
 * Reads coins that must all be positive, in ascending order.
 *
 * @throws LedgerError sdk/10
 */
export function parseCoins(coins: readonly Coin[]): readonly Amount[] {
  const amounts = readAmounts(coins);
  if (amounts === undefined || amounts.length === 0 || amounts.some((c) => c.amount === 0n)) {
    return refuse(errors.InvalidCoins, rawText(coins));
  }
  return amounts;
}

/**
 * Reads fee coins: ascending, and zero is the same as absent.
 *
 * @throws LedgerError sdk/13
 */
export function parseFee(coins: readonly Coin[]): readonly Amount[] {
  const amounts = readAmounts(coins);
  if (amounts === undefined) {
    return refuse(errors.InsufficientFee, `invalid fee provided: ${rawText(coins)}`);
  }
  return amounts.filter((coin) => coin.amount > 0n);
}

function readAmounts(coins: readonly Coin[]): readonly Amount[] | undefined {
  const out: Amount[] = [];
  let last = '';
  for (const { denom, amount } of coins) {
    const value = parseAmount(amount);
    if (value === undefined || !isDenom(denom) || denom <= last) return undefined;
    out.push({ denom, amount: value });
    last = denom;
  }
  return out;
}

/** The sum by denomination, in ascending order. */
export function sumCoins(lists: Iterable<readonly Amount[]>): readonly Amount[] {
  const sums = new Map<string, bigint>();
  for (const coins of lists) {
    for (const { denom, amount } of coins) sums.set(denom, (sums.get(denom) ?? 0n) + amount);
  }
  return [...sums]
    .map(([denom, amount]) => ({ denom, amount }))
    .sort((a, b) => (a.denom < b.denom ? -1 : 1));
}

/** Whether two ascending lists are the same. */
export function equalCoins(a: readonly Amount[], b: readonly Amount[]): boolean {
  return coinsText(a) === coinsText(b);
}
