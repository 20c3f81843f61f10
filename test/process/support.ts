/**
 * Real processes for tests: the command line as a user calls it, and what it leaves behind.
 *
 * Upholds: every process that is started here is ended here, whatever the test does.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { call, latestHeight, pick, pickText } from '../../node/src/ops/rpc-client.ts';

const COMMAND: string = fileURLToPath(new URL('../../node/bin/metatron.mjs', import.meta.url));

/** A finished command. */
export type Finished = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): {
  child: ChildProcess;
  output: { stdout: string; stderr: string };
  ended: Promise<number | null>;
} {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    output.stderr += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => resolve(code));
  });
  return { child, output, ended };
}

/** Runs a command to its end. */
export async function metatron(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const { output, ended } = start(args, env);
  const code = await ended;
  return { code, ...output };
}

/** A command that goes on until it is stopped. */
export type Running = {
  readonly pid: number;
  readonly output: { readonly stdout: string; readonly stderr: string };
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** The first line on stdout. */
  firstLine(): Promise<string>;
};

/** Starts a command that goes on. */
export function launch(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const { child, output, ended } = start(args, env);
  const firstLine = new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const at = output.stdout.indexOf('\n');
      if (at >= 0) resolve(output.stdout.slice(0, at));
    };
    child.stdout?.on('data', look);
    ended.then((code) => {
      look();
      reject(new Error(`${args.join(' ')} ended with ${code}: ${output.stderr}`));
    }, reject);
  });
  firstLine.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    output,
    ended,
    kill: (signal) => void child.kill(signal),
    firstLine: () => firstLine,
  };
}

/** A devnet of real processes. */
export type Devnet = {
  readonly running: Running;
  readonly summary: DevnetSummary;
  /** SIGTERM. @returns milliseconds until all was over */
  stop(): Promise<number>;
};

/** Starts a devnet on free ports in `home`. */
export async function startDevnet(
  home: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Devnet> {
  const running = launch(['devnet', '--home', home, '--base-port', '0', '--json', ...args], env);
  const summary = JSON.parse(await running.firstLine()) as DevnetSummary;
  const stop = async (): Promise<number> => {
    const startedAt = performance.now();
    running.kill('SIGTERM');
    await running.ended;
    return performance.now() - startedAt;
  };
  return { running, summary, stop };
}

/** A temporary folder, and its removal. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'metatron-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** Whether a process is there. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How much longer than on an idle machine a test waits where there is much else to do. */
const BUSY = 6;

/**
 * Asks until the answer is yes.
 *
 * @param withinMs - what an idle machine has time for
 * @throws Error after `BUSY` times that, naming what was awaited
 */
export async function until(
  what: string,
  withinMs: number,
  ask: () => boolean | Promise<boolean>,
): Promise<void> {
  const allowedMs = BUSY * withinMs;
  const deadline = performance.now() + allowedMs;
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${allowedMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits until a node has committed `height`. */
export function reaches(rpc: string, height: number, withinMs = 20_000): Promise<void> {
  const there = async (): Promise<boolean> => (await latestHeight(rpc).catch(() => 0)) >= height;
  return until(`${rpc} at height ${height}`, withinMs, there);
}

/** App hash in the header of a height. */
export async function appHash(rpc: string, height: number): Promise<string> {
  const block = await call(rpc, 'block', { height: String(height) });
  return pickText(block, 'block', 'header', 'app_hash');
}

/** Number of pieces of evidence in a run of blocks. */
export async function evidenceIn(rpc: string, from: number, to: number): Promise<number> {
  let found = 0;
  for (let height = from; height <= to; height++) {
    const block = await call(rpc, 'block', { height: String(height) });
    const list = pick(block, 'block', 'evidence', 'evidence');
    found += Array.isArray(list) ? list.length : 0;
  }
  return found;
}
