/**
 * Runs a devnet: one process per validator, watched but never restarted.
 *
 * Upholds: ready means that every validator has committed block 1; the death of a validator is
 * reported and changes nothing else; stopping ends every process within 5 s; children are bound
 * to this process by IPC, so they stop as well when it is killed.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LedgerError } from '../base/errors.ts';
import type { SecretAccount } from './accounts.ts';
import { type DevnetPlan, errors, type NodePlan } from './devnet-plan.ts';
import { firstBlocks, startPorts } from './devnet-start.ts';
import { call } from './rpc-client.ts';

/** A running validator. */
export type DevnetNode = {
  readonly moniker: string;
  readonly pid: number;
  readonly home: string;
  readonly rpc: string;
  readonly api: string;
  readonly p2p: string;
  /** `http://host:port` of Ethereum's JSON-RPC, empty if there is none. */
  readonly evm: string;
};

/** What `devnet --json` prints. */
export type DevnetSummary = {
  readonly chainId: string;
  readonly home: string;
  readonly rpc: string;
  readonly api: string;
  /** Ethereum's JSON-RPC of node 0, its WebSocket and its chain id, if the chain has an EVM. */
  readonly evm?: string;
  readonly evmWs?: string;
  readonly evmChainId?: number;
  readonly nodes: readonly DevnetNode[];
  readonly accounts: readonly SecretAccount[];
};

/** A devnet that is up. */
export type RunningDevnet = {
  readonly summary: DevnetSummary;
  /** Stops every validator; resolves when all are gone. */
  stop(): Promise<void>;
  /** Resolves when no validator is left. */
  readonly ended: Promise<void>;
};

/** How a devnet tells what happens. */
export type DevnetEvents = {
  /** A validator ended that nobody stopped. */
  died(moniker: string, how: string, log: string): void;
  progress(text: string): void;
};

const STOP_MS = 4_600;
const LOG_ROTATE_BYTES = 64 * 1_048_576;
const COMMAND: string = fileURLToPath(new URL('../../bin/metatron.mjs', import.meta.url));

/** What a validator's process starts with; bin/metatron.mjs says why it is this. */
function startWith<T>(name: string): T {
  const file = new URL(`../../bin/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

type Announcement = {
  readonly ready?: Pick<DevnetNode, 'pid' | 'rpc' | 'api' | 'p2p' | 'evm'>;
  readonly refused?: string;
};

type Child = {
  readonly process: ChildProcess;
  readonly exited: Promise<string>;
  readonly ready: Promise<DevnetNode>;
  stopping: boolean;
};

function openLog(file: string): number {
  if (existsSync(file) && statSync(file).size > LOG_ROTATE_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** Node's own options that make a validator leave a profile of its run. */
function profiling(node: NodePlan, folder: string | undefined): readonly string[] {
  if (folder === undefined) return [];
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${node.moniker}.cpuprofile`];
}

function startNode(node: NodePlan, profile: string | undefined): Child {
  const log = join(node.home, 'node.log');
  const descriptor = openLog(log);
  const flags = startWith<readonly string[]>('node-flags.json');
  const variables = startWith<Readonly<Record<string, string>>>('node-env.json');
  const options = [...flags, ...profiling(node, profile)];
  const command = [...options, COMMAND, 'start', '--home', node.home];
  const child = spawn(process.execPath, command, {
    stdio: ['ignore', descriptor, descriptor, 'ipc'],
    env: { ...variables, ...process.env },
  });
  closeSync(descriptor);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
  });
  const ready = new Promise<DevnetNode>((resolve, reject) => {
    const refuse = (reason: string): void => {
      reject(new LedgerError(errors.NodeFailed, { moniker: node.moniker, reason, log }));
    };
    child.on('message', (message: Announcement) => {
      if (message.refused !== undefined) refuse(message.refused);
      if (message.ready !== undefined) resolve({ ...node, ...message.ready });
    });
    exited.then(refuse, refuse);
  });
  // A failure after it was ready is told by `exited`.
  ready.catch(() => undefined);
  return { process: child, exited, ready, stopping: false };
}

async function stopChildren(children: readonly Child[]): Promise<void> {
  for (const child of children) {
    child.stopping = true;
    child.process.kill('SIGTERM');
  }
  const timer = setTimeout(() => {
    for (const child of children) child.process.kill('SIGKILL');
  }, STOP_MS);
  await Promise.all(children.map((child) => child.exited));
  clearTimeout(timer);
}

/** What Ethereum tools need to know of a node. */
async function ethereumOf(
  evm: string,
): Promise<Required<Pick<DevnetSummary, 'evm' | 'evmWs' | 'evmChainId'>>> {
  const chainId = await call(evm, 'eth_chainId', []);
  return { evm, evmWs: evm.replace('http', 'ws'), evmChainId: Number(chainId) };
}

/**
 * Starts every validator of a plan.
 *
 * @param signal - gives up and stops what was started
 * @param profile - folder for a processor profile of each validator, written when it stops
 * @returns when every validator has committed block 1
 * @throws LedgerError devnet/5 if one refuses to start, devnet/6 if nothing moves for long;
 *   every process is stopped then
 */
export async function runDevnet(
  plan: DevnetPlan,
  events: DevnetEvents,
  signal: AbortSignal,
  profile?: string,
): Promise<RunningDevnet> {
  const children = plan.nodes.map((node) => startNode(node, profile));
  const ended = Promise.all(children.map((child) => child.exited)).then(() => undefined);
  const stop = (): Promise<void> => stopChildren(children);
  const abort = (): void => void stop();
  signal.addEventListener('abort', abort, { once: true });
  children.forEach((child, i) => {
    const node = plan.nodes[i];
    child.exited.then((how) => {
      if (!child.stopping) {
        events.died(node?.moniker ?? '', how, join(node?.home ?? '', 'node.log'));
      }
    }, events.progress);
  });
  try {
    events.progress(`starting ${children.length} validators`);
    const starting = children.map(({ ready }, i) => {
      return { moniker: plan.nodes[i]?.moniker ?? '', ready };
    });
    const ports = startPorts(events.progress);
    const nodes = await firstBlocks(starting, plan.home, signal, ports);
    const { rpc, api, evm } = nodes[0] ?? { rpc: '', api: '', evm: '' };
    const { chainId, home, accounts } = plan;
    const ethereum = evm === '' ? {} : await ethereumOf(evm);
    return { summary: { chainId, home, rpc, api, ...ethereum, nodes, accounts }, stop, ended };
  } catch (thrown) {
    await stop();
    throw thrown;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
