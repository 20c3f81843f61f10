/**
 * Module auth: accounts and the parameters of transactions.
 *
 * @module
 */
import type { Module } from '../module.ts';
import { genesis } from './genesis.ts';
import { queries } from './queries.ts';

/** The module. */
export const auth: Module = { name: 'auth', messages: [], queries, genesis };
