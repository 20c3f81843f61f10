/**
 * `hardhat node` under the load of a benchmark, for comparison: one process, no consensus, nothing
 * on disk.
 *
 * Upholds: it gets the transactions that the ledger got and no fees; it makes a block every
 * `BLOCK_MS`, with room for all that it can take in that time; its log is off.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { BLOCK_GAS } from '../ledger/gas.ts';
import { runLoad } from './bench-child.ts';
import { ethereumAddress, tokenSetup } from './bench-ethereum.ts';
import type { HttpLoadReport, HttpLoadSpec } from './bench-http-load.ts';
import type { Pace } from './bench-sender.ts';
import type { BenchLoad, BenchSender } from './bench-txs.ts';
import { pick, pickText } from './rpc-client.ts';

/** Failures of a comparison. */
export const errors: { readonly NotCompared: ErrorSpec<{ readonly reason: string }> } = {
  NotCompared: errorSpec('bench', 5, 'node', (p) => `hardhat node: ${p.reason}`),
};

/** What `hardhat node` did. */
export type Comparison = {
  readonly tool: 'hardhat node';
  readonly version: string;
  /** Milliseconds from block to block. */
  readonly blockMs: number;
  readonly txPerSecond: number;
  readonly committed: number;
  readonly sent: number;
  readonly rejected: number;
  readonly seconds: number;
  readonly reasons: readonly string[];
};

/** What to compare with. */
export type CompareSpec = Pace & {
  readonly load: Omit<BenchLoad, 'ethereum'> & { readonly chainNumber: bigint };
  readonly deployer: BenchSender;
  progress(text: string): void;
};

/** About as often as a devnet under load. */
const BLOCK_MS = 250;
const START_MS = 60_000;
const BALANCE = '0xd3c21bcecceda1000000';

function notCompared(reason: string): LedgerError {
  return new LedgerError(errors.NotCompared, { reason });
}

/** Folder of Hardhat, which is installed for development. */
const FOLDER = new URL('../../../node_modules/hardhat/', import.meta.url);

/** @throws LedgerError bench/5 if it is not installed */
function installedVersion(): string {
  const file = new URL('package.json', FOLDER);
  if (!existsSync(file)) throw notCompared('it is not installed: run "npm ci"');
  return pickText(JSON.parse(readFileSync(file, 'utf8')), 'version');
}

type Node = { readonly process: ChildProcess; readonly url: string };

/** Starts it on a free port. */
function startHardhat(chainNumber: bigint): Promise<Node> {
  const cli = fileURLToPath(new URL('dist/src/cli.js', FOLDER));
  const args = [cli, 'node', '--port', '0', '--chain-id', String(chainNumber)];
  const child = spawn(process.execPath, args, {
    cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    // Without a terminal and with this set, it neither fetches a banner nor reports usage.
    env: { ...process.env, HARDHAT_DISABLE_TELEMETRY: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(notCompared(`did not start in ${START_MS / 1_000} s`));
    }, START_MS);
    const hear = (chunk: Buffer): void => {
      text = `${text}${chunk.toString()}`.slice(-10_000);
      const url = /JSON-RPC server at (http:\/\/[\d.]+:\d+)/.exec(text)?.[1];
      if (url === undefined) return;
      clearTimeout(timer);
      resolve({ process: child, url });
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(notCompared(`exit code ${code}: ${text.slice(-500)}`)));
  });
}

async function ask(url: string, method: string, ...params: readonly unknown[]): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer: unknown = await (await fetch(url, { method: 'POST', headers, body })).json();
  const reason = pickText(answer, 'error', 'message');
  if (reason !== '') throw notCompared(`${method}: ${reason}`);
  return pick(answer, 'result');
}

/** Money for everybody, the token if one is measured, and blocks as the ledger's. */
async function prepare(url: string, spec: CompareSpec): Promise<Uint8Array | undefined> {
  const { load, deployer } = spec;
  await ask(url, 'hardhat_setLoggingEnabled', false);
  await ask(url, 'hardhat_setNextBlockBaseFeePerGas', '0x0');
  await ask(url, 'evm_setBlockGasLimit', `0x${BLOCK_GAS.toString(16)}`);
  for (const account of [deployer, ...load.senders]) {
    await ask(url, 'hardhat_setBalance', `0x${toHex(ethereumAddress(account))}`, BALANCE);
  }
  let token: Uint8Array | undefined;
  if (load.app === 'evm-erc20') {
    const setup = tokenSetup(deployer, load.senders, load.chainNumber);
    let hash: unknown;
    for (const raw of setup.raws) {
      hash = await ask(url, 'eth_sendRawTransaction', `0x${toHex(raw)}`);
    }
    const receipt = await ask(url, 'eth_getTransactionReceipt', hash);
    if (pickText(receipt, 'status') !== '0x1') throw notCompared('nobody got tokens');
    token = setup.token;
  }
  await ask(url, 'evm_setAutomine', false);
  await ask(url, 'evm_setIntervalMining', BLOCK_MS);
  return token;
}

function runHttpLoad(spec: HttpLoadSpec, tell: (text: string) => void): Promise<HttpLoadReport> {
  const progress = (text: string): void => tell(`hardhat node: ${text}`);
  const hear = { progress, sending: () => progress('sending') };
  return runLoad('./bench-http-load.ts', spec, hear, (reason) =>
    notCompared(`the load generator stopped: ${reason}`),
  );
}

/** Runs the load on a `hardhat node` of its own. @throws LedgerError bench/4 or bench/5 */
export async function compareWithHardhat(spec: CompareSpec): Promise<Comparison> {
  const { rate, seconds, window, graceMs } = spec;
  const { chainNumber, ...load } = spec.load;
  const version = installedVersion();
  spec.progress('starting hardhat node');
  const node = await startHardhat(chainNumber);
  try {
    const token = await prepare(node.url, spec);
    const ethereum = { chainId: chainNumber, token, bare: true };
    const http = { ...load, ethereum, url: node.url, rate, seconds, window, graceMs };
    const report = await runHttpLoad(http, spec.progress);
    return {
      tool: 'hardhat node',
      version,
      blockMs: BLOCK_MS,
      txPerSecond: Math.round((report.committed / report.elapsedMs) * 10_000) / 10,
      committed: report.committed,
      sent: report.sent,
      rejected: report.refused,
      seconds: Math.round(report.elapsedMs / 10) / 100,
      reasons: report.reasons,
    };
  } finally {
    node.process.kill('SIGKILL');
  }
}
