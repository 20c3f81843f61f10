/**
 * The node as Ethereum's JSON-RPC sees it: each port of rpc/eth/ports.ts, read from the part that
 * knows; and the server over them.
 *
 * Upholds: nothing is decided here. Threads for calls and the server are stopped together.
 *
 * @module
 */

import type { Database } from '../state/database.ts';
import { SPACE } from '../state/spaces.ts';
import type { LevelStateStore } from '../state/state-store.ts';
import { LedgerError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import type { Config } from './config.ts';
import { secp256k1Keys } from './crypto/secp256k1.ts';
import type { Engine } from './engine/engine.ts';
import { getChain } from './ledger/chain.ts';
import { BASE_DENOM } from './ledger/denom.ts';
import { EthereumHost } from './ledger/ethereum/host.ts';
import { EthereumReader } from './ledger/ethereum/reader.ts';
import { leastPrice, parsePrices } from './ledger/price.ts';
import { CallThreads } from './node-calls.ts';
import { callMeters } from './node-meters.ts';
import { DEFAULT_RPC, type RpcConfig } from './rpc/config.ts';
import { errors } from './rpc/eth/errors.ts';
import type { EthLedger, EthPorts } from './rpc/eth/ports.ts';
import { EthServer } from './rpc/eth/server.ts';
import type { Meter } from './rpc/metrics.ts';
import type { RpcPorts } from './rpc/ports.ts';
import type { ChainEvent } from './types/chain-events.ts';

/** What the server is made of. */
export type EthParts = {
  readonly db: Database;
  readonly state: LevelStateStore;
  readonly engine: Engine;
  readonly ports: RpcPorts;
  readonly config: Config;
  readonly logger: Logger;
  readonly version: string;
  /** Host and port of `evm.listen`. */
  readonly address: Pick<RpcConfig, 'host' | 'port'>;
};

/** A server that runs. */
export type RunningEth = {
  /** `http://host:port`. */
  readonly url: string;
  /** What it measures. */
  readonly meters: readonly Meter[];
  observe(event: ChainEvent): void;
  stop(): Promise<void>;
};

/** Subscriptions of one connection: libraries make one for each event that is listened to. */
const MAX_SUBSCRIPTIONS = 100;

function lazyReader({ db, state }: EthParts): () => EthereumReader {
  let reader: EthereumReader | undefined;
  return () => {
    if (reader !== undefined) return reader;
    const chain = getChain(state);
    // Before the first block there is nothing to ask about.
    if (chain === undefined) throw new LedgerError(errors.NoHeader, {});
    reader = new EthereumReader({
      host: new EthereumHost(chain, state, secp256k1Keys, () => undefined),
      chain,
      keys: secp256k1Keys,
      latest: state,
      view: (height) => state.view(height),
      rows: (range) => db.range(SPACE.rows, range),
    });
    return reader;
  };
}

function ledgerPort(parts: EthParts): EthLedger {
  const reader = lazyReader(parts);
  return {
    transaction: (tx) => reader().transaction(tx),
    sender: (tx) => reader().sender(tx),
    summaries: (from, to, limit) => reader().summaries(from, to, limit),
    baseFee: (height) => reader().baseFee(height),
    feeRecipient: (validator) => reader().feeRecipient(validator),
    prevRandao: (hash) => reader().prevRandao(hash),
    account: (address) => reader().account(address),
    sequence: (account) => reader().sequence(account),
    records: (height, address) => reader().records(height, address),
    keccak256: (bytes) => reader().keccak256(bytes),
  };
}

/** Starts the server. @throws LedgerError rpc/9 if the address cannot be had */
export async function startEth(parts: EthParts): Promise<RunningEth> {
  const { db, engine, ports: rpc, config, logger, version, address } = parts;
  const { evm } = config;
  const calls = new CallThreads(
    db.path,
    { threads: evm.callThreads, maxWaiting: evm.maxCalls, timeoutMs: evm.callTimeoutMs },
    logger,
  );
  const ports: EthPorts = {
    chain: rpc.chain,
    app: rpc.app,
    ledger: ledgerPort(parts),
    calls,
    pool: {
      list: (limit) => engine.pendingTxs(limit),
      submit: (tx) => engine.submitTx(tx),
    },
    index: rpc.index,
    catchingUp: () => engine.catchingUp,
    peerCount: () => rpc.net.peers().length,
    version,
  };
  const server = new EthServer({
    config: {
      ...DEFAULT_RPC,
      ...address,
      allowedHosts: evm.hosts,
      allowedOrigins: evm.origins,
      maxSubscriptions: MAX_SUBSCRIPTIONS,
    },
    ports,
    logger,
    limits: {
      maxBlocks: evm.logBlocks,
      maxLogs: evm.maxLogs,
      callGas: BigInt(evm.callGas),
      requestMs: evm.callTimeoutMs,
      leastPrice: leastPrice(parsePrices(config.ledger.minGasPrices), BASE_DENOM),
    },
  });
  const url = await server.start();
  return {
    url,
    meters: callMeters(calls),
    observe: (event) => server.observe(event),
    stop: async () => {
      await server.stop();
      await calls.stop();
    },
  };
}
