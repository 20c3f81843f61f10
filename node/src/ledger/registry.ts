/**
 * The modules of the ledger, in the order that is consensus, and what they answer to.
 *
 * A new capability is one folder and one line here.
 *
 * @module
 */
import { invariant } from '../base/errors.ts';
import { auth } from './auth/module.ts';
import { bank } from './bank/module.ts';
import { evm } from './ethereum/module.ts';
import { memory } from './memory/module.ts';
import type { MessageType, Module, Query } from './module.ts';

/** The modules. */
export const modules: readonly Module[] = [auth, bank, memory, evm];

/** Message types by URL. */
export const messageTypes: ReadonlyMap<string, MessageType> = unique(
  modules.flatMap((module) => module.messages.map((type) => [type.typeUrl, type] as const)),
);

/** Queries by ABCI path. */
export const queries: ReadonlyMap<string, Query> = unique(
  modules.flatMap((module) => Object.entries(module.queries)),
);

function unique<V>(entries: readonly (readonly [string, V])[]): ReadonlyMap<string, V> {
  const map = new Map(entries);
  invariant(map.size === entries.length, 'every message type and query path has one module');
  return map;
}
