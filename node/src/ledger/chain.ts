/**
 * The chain's own record: what genesis fixed and every transaction is checked against.
 *
 * Layout: metatron.ledger.v1 Chain under key 0x01.
 *
 * @module
 */
import { Chain as ChainRecord } from '../gen/metatron/ledger/v1/state.ts';
import { KEY, key } from './keys.ts';
import type { MutableRecords, Records } from './record.ts';

const CHAIN_KEY = key(KEY.chain);

/** What genesis fixed. */
export type Chain = {
  readonly chainId: string;
  readonly prefix: string;
  /** Most gas in a block; 0 is no bound. */
  readonly maxBlockGas: number;
  readonly initialHeight: number;
};

/** The chain's record, after genesis. */
export function getChain(state: Records): Chain | undefined {
  const bytes = state.get(CHAIN_KEY);
  if (bytes === undefined) return undefined;
  const record = ChainRecord.decode(bytes);
  return {
    chainId: record.chainId,
    prefix: record.bech32Prefix,
    maxBlockGas: Number(record.maxBlockGas),
    initialHeight: Number(record.initialHeight),
  };
}

/** Writes the chain's record. */
export function setChain(state: MutableRecords, chain: Chain): void {
  const record = ChainRecord.encode({
    chainId: chain.chainId,
    bech32Prefix: chain.prefix,
    maxBlockGas: BigInt(chain.maxBlockGas),
    initialHeight: BigInt(chain.initialHeight),
  });
  state.set(CHAIN_KEY, record.finish());
}
