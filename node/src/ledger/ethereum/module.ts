/**
 * Module evm: Ethereum transactions, as the ledger carries and runs them.
 *
 * Its message is not among a transaction's messages: it stands alone in a transaction of its own
 * form (wrapper.ts), and blocks run it after all others (run.ts).
 *
 * @module
 */
import type { Module } from '../module.ts';
import { genesis } from './params.ts';
import { queries } from './queries.ts';

/** The module. */
export const evm: Module = { name: 'evm', messages: [], queries, genesis };
