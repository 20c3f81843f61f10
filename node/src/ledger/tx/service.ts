import type { ExecTxResult, TxResult } from '../../types/results.ts';
import type { Time } from '../../types/time.ts';
import type { Addresses } from '../addresses.ts';
import type { Answer } from '../module.ts';

/** A transaction of a block, and the block's time. */
export type FoundTx = TxResult & { readonly time: Time };

/** Finds a committed transaction by its hash. */
export type TxLookup = (hash: Uint8Array) => FoundTx | undefined | Promise<FoundTx | undefined>;

/** What the service is answered from. */
export type TxSources = {
  readonly findTx: TxLookup | undefined;
  /** @throws LedgerError if the transaction does not decode */
  readonly simulate: (tx: Uint8Array) => ExecTxResult;
};

type ServiceQuery = (
  sources: TxSources,
  addresses: Addresses,
  data: Uint8Array,
) => Answer | Promise<Answer>;

export const serviceQueries: Readonly<Record<string, ServiceQuery>> = {};
