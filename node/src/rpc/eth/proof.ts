/**
 * eth_getProof in the ledger's own form: ICS-23 proofs of records under the app hash.
 *
 * The fields are Ethereum's; what they hold is the ledger's. `storageHash` is the app hash after
 * the block, which the next block's header carries as its stateRoot; every proof leads to it.
 * `accountProof` is a list of ICS-23 CommitmentProofs of the records account, balance, contract and
 * alias of the address, in this order, each of existence or of absence. A storage entry's `proof`
 * is a list of one. The keys of the records stand in docs/ethereum-rpc.md.
 * Spec: EIP-1186 for the fields; ICS-23.
 *
 * @module
 */
import type { JsonObject } from '../json.ts';
import type { EthChain } from './chain.ts';
import { data, quantity } from './values.ts';

const NO_CODE = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
const ZERO_HASH = `0x${'00'.repeat(32)}`;

/** The proof of an account and some of its slots after `height`. */
export async function accountProof(
  chain: EthChain,
  height: number,
  address: Uint8Array,
  slots: readonly Uint8Array[],
): Promise<JsonObject> {
  const { queries, ports } = chain;
  const { balance, nonce, codeHash } = await queries.account(height, address);
  const records = ports.ledger.records(height, address);
  const proofs: string[] = [];
  for (const key of [records.account, records.balance, records.contract, records.alias]) {
    proofs.push(data((await queries.prove(height, key)).proof));
  }
  const storage: JsonObject[] = [];
  for (const slot of slots) {
    const { value, proof } = await queries.prove(height, records.slot(slot));
    const number = value.length === 0 ? 0n : BigInt(data(value));
    storage.push({ key: data(slot), value: quantity(number), proof: [data(proof)] });
  }
  const appHash = height === chain.height ? ports.chain.state()?.appHash : undefined;
  const root = appHash ?? ports.chain.meta(height + 1)?.header.appHash;
  return {
    address: data(address),
    balance: quantity(balance),
    nonce: quantity(nonce),
    codeHash: codeHash.length === 0 ? NO_CODE : data(codeHash),
    storageHash: root === undefined ? ZERO_HASH : data(root),
    accountProof: proofs,
    storageProof: storage,
  };
}
