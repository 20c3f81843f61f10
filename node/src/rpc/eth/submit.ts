/**
 * eth_sendRawTransaction: wraps what was signed and submits it as broadcast_tx_sync does.
 *
 * Upholds: the hash is answered only if the transaction waits in the pool now; a refusal has the
 * words of geth.
 *
 * @module
 */
import { LedgerError } from '../../base/errors.ts';
import type { Json } from '../json.ts';
import type { EthChain } from './chain.ts';
import { data } from './values.ts';

/** @throws LedgerError of space evm, mempool or sdk: why it was not taken */
export async function submitRaw(chain: EthChain, raw: Uint8Array): Promise<Json> {
  const { tx, hash } = await chain.queries.wrap(raw);
  const { response } = await chain.ports.pool.submit(tx);
  const { code, codespace: space, log } = response;
  if (code === 0) return data(hash);
  throw new LedgerError({ space, code, blame: 'client', message: () => log }, {});
}
