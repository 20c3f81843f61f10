/**
 * The shape of a method of Ethereum's JSON-RPC.
 *
 * @module
 */
import type { Json } from '../json.ts';
import type { Params } from './params.ts';
import type { EthTurn } from './ports.ts';

/** A method: how many parameters it has at most, and what it answers. */
export type Method = {
  readonly most: number;
  /** @throws LedgerError as the answer's error */
  readonly call: (args: Params, turn: EthTurn) => Json | Promise<Json>;
};

/** Methods by name. */
export type Methods = Readonly<Record<string, Method>>;
