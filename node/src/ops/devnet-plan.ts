/**
 * What a devnet consists of, and how its folder is made or found again.
 *
 *     devnet.json    chain id, application, accounts with their secrets; mode 0600
 *     node0 …        one home per validator
 *
 * Upholds: a second start in the same folder goes on with the same chain; options that would make
 * it another chain are refused; `--fresh` makes new validator keys and a new chain id, keeps the
 * ports, and deletes nothing but what a devnet made.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { parseGenesis } from '../types/genesis.ts';
import type { Time } from '../types/time.ts';
import { createAccount, publicKeyText, type SecretAccount } from './accounts.ts';
import { type App, newChainId, newGenesis, peerIdOf } from './chain-home.ts';
import {
  createHome,
  createKeyPair,
  homePaths,
  type KeyPair,
  makeFolder,
  readHomeJson,
  readNodeKey,
  writeConfig,
  writeWhole,
} from './home.ts';
import { bech32PrefixOf } from './ledger-state.ts';

/** Refusals of a devnet. */
export const errors: {
  readonly Differs: ErrorSpec<{ home: string; what: string; has: string; asked: string }>;
  readonly PortInUse: ErrorSpec<{ readonly port: number }>;
  readonly BadFile: ErrorSpec<{ readonly file: string; readonly reason: string }>;
  readonly NodeFailed: ErrorSpec<{ moniker: string; reason: string; log: string }>;
  readonly NotReady: ErrorSpec<{ seconds: number; stand: string; home: string }>;
} = {
  Differs: errorSpec(
    'devnet',
    1,
    'client',
    (p) =>
      `the devnet in ${p.home} has ${p.what} ${p.has}, not ${p.asked}: ` +
      'start anew with --fresh, or choose another --home',
  ),
  PortInUse: errorSpec(
    'devnet',
    2,
    'client',
    (p) => `port ${p.port} is in use: stop what uses it, or choose others with --base-port`,
  ),
  BadFile: errorSpec('devnet', 3, 'client', (p) => `${p.file}: ${p.reason}`),
  NodeFailed: errorSpec(
    'devnet',
    5,
    'node',
    (p) => `${p.moniker} did not start: ${p.reason} (its log: ${p.log})`,
  ),
  NotReady: errorSpec(
    'devnet',
    6,
    'node',
    (p) =>
      `nothing moved for ${p.seconds} s and a first block is missing (${p.stand}): ` +
      `read the logs in ${p.home}/node*/node.log`,
  ),
};

/** What is asked for; absent values are kept from the folder, or take their default. */
export type DevnetSpec = {
  readonly home: string;
  readonly validators: number | undefined;
  /** Port of node 0's first service; 0 takes free ports. */
  readonly basePort: number | undefined;
  readonly app: App | undefined;
  readonly chainId: string | undefined;
  /** Text of a genesis whose parameters and state to take over. */
  readonly genesis: string | undefined;
  readonly fresh: boolean;
  readonly now: Time;
  /** Configuration laid over every node's; for tests and benchmarks. */
  readonly overrides: Readonly<Record<string, object>>;
};

/** One validator's folder and its addresses. */
export type NodePlan = { readonly moniker: string; readonly home: string };

/** A devnet that can be started. */
export type DevnetPlan = {
  readonly home: string;
  readonly chainId: string;
  readonly app: App;
  readonly nodes: readonly NodePlan[];
  readonly accounts: readonly SecretAccount[];
};

/** Port of node 0's p2p, RPC and API without `--base-port`: 26656, 26657; node 1: +10 … */
export const DEFAULT_BASE_PORT = 26_650;
const DEFAULT_VALIDATORS = 4;
const ACCOUNT_NAMES: readonly string[] = ['alice', 'bob', 'carol', 'dave'];

type DevnetRecord = Pick<DevnetPlan, 'chainId' | 'app' | 'accounts'> & {
  readonly validators: number;
};
type Ports = { readonly p2p: number; readonly rpc: number; readonly evm: number };

function recordFile(home: string): string {
  return join(home, 'devnet.json');
}

function nodeHome(home: string, index: number): string {
  return join(home, `node${index}`);
}

function readRecord(home: string): DevnetRecord | undefined {
  const file = recordFile(home);
  if (!existsSync(file)) return undefined;
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<DevnetRecord>;
    if (typeof value.chainId === 'string' && typeof value.validators === 'number') {
      return value as DevnetRecord;
    }
  } catch (cause) {
    throw new LedgerError(errors.BadFile, { file, reason: describe(cause) }, cause);
  }
  throw new LedgerError(errors.BadFile, { file, reason: 'it does not describe a devnet' });
}

function reserve(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new LedgerError(errors.PortInUse, { port }) : error);
    });
    server.listen({ port, host: '127.0.0.1' }, () => resolve(server));
  });
}

function portOf(server: Server | undefined): number {
  const address = server?.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

const FREE: Ports = { p2p: 0, rpc: 0, evm: 0 };

/** The ports of a node whose ten begin here. */
function at(first: number): Ports {
  return { p2p: first + 6, rpc: first + 7, evm: first + 8 };
}

/** The ports of node `index`, counted from those of node 0; 0 takes a free one. */
function portsFrom(base: number, index: number): Ports {
  return base === 0 ? FREE : at(base + 10 * index);
}

/** The wanted ports, all free at this moment; held together so that none is given twice. */
async function choosePorts(wanted: readonly Ports[]): Promise<readonly Ports[]> {
  const held: Server[] = [];
  try {
    const ports = wanted.flatMap(({ p2p, rpc, evm }) => [p2p, rpc, evm]);
    for (const port of ports) held.push(await reserve(port));
    return wanted.map((_, i) => ({
      p2p: portOf(held[3 * i]),
      rpc: portOf(held[3 * i + 1]),
      evm: portOf(held[3 * i + 2]),
    }));
  } finally {
    for (const server of held) server.close();
  }
}

function local(port: number): string {
  return `127.0.0.1:${port}`;
}

function nodeConfigs(
  spec: DevnetSpec,
  app: App,
  ports: readonly Ports[],
  nodeKeys: readonly KeyPair[],
): readonly object[] {
  const peers = nodeKeys.map(
    (key, i) => `/ip4/127.0.0.1/tcp/${ports[i]?.p2p}/p2p/${peerIdOf(key.publicKey)}`,
  );
  return ports.map((port, i) => ({
    moniker: `node${i}`,
    app,
    ledger: { allowFree: true },
    ...spec.overrides,
    p2p: { listen: local(port.p2p), persistentPeers: peers.filter((_, j) => j !== i) },
    rpc: { listen: local(port.rpc) },
    evm: { ...spec.overrides['evm'], listen: local(port.evm) },
  }));
}

/** The ports a new devnet takes: as asked, else those `before` it, else the usual ones. */
function wantedPorts(spec: DevnetSpec, count: number, before: readonly Ports[]): readonly Ports[] {
  const [first] = before;
  const inSteps = first !== undefined && first.rpc === first.p2p + 1;
  const usual = first === undefined ? DEFAULT_BASE_PORT : inSteps ? first.p2p - 6 : 0;
  return Array.from({ length: count }, (_, i) => {
    const kept = spec.basePort === undefined ? before[i] : undefined;
    return kept ?? portsFrom(spec.basePort ?? usual, i);
  });
}

async function create(spec: DevnetSpec, before: readonly Ports[]): Promise<DevnetPlan> {
  const { home } = spec;
  const count = spec.validators ?? DEFAULT_VALIDATORS;
  const app = spec.app ?? 'ledger';
  const ports = await choosePorts(wantedPorts(spec, count, before));
  const base = spec.genesis === undefined ? undefined : parseGenesis(spec.genesis);
  const chainId = spec.chainId ?? base?.chainId ?? newChainId('metatron-devnet');
  const prefix = bech32PrefixOf(base?.appState);
  const accounts = app === 'ledger' ? ACCOUNT_NAMES.map((name) => createAccount(name, prefix)) : [];
  const nodeKeys = Array.from({ length: count }, createKeyPair);
  const validatorKeys = Array.from({ length: count }, createKeyPair);
  const genesis = newGenesis({
    chainId,
    app,
    genesisTime: spec.now,
    validators: validatorKeys.map((key, i) => ({
      publicKey: { type: 'ed25519', bytes: key.publicKey },
      power: 10n,
      name: `node${i}`,
    })),
    accounts: accounts.map((account) => ({
      address: account.address,
      pubKey: publicKeyText(account),
      evmAddress: account.evmAddress,
    })),
    base: spec.genesis,
  });
  const configs = nodeConfigs(spec, app, ports, nodeKeys);
  makeFolder(home);
  const record: DevnetRecord = { chainId, app, validators: count, accounts };
  writeWhole(recordFile(home), `${JSON.stringify(record, null, 2)}\n`, 0o600);
  configs.forEach((config, i) => {
    createHome(nodeHome(home, i), {
      config,
      genesis,
      nodeKey: present(nodeKeys[i], 'node key'),
      validatorKey: present(validatorKeys[i], 'validator key'),
    });
  });
  return planOf(home, record);
}

function planOf(home: string, record: DevnetRecord): DevnetPlan {
  const nodes = Array.from({ length: record.validators }, (_, i) => ({
    moniker: `node${i}`,
    home: nodeHome(home, i),
  }));
  return { home, chainId: record.chainId, app: record.app, nodes, accounts: record.accounts };
}

function refuseDifference(spec: DevnetSpec, record: DevnetRecord): void {
  const asked: readonly (readonly [string, unknown, unknown])[] = [
    ['validators', record.validators, spec.validators],
    ['app', record.app, spec.app],
    ['chain id', record.chainId, spec.chainId],
  ];
  for (const [what, has, wanted] of asked) {
    if (wanted !== undefined && wanted !== has) {
      const params = { home: spec.home, what, has: String(has), asked: String(wanted) };
      throw new LedgerError(errors.Differs, params);
    }
  }
}

type StoredConfig = {
  readonly p2p: { readonly listen: string; readonly persistentPeers: readonly string[] };
  readonly rpc: { readonly listen: string };
  /** Absent in homes of older versions. */
  readonly evm?: { readonly listen: string };
};

/** The ports of the devnet in a folder, as far as its nodes' configurations can be read. */
function storedPorts(record: DevnetRecord, home: string): readonly Ports[] {
  const portIn = (listen: string): number => Number(/:(\d{1,5})$/.exec(listen)?.[1] ?? 0);
  try {
    return planOf(home, record).nodes.map((node) => {
      const paths = homePaths(node.home);
      const { p2p, rpc, evm } = readHomeJson(paths, paths.config) as StoredConfig;
      return {
        p2p: portIn(p2p.listen),
        rpc: portIn(rpc.listen),
        evm: portIn(evm?.listen ?? ''),
      };
    });
  } catch {
    return [];
  }
}

/** Gives every node of an existing devnet new ports. */
async function movePorts(plan: DevnetPlan, basePort: number): Promise<void> {
  const ports = await choosePorts(plan.nodes.map((_, i) => portsFrom(basePort, i)));
  const paths = plan.nodes.map((node) => homePaths(node.home));
  const ids = paths.map((path) => peerIdOf(readNodeKey(path).publicKey));
  const peers = ids.map((id, i) => `/ip4/127.0.0.1/tcp/${ports[i]?.p2p}/p2p/${id}`);
  paths.forEach((path, i) => {
    const port = present(ports[i], 'ports');
    const config = readHomeJson(path, path.config) as StoredConfig;
    writeConfig(path, {
      ...config,
      p2p: {
        ...config.p2p,
        listen: local(port.p2p),
        persistentPeers: peers.filter((_, j) => j !== i),
      },
      rpc: { ...config.rpc, listen: local(port.rpc) },
      evm: { ...config.evm, listen: local(port.evm) },
    });
  });
}

/** Gives the nodes of a devnet that is older than Ethereum's JSON-RPC a port for it. */
function addEvmPorts(plan: DevnetPlan): void {
  for (const node of plan.nodes) {
    const paths = homePaths(node.home);
    const config = readHomeJson(paths, paths.config) as StoredConfig;
    if (config.evm !== undefined) continue;
    const rpc = Number(config.rpc.listen.split(':').at(-1));
    writeConfig(paths, { ...config, evm: { listen: local(rpc + 1) } });
  }
}

function removeDevnet(home: string, record: DevnetRecord): void {
  for (let i = 0; i < record.validators; i++) {
    rmSync(nodeHome(home, i), { recursive: true, force: true });
  }
  rmSync(recordFile(home));
}

/**
 * The devnet of a folder: found again, or made.
 *
 * @throws LedgerError devnet/1 if the folder holds another, devnet/2 if a port is in use
 */
export async function prepareDevnet(spec: DevnetSpec): Promise<DevnetPlan> {
  const record = readRecord(spec.home);
  if (record === undefined) return create(spec, []);
  if (spec.fresh) {
    const before = storedPorts(record, spec.home);
    removeDevnet(spec.home, record);
    return create(spec, before);
  }
  refuseDifference(spec, record);
  const plan = planOf(spec.home, record);
  if (spec.basePort === undefined) addEvmPorts(plan);
  else await movePorts(plan, spec.basePort);
  return plan;
}
