/**
 * The wiring of a node: every part is made here and given what it needs, and nowhere else.
 *
 * Upholds: parts are started in the order in which they depend on each other and stopped in the
 * reverse; whatever was started is stopped when a later part refuses. Engine, application and index
 * share one database, whose one synced batch per height the chain store writes.
 * Reading on: ARCHITECTURE.md follows a transaction through these parts.
 *
 * @module
 */
import { join } from 'node:path';
import { step } from '../consensus/core.ts';
import { LevelChainStore } from '../state/chain-store.ts';
import { Database, openShared } from '../state/database.ts';
import { FileGuard } from '../state/guard-file.ts';
import { FileLock } from '../state/lock-file.ts';
import { SPACE } from '../state/spaces.ts';
import { LevelStateStore } from '../state/state-store.ts';
import { FileWal } from '../state/wal-file.ts';
import type { Application } from './abci/application.ts';
import { KvstoreApplication } from './abci/kvstore.ts';
import { type ErrorSpec, errorSpec, LedgerError } from './base/errors.ts';
import type { Logger } from './base/logger.ts';
import type { Config } from './config.ts';
import { sodiumAead } from './crypto/aead.ts';
import { ed25519Key } from './crypto/ed25519.ts';
import { secp256k1Keys, verifySecp256k1 } from './crypto/secp256k1.ts';
import { createSignatureChecker, type SignatureChecker } from './crypto/signature-checker.ts';
import { Engine } from './engine/engine.ts';
import type { Clock } from './engine/ports.ts';
import { ChainIndex } from './indexer/chain-index.ts';
import { EventBus } from './indexer/event-bus.ts';
import type { KeySpace } from './indexer/ports.ts';
import type { Opinion } from './ledger/evm/second-opinion/opinion.ts';
import { parseAppState, prefixOf } from './ledger/genesis.ts';
import { APP_VERSION, Ledger } from './ledger/ledger.ts';
import type { TxLookup } from './ledger/tx/service.ts';
import { createHost, type Host } from './net/host.ts';
import { startEth } from './node-eth.ts';
import { createLogger } from './node-log.ts';
import { opinionMeters } from './node-meters.ts';
import { createOpinion } from './node-opinion.ts';
import { createPruner } from './node-pruning.ts';
import { rpcPorts } from './node-rpc.ts';
import {
  DATABASE_FOLDER,
  GUARD_FILE,
  type HomePaths,
  type KeyPair,
  LOCK_FILE,
  makeDataFolder,
  readGenesis,
  readNodeKey,
  readValidatorKey,
} from './ops/home.ts';
import { DEFAULT_RPC } from './rpc/config.ts';
import { Metrics } from './rpc/metrics.ts';
import type { RpcPorts } from './rpc/ports.ts';
import { RpcServer } from './rpc/server.ts';
import { createWeb } from './rpc/web.ts';
import type { ChainEvent } from './types/chain-events.ts';
import { type Genesis, genesisHash } from './types/genesis.ts';

/** Refusals to start. */
export const errors: {
  readonly FreeGas: ErrorSpec<object>;
  readonly BadAddress: ErrorSpec<{ readonly address: string }>;
} = {
  FreeGas: errorSpec(
    'node',
    1,
    'client',
    () =>
      'ledger.minGasPrices is empty, so anybody could fill blocks for nothing: ' +
      'set it (such as 1000000000aphi), or set ledger.allowFree to true',
  ),
  BadAddress: errorSpec('node', 2, 'client', (p) => `${p.address} is not an IP address and a port`),
};

/** How to start a node. */
export type NodeOptions = {
  readonly paths: HomePaths;
  readonly config: Config;
  /** Called once if the node must stop: a defect, or a disk that fails. */
  readonly failed: (cause: unknown) => void;
};

/** A node that runs. */
export type RunningNode = {
  /** `http://host:port` of RPC and WebSocket. */
  readonly rpc: string;
  /** `http://host:port` of REST and metrics. */
  readonly api: string;
  /** `http://host:port` of Ethereum's JSON-RPC and its WebSocket; empty if there is none. */
  readonly evm: string;
  /** `/ip4/…/tcp/…/p2p/…`. */
  readonly p2p: string;
  stop(): Promise<void>;
};

/** This program's version. */
const VERSION = '0.1.0';

/** The machine's clock. */
const CLOCK: Clock = {
  now: () => BigInt(Date.now()) * 1_000_000n,
  monotonicMs: () => performance.now(),
  after: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

type Stores = {
  readonly db: Database;
  readonly chain: LevelChainStore;
  readonly state: LevelStateStore | undefined;
};

async function openStores(paths: HomePaths, app: Config['app']): Promise<Stores> {
  const db = await Database.open(join(paths.data, DATABASE_FOLDER), openShared);
  const chain = await LevelChainStore.open(db);
  const state = app === 'ledger' ? await LevelStateStore.open(db) : undefined;
  return { db, chain, state };
}

/** The indexer's part of the database, in the form that it asks for. */
function indexSpace(db: Database): KeySpace {
  const space = db.space(SPACE.index);
  return {
    get: (key) => space.get(key),
    stage: (key, value) => space.stage(key, value),
    range: async (range) => (await space.range(range)).map(([key, value]) => ({ key, value })),
    remove: (keys) => db.write(keys.map((key) => [SPACE.index, key, undefined])),
  };
}

function createApplication(
  stores: Stores,
  index: ChainIndex,
  config: Config,
  logger: Logger,
  secondOpinion: Opinion | undefined,
): Application {
  const { db, chain, state } = stores;
  if (state === undefined) {
    return new KvstoreApplication({
      get: (key) => db.get(SPACE.rows, key),
      write: (pairs) => {
        for (const [key, value] of pairs) db.stage(SPACE.rows, key, value);
      },
    });
  }
  const { minGasPrices, allowFree } = config.ledger;
  if (minGasPrices === '' && !allowFree) throw new LedgerError(errors.FreeGas, {});
  const findTx: TxLookup = (hash) => {
    const at = index.locate(hash);
    const found = at && index.txAt(at);
    const time = at && chain.meta(at.height)?.header.time;
    return found === undefined || time === undefined ? undefined : { ...found, time };
  };
  return new Ledger({
    store: state,
    verifySecp256k1,
    keys: secp256k1Keys,
    blockHash: (height) => chain.meta(height)?.blockId.hash,
    minGasPrices,
    findTx,
    secondOpinion,
    logger,
  });
}

/** The second opinion of a node whose application has an EVM. */
async function opinionOf(
  { paths, config, failed }: NodeOptions,
  { state }: Stores,
  logger: Logger,
): Promise<Opinion | undefined> {
  if (state === undefined) return undefined;
  const { secondOpinion: mode } = config.evm;
  return await createOpinion({ mode, data: paths.data, store: state, logger, failed });
}

/** `host:port` in the form of the network. @throws LedgerError node/2 */
function multiaddr(address: string): string {
  const match = /^(?:\[([0-9A-Fa-f:]+)\]|([0-9.]+)|(localhost)):(\d+)$/.exec(address);
  if (match === null) throw new LedgerError(errors.BadAddress, { address });
  const [, six, four, , port] = match;
  return six === undefined ? `/ip4/${four ?? '127.0.0.1'}/tcp/${port}` : `/ip6/${six}/tcp/${port}`;
}

function hostPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(':');
  return {
    host: address.slice(0, at).replace(/^\[|\]$/g, ''),
    port: Number(address.slice(at + 1)),
  };
}

function prepareHost(
  { paths, config }: NodeOptions,
  genesis: Genesis,
  nodeKey: KeyPair,
  log: Logger,
): Promise<Host> {
  const { listen, persistentPeers, seeds, seedMode, maxInbound, maxOutbound } = config.p2p;
  const { externalAddress, addresses } = config.p2p;
  return createHost({
    seed: nodeKey.seed,
    chainId: genesis.chainId,
    genesisHash: genesisHash(genesis),
    appVersion: config.app === 'ledger' ? APP_VERSION : 1,
    softwareVersion: VERSION,
    moniker: config.moniker,
    listen: multiaddr(listen),
    persistentPeers,
    seeds,
    seedMode,
    ...(externalAddress === '' ? {} : { externalAddress }),
    addressScope: addresses,
    addressBook: join(paths.data, 'address_book.json'),
    rpcAddress: config.rpc.listen,
    limits: { maxInbound, maxOutbound },
    log,
    aead: sodiumAead,
  });
}

type Engined = {
  readonly stores: Stores;
  readonly application: Application;
  readonly host: Host;
  readonly index: ChainIndex;
  readonly bus: EventBus;
  /** Whoever else is told what the engine publishes. */
  readonly events: Set<(event: ChainEvent) => void>;
  readonly checker: SignatureChecker;
  readonly validatorKey: KeyPair;
  readonly genesis: Genesis;
  readonly logger: Logger;
};

function startEngine(
  parts: Engined,
  options: NodeOptions,
  wal: FileWal,
  guard: FileGuard,
): Promise<Engine> {
  const { stores, genesis, index, bus, validatorKey } = parts;
  const { config, failed } = options;
  const { consensus: timeouts, mempool } = config;
  return Engine.start(
    { genesis, timeouts, mempool, applicationKeepsStore: false },
    {
      net: parts.host,
      clock: CLOCK,
      wal,
      store: stores.chain,
      application: parts.application,
      validator: { key: ed25519Key(validatorKey.seed), guard },
      check: parts.checker.check,
      checkFrom: parts.checker.checkFrom,
      forget: parts.checker.forget,
      indexers: [index],
      logger: parts.logger,
      step,
      publish: (event) => {
        bus.publish(event);
        for (const observe of parts.events) observe(event);
      },
      fatal: failed,
    },
  );
}

/** The RPC server, with REST and metrics behind it. */
function createServer(
  ports: RpcPorts,
  { genesis, logger }: Engined,
  metrics: Metrics,
  config: Config,
): RpcServer {
  const prefix = config.app === 'ledger' ? prefixOf(parseAppState(genesis.appState)) : 'metatron';
  const { listen, hosts, origins } = config.rpc;
  const access = { allowedHosts: hosts, allowedOrigins: origins };
  return new RpcServer({
    config: { ...DEFAULT_RPC, ...hostPort(listen), ...access },
    ports,
    logger,
    web: createWeb({ ports, prefix, version: VERSION, metrics, logger }),
  });
}

/** Ethereum's JSON-RPC, if the node has an EVM and is to serve it. @returns its URL */
async function startEvm(
  on: {
    readonly ports: RpcPorts;
    readonly engine: Engine;
    readonly metrics: Metrics;
    readonly config: Config;
  },
  { stores, events, logger }: Engined,
  started: AsyncDisposableStack,
): Promise<string> {
  const { state, db } = stores;
  const { listen } = on.config.evm;
  if (state === undefined || listen === '') return '';
  const { platform, arch, version: runtime } = process;
  const version = `metatron-ledger/v${VERSION}/${platform}-${arch}/node${runtime}`;
  const eth = await startEth({ ...on, db, state, logger, version, address: hostPort(listen) });
  started.defer(() => eth.stop());
  events.add((event) => eth.observe(event));
  on.metrics.show(eth.meters);
  return eth.url;
}

/**
 * Starts a node.
 *
 * @throws LedgerError with what to do: a home that is not one, a port in use, a damaged store …
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { paths, config } = options;
  const logger = createLogger(config.log.level, config.moniker);
  const genesis = readGenesis(paths);
  const [nodeKey, validatorKey] = [readNodeKey(paths), readValidatorKey(paths)];
  await using started = new AsyncDisposableStack();
  makeDataFolder(paths);
  const lock = FileLock.acquire(join(paths.data, LOCK_FILE));
  started.defer(() => lock.release());
  const stores = await openStores(paths, config.app);
  started.defer(() => stores.db.close());
  const wal = FileWal.open(join(paths.data, 'wal'), logger);
  started.defer(() => wal.close());
  const guard = FileGuard.open(join(paths.data, GUARD_FILE), stores.chain.height);
  started.defer(() => guard.close());
  const checker = createSignatureChecker({ logger });
  started.defer(() => checker.close());
  const index = new ChainIndex(indexSpace(stores.db), stores.chain);
  const opinion = await opinionOf(options, stores, logger);
  started.defer(() => opinion?.stop());
  const application = createApplication(stores, index, config, logger, opinion);
  const host = await prepareHost(options, genesis, nodeKey, logger);
  const bus = new EventBus();
  const prune = createPruner({ ...stores, index }, config.storage, options.failed);
  const events = new Set<(event: ChainEvent) => void>([prune]);
  const parts = {
    stores,
    application,
    host,
    index,
    bus,
    events,
    checker,
    validatorKey,
    genesis,
    logger,
  };
  const engine = await startEngine(parts, options, wal, guard);
  started.defer(() => engine.stop());
  started.defer(() => host.stop());
  await host.start(engine);
  const ports = rpcPorts({ ...parts, engine, config, chain: stores.chain, nodeKey });
  const metrics = new Metrics(ports);
  events.add((event) => metrics.observe(event));
  if (opinion !== undefined) metrics.show(opinionMeters(opinion));
  const server = createServer(ports, parts, metrics, config);
  const rpc = await server.start();
  started.defer(() => server.stop());
  const evm = await startEvm({ ports, engine, metrics, config }, parts, started);
  const running = started.move();
  const p2p = host.listening()[0] ?? '';
  return { rpc, api: rpc, evm, p2p, stop: () => running.disposeAsync() };
}
