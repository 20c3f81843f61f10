/**
 * Where fees go.
 *
 * @module
 */
import { type AccountId, moduleAccountId } from '../addresses.ts';
import { createAccount, getAccount } from '../auth/accounts.ts';
import type { MutableRecords } from '../record.ts';

/** Where fees are collected. */
export const FEE_COLLECTOR: AccountId = moduleAccountId('fee_collector');

/** Makes sure that the collector has its account. */
export function ensureFeeCollector(state: MutableRecords): void {
  if (getAccount(state, FEE_COLLECTOR) === undefined) {
    createAccount(state, FEE_COLLECTOR, 'fee_collector');
  }
}
