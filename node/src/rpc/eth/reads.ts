/**
 * Methods that read: the chain, accounts, blocks, transactions, receipts, logs.
 *
 * Upholds: what is not there is `null`; a block that is not there is refused where a state is
 * asked for. The node has no accounts: it signs for nobody.
 * Spec: ethereum/execution-apis; EIP-1898.
 *
 * @module
 */
import type { Json, JsonObject } from '../json.ts';
import type { EthChain } from './chain.ts';
import { type LogSearch, readFilter } from './logs.ts';
import type { Method, Methods } from './methods.ts';
import { type BlockRef, LATEST, type Params, readBlockNumber, readBlockRef } from './params.ts';
import type { Pending } from './pending.ts';
import { accountProof } from './proof.ts';
import { submitRaw } from './submit.ts';
import { receiptJson, transactionJson } from './transactions.ts';
import {
  data,
  quantity,
  readAddress,
  readBool,
  readData,
  readHash,
  readList,
  readNumber,
  readSlot,
} from './values.ts';

/** Most slots that one proof is asked for. */
const MAX_PROOF_SLOTS = 100;

/** What reading methods are made of. */
export type ReadParts = {
  readonly chain: EthChain;
  readonly pending: Pending;
  readonly logs: LogSearch;
  /** Called when a transaction of a client was taken. */
  readonly submitted: () => void;
};

function fixed(value: Json): Method {
  return { most: 0, call: () => value };
}

/** Methods about the chain and this node. */
export function chainMethods({ chain, pending }: ReadParts): Methods {
  const { ports } = chain;
  const chainId = async (): Promise<bigint> => (await chain.params()).chainId;
  return {
    web3_clientVersion: fixed(ports.version),
    web3_sha3: {
      most: 1,
      call: (args) => data(ports.ledger.keccak256(args.at(0, (value) => readData(value)))),
    },
    net_version: { most: 0, call: async () => String(await chainId()) },
    net_listening: fixed(true),
    net_peerCount: { most: 0, call: () => quantity(ports.peerCount()) },
    eth_chainId: { most: 0, call: async () => quantity(await chainId()) },
    eth_blockNumber: { most: 0, call: () => quantity(chain.height) },
    eth_protocolVersion: fixed('0x41'),
    eth_accounts: fixed([]),
    eth_mining: fixed(false),
    eth_hashrate: fixed('0x0'),
    eth_coinbase: {
      most: 0,
      call: () => {
        const { header } = chain.meta(chain.height);
        return data(ports.ledger.feeRecipient(header.proposerAddress));
      },
    },
    eth_syncing: {
      most: 0,
      call: () => {
        if (!ports.catchingUp()) return false;
        const current = quantity(chain.height);
        return { startingBlock: '0x0', currentBlock: current, highestBlock: current };
      },
    },
    txpool_status: {
      most: 0,
      call: () => {
        const { pending: ready, queued } = pending.count();
        return { pending: quantity(ready), queued: quantity(queued) };
      },
    },
  };
}

function isPending(ref: BlockRef): boolean {
  return ref.kind === 'tag' && ref.tag === 'pending';
}

/** Methods about accounts. */
export function stateMethods({ chain, pending }: ReadParts): Methods {
  const { queries, ports } = chain;
  const address = (args: Params): Uint8Array => args.at(0, (value) => readAddress(value));
  const at = (args: Params, index: number): BlockRef => args.maybe(index, readBlockRef) ?? LATEST;
  return {
    eth_getBalance: {
      most: 2,
      call: async (args) => {
        const height = chain.heightOf(at(args, 1));
        return quantity((await queries.account(height, address(args))).balance);
      },
    },
    eth_getTransactionCount: {
      most: 2,
      call: async (args) => {
        const ref = at(args, 1);
        const who = address(args);
        const { nonce } = await queries.account(chain.heightOf(ref), who);
        if (!isPending(ref)) return quantity(nonce);
        return quantity(pending.nonce(ports.ledger.account(who), nonce));
      },
    },
    eth_getCode: {
      most: 2,
      call: async (args) => data(await queries.code(chain.heightOf(at(args, 1)), address(args))),
    },
    eth_getStorageAt: {
      most: 3,
      call: async (args) => {
        const slot = args.at(1, (value) => readSlot(value));
        return data(await queries.storage(chain.heightOf(at(args, 2)), address(args), slot));
      },
    },
    eth_getProof: {
      most: 3,
      call: (args) => {
        const who = address(args);
        const slots = args.at(1, (value) =>
          readList(value, 'storage keys', MAX_PROOF_SLOTS, readSlot),
        );
        return accountProof(chain, chain.heightOf(at(args, 2)), who, slots);
      },
    },
  };
}

function byNumber(args: Params): BlockRef {
  return args.at(0, (value) => readBlockNumber(value));
}

function byHash(args: Params): BlockRef {
  return { kind: 'hash', hash: args.at(0, (value) => readHash(value, 'block hash')) };
}

type Named = (args: Params) => BlockRef;

/** Methods about blocks. */
export function blockMethods({ chain }: ReadParts): Methods {
  const block = (named: Named): Method => ({
    most: 2,
    call: (args) => {
      const ref = named(args);
      const full = args.maybe(1, (value) => readBool(value, 'fullTx')) ?? false;
      if (isPending(ref)) return chain.pending();
      const height = chain.find(ref);
      return height === undefined ? null : chain.block(height, full);
    },
  });
  const count = (named: Named): Method => ({
    most: 1,
    call: async (args) => {
      const height = chain.find(named(args));
      return height === undefined ? null : quantity(await chain.count(height));
    },
  });
  const uncles = (named: Named): Method => ({
    most: 1,
    call: (args) => (chain.find(named(args)) === undefined ? null : '0x0'),
  });
  const member = (named: Named): Method => ({
    most: 2,
    call: async (args) => {
      const height = chain.find(named(args));
      const index = args.at(1, (value) => readNumber(value, 'index'));
      if (height === undefined) return null;
      const found = (await chain.transactions(height))[index];
      if (found === undefined) return null;
      const { hash } = chain.meta(height).blockId;
      return transactionJson(found.tx, { hash, height, receipt: found.receipt });
    },
  });
  const receipts = async (args: Params): Promise<Json> => {
    const height = chain.find(args.at(0, readBlockRef));
    if (height === undefined) return null;
    const { blockId, header } = chain.meta(height);
    const { keccak256 } = chain.ports.ledger;
    const place = { hash: blockId.hash, time: header.time };
    const found = await chain.queries.receipts(height);
    return found.map((receipt) => receiptJson(receipt, place, keccak256));
  };
  return {
    eth_getBlockByNumber: block(byNumber),
    eth_getBlockByHash: block(byHash),
    eth_getBlockTransactionCountByNumber: count(byNumber),
    eth_getBlockTransactionCountByHash: count(byHash),
    eth_getUncleCountByBlockNumber: uncles(byNumber),
    eth_getUncleCountByBlockHash: uncles(byHash),
    eth_getTransactionByBlockNumberAndIndex: member(byNumber),
    eth_getTransactionByBlockHashAndIndex: member(byHash),
    eth_getBlockReceipts: { most: 1, call: receipts },
  };
}

/** Methods about transactions and logs. */
export function transactionMethods({ chain, pending, logs, submitted }: ReadParts): Methods {
  const { ports, queries } = chain;
  const hashOf = (args: Params): Uint8Array =>
    args.at(0, (value) => readHash(value, 'transaction hash'));
  const transaction = async (args: Params): Promise<JsonObject | null> => {
    const hash = hashOf(args);
    const receipt = await queries.receipt(hash);
    if (receipt !== undefined) {
      const height = Number(receipt.height);
      const block = ports.chain.block(height);
      if (block === undefined) return null;
      const place = { hash: chain.meta(height).blockId.hash, height, receipt };
      return transactionJson(chain.transaction(block, receipt), place);
    }
    const tx = pending.find(hash);
    const from = tx && ports.ledger.sender(tx);
    return tx === undefined || from === undefined ? null : transactionJson(tx, { from });
  };
  return {
    eth_getTransactionByHash: { most: 1, call: transaction },
    eth_getTransactionReceipt: {
      most: 1,
      call: async (args) => {
        const receipt = await queries.receipt(hashOf(args));
        if (receipt === undefined) return null;
        const meta = ports.chain.meta(Number(receipt.height));
        if (meta === undefined) return null;
        const place = { hash: meta.blockId.hash, time: meta.header.time };
        return receiptJson(receipt, place, ports.ledger.keccak256);
      },
    },
    eth_getLogs: { most: 1, call: (args) => logs.search(args.at(0, readFilter)) },
    eth_sendRawTransaction: {
      most: 1,
      call: async (args) => {
        const raw = args.at(0, (value) => readData(value, 'transaction'));
        const hash = await submitRaw(chain, raw);
        submitted();
        return hash;
      },
    },
  };
}
