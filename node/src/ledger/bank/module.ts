/**
 * Module bank: balances, transfers, supply, metadata of denominations.
 *
 * @module
 */
import type { Module } from '../module.ts';
import { genesis } from './genesis.ts';
import { multiSend, send } from './messages.ts';
import { queries } from './queries.ts';

/** The module. */
export const bank: Module = { name: 'bank', messages: [send, multiSend], queries, genesis };
