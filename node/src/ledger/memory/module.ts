/**
 * Module memory: what agents write, and proofs of it.
 *
 * Upholds: after a block each touched space's record carries the size and root of its log.
 * Reading on: put.ts and space-messages.ts (messages), ledger/rules (who may), schema.ts (layout),
 * queries.ts.
 *
 * @module
 */
import { present } from '../../base/errors.ts';
import type { Module } from '../module.ts';
import { put } from './put.ts';
import { queries } from './queries.ts';
import { getSpace, setSpace } from './schema.ts';
import { spaceMessages } from './space-messages.ts';
import { spaceQueries } from './space-queries.ts';

/** The module. */
export const memory: Module = {
  name: 'memory',
  messages: [put, ...spaceMessages],
  queries: { ...queries, ...spaceQueries },
  sealLog: (state, id, { size, root }) => {
    const space = present(getSpace(state, id), 'record of a space whose log grew');
    setSpace(state, id, { ...space, size: BigInt(size), root });
  },
};
