/**
 * Coins as users type them: `1000aphi,5uatom`.
 *
 * @module
 */
import { isDenom, parseAmount } from '../ledger/bank/coins.ts';
import type { Coin } from '../ledger/tx/wire.ts';
import { wrongUsage } from './usage.ts';

/** Reads a list of coins; empty text is none. @throws LedgerError usage/1 */
export function parseCoins(text: string): readonly Coin[] {
  if (text === '') return [];
  return text.split(',').map((part) => {
    const [, digits = '', denom = ''] = /^(\d{1,78})(.*)$/s.exec(part.trim()) ?? [];
    const amount = parseAmount(digits.replace(/^0+(?=\d)/, ''));
    if (amount === undefined || !isDenom(denom)) {
      return wrongUsage(`"${part}" is no amount of coins, such as 1000aphi`);
    }
    return { amount: String(amount), denom };
  });
}
