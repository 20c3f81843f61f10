/**
 * Measures a devnet of real processes under a load of signed transactions.
 *
 * Upholds: a transaction counts only if it is found again, executed, in a block read from another
 * node than it was sent to. Validators' processor time and memory come from the system.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase64, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError, present } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { QueryParamsResponse } from '../gen/metatron/evm/v1/query.ts';
import { wrapEthereumTx } from '../ledger/ethereum/wrapper.ts';
import { type CallsReport, keepCalling } from './bench-calls.ts';
import { runLoad } from './bench-child.ts';
import { type EthereumLoad, tokenSetup } from './bench-ethereum.ts';
import { type Comparison, compareWithHardhat } from './bench-hardhat.ts';
import type { LoadSpec } from './bench-load.ts';
import { type LoadReport, WARMUP_RATE } from './bench-sender.ts';
import { type BenchApp, type BenchSender, createSender } from './bench-txs.ts';
import { broadcast, deliver, query } from './chain-client.ts';
import { newGenesis } from './chain-home.ts';
import { type RunningDevnet, runDevnet } from './devnet.ts';
import { prepareDevnet } from './devnet-plan.ts';
import { cpuSeconds, peakRssMiB, rssMiB } from './process-usage.ts';
import { call, latestHeight, pick, pickText } from './rpc-client.ts';

/** Failures of a benchmark. */
export const errors: { readonly LoadFailed: ErrorSpec<{ readonly reason: string }> } = {
  LoadFailed: errorSpec('bench', 1, 'node', (p) => `the load generator stopped: ${p.reason}`),
};

/** What to measure. */
export type BenchSpec = {
  readonly app: BenchApp;
  readonly validators: number;
  /** Transactions a second; 0: as many as there can be. */
  readonly rate: number;
  readonly seconds: number;
  /** Seconds of a moderate load before, which does not count. */
  readonly warmup: number;
  /** Bytes of content per write (memory), of a transaction (kvstore). */
  readonly size: number;
  readonly opsPerTx: number;
  /** Whether `hardhat node` gets the same load afterwards; of an EVM app only. */
  readonly compare: boolean;
  /** Endless calls of the EVM that are kept open meanwhile. */
  readonly ethCalls: number;
  /** Whether each validator asks a second EVM, and what it does when that differs. */
  readonly secondOpinion: 'halt' | 'report' | 'off';
  /** Home to keep; a temporary one if absent. */
  readonly home: string | undefined;
  /** Folder for a processor profile of each validator; none if absent. */
  readonly profile: string | undefined;
  readonly now: bigint;
  progress(text: string): void;
};

/** What was measured. */
export type BenchResult = {
  readonly app: BenchApp;
  readonly validators: number;
  readonly secondOpinion: BenchSpec['secondOpinion'];
  readonly txPerSecond: number;
  readonly opsPerSecond: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly blocks: number;
  readonly rejected: number;
  readonly cpuSeconds: number;
  readonly loadCpuSeconds: number;
  readonly peakRssMiB: number;
  /** Memory of the largest validator once all is committed. */
  readonly rssMiB: number;
  readonly node: string;
  /** Mean size of a transaction. */
  readonly txBytes: number;
  /** Committed and found again. */
  readonly committed: number;
  readonly sent: number;
  readonly seconds: number;
  /** The first refusals, as the nodes worded them. */
  readonly reasons: readonly string[];
  /** Calls beside the load, if there were any. */
  readonly ethCalls?: CallsReport;
  /** What another node did with the same transactions, if that was asked for. */
  readonly compare?: Comparison;
};

const SENDERS = 256;
/** Transactions of the deployer's that are sent without waiting for a block. */
const SETUP_BATCH = 50;
/** Longest wait for nodes that are behind at the end. */
const SETTLE_MS = 10_000;
/** Writes under way at most: what keeps blocks full and the pool far from its bounds. */
const WINDOW = { ops: 20_000, txs: 4_000, ethereum: 1_500 } as const;
/** Longest wait for the events of the last transactions. */
const GRACE_MS = 15_000;
/** Transactions a second to prepare for when the rate is open: twice the floors and more. */
const OPEN_RATE: Readonly<Record<BenchApp, number>> = {
  memory: 4_500,
  kvstore: 12_000,
  'evm-transfer': 2_000,
  'evm-erc20': 2_000,
};
/** The same, as writes a second. */
const OPEN_OPS = 18_000;

function loadFailed(reason: string): LedgerError {
  return new LedgerError(errors.LoadFailed, { reason });
}

/** Hashes of the executed transactions in a run of blocks, as one node has them. */
async function executedIn(node: string, from: number, to: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let height = from; height <= to; height++) {
    const params = { height: String(height) };
    const txs = pick(await call(node, 'block', params), 'block', 'data', 'txs');
    if (!Array.isArray(txs) || txs.length === 0) continue;
    const results = await call(node, 'block_results', params);
    txs.forEach((tx: unknown, i) => {
      const bytes = typeof tx === 'string' ? fromBase64(tx) : undefined;
      const code = pickText(results, 'txs_results', i, 'code');
      if (bytes !== undefined && (code === '0' || code === '')) {
        found.add(toHex(sha256(bytes)).toUpperCase());
      }
    });
  }
  return found;
}

/** The height that every node has reached, once they agree on it. */
async function heightOfAll(nodes: readonly string[]): Promise<number> {
  const deadline = performance.now() + SETTLE_MS;
  const target = Math.max(...(await Promise.all(nodes.map(latestHeight))));
  for (;;) {
    const lowest = Math.min(...(await Promise.all(nodes.map(latestHeight))));
    if (lowest >= target || performance.now() > deadline) return lowest;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function percentile(sorted: Float64Array, share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return value === undefined ? 0 : Math.round(value * 10) / 10;
}

async function measure(spec: BenchSpec, devnet: RunningDevnet, load: LoadSpec) {
  const { nodes } = devnet.summary;
  const cpu = (): number => nodes.reduce((sum, node) => sum + cpuSeconds(node.pid), 0);
  const last = nodes.at(-1)?.rpc ?? '';
  let before = 0;
  const firstHeight = (await latestHeight(last)) + 1;
  let heightBefore = Promise.resolve(firstHeight);
  const sending = (): void => {
    before = cpu();
    heightBefore = latestHeight(last);
    spec.progress('sending');
  };
  const hear = { progress: spec.progress, sending };
  const ports = nodes.map((node) => node.evm);
  const endCalls = spec.ethCalls > 0 ? keepCalling(ports, spec.ethCalls) : undefined;
  const sent = runLoad<LoadReport>('./bench-load.ts', load, hear, loadFailed);
  const report = await sent.finally(endCalls);
  const ethCalls = endCalls?.();
  const used = cpu() - before;
  const peak = Math.max(...nodes.map((node) => peakRssMiB(node.pid)));
  spec.progress('looking for every transaction');
  const lastHeight = await heightOfAll(nodes.map((node) => node.rpc));
  const rss = Math.max(...nodes.map((node) => rssMiB(node.pid)));
  const executed = await executedIn(last, firstHeight, lastHeight);
  const committed = report.hashes.filter((hash) => executed.has(hash)).length;
  const blocks = lastHeight - (await heightBefore);
  return { report, used, peak, rss, committed, blocks, ethCalls };
}

function resultOf(spec: BenchSpec, m: Awaited<ReturnType<typeof measure>>): BenchResult {
  const { report, committed } = m;
  const seconds = report.elapsedMs / 1_000;
  const sorted = report.latencies.toSorted();
  const perSecond = committed / seconds;
  return {
    app: spec.app,
    validators: spec.validators,
    secondOpinion: spec.secondOpinion,
    txPerSecond: Math.round(perSecond * 10) / 10,
    opsPerSecond: Math.round(perSecond * spec.opsPerTx * 10) / 10,
    latencyMs: {
      p50: percentile(sorted, 0.5),
      p95: percentile(sorted, 0.95),
      p99: percentile(sorted, 0.99),
    },
    blocks: m.blocks,
    rejected: report.refused,
    cpuSeconds: Math.round(m.used * 100) / 100,
    loadCpuSeconds: Math.round(report.cpuSeconds * 100) / 100,
    peakRssMiB: m.peak,
    rssMiB: m.rss,
    node: process.version,
    txBytes: report.txBytes,
    committed,
    sent: report.sent,
    seconds: Math.round(seconds * 100) / 100,
    reasons: report.reasons,
    ...(m.ethCalls && { ethCalls: m.ethCalls }),
  };
}

/** Where Ethereum transactions go on a devnet; deploys the token if one is measured. */
async function ethereumLoad(
  rpc: string,
  app: BenchApp,
  deployer: BenchSender,
  senders: readonly BenchSender[],
): Promise<EthereumLoad> {
  const { value } = await query(rpc, '/metatron.evm.v1.Query/Params', new Uint8Array(0));
  const { chainId } = QueryParamsResponse.decode(value);
  if (app !== 'evm-erc20') return { chainId, token: undefined };
  const { raws, token } = tokenSetup(deployer, senders, chainId);
  const txs = raws.map(wrapEthereumTx);
  for (let from = 0; from < txs.length; from += SETUP_BATCH) {
    const batch = txs.slice(from, from + SETUP_BATCH);
    const last = present(batch.pop(), 'a transaction of a batch');
    for (const tx of batch) await broadcast(rpc, tx);
    await deliver(rpc, last);
  }
  return { chainId, token };
}

/** The accounts of a benchmark: those that send, and one that deploys. */
type Accounts = { readonly senders: readonly BenchSender[]; readonly deployer: BenchSender };

function prepare(spec: BenchSpec, home: string, chainId: string, accounts: Accounts) {
  const app = spec.app === 'kvstore' ? 'kvstore' : 'ledger';
  const funded = [...accounts.senders, accounts.deployer].map(({ address }) => ({ address }));
  const genesis = newGenesis({
    chainId: 'bench',
    app,
    genesisTime: spec.now,
    validators: [],
    accounts: app === 'ledger' ? funded : [],
    base: undefined,
  });
  return prepareDevnet({
    home,
    validators: spec.validators,
    basePort: 0,
    app,
    chainId,
    genesis,
    fresh: true,
    now: spec.now,
    overrides: { log: { level: 'warn' }, evm: { secondOpinion: spec.secondOpinion } },
  });
}

async function runOnDevnet(
  spec: BenchSpec,
  load: Omit<LoadSpec, 'nodes'>,
  { summary, ...devnet }: RunningDevnet,
  { deployer, senders }: Accounts,
): Promise<{ readonly result: BenchResult; readonly chainNumber: bigint }> {
  const { app } = spec;
  const to = app.startsWith('evm-')
    ? await ethereumLoad(summary.rpc, app, deployer, senders)
    : undefined;
  const nodes = summary.nodes.map((node) => node.rpc);
  const whole = { ...load, nodes, ...(to && { ethereum: { ...to, bare: false } }) };
  const result = resultOf(spec, await measure(spec, { summary, ...devnet }, whole));
  return { result, chainNumber: to?.chainId ?? 0n };
}

/** Runs a benchmark on a devnet of its own. */
export async function runBench(spec: BenchSpec): Promise<BenchResult> {
  const home = spec.home ?? mkdtempSync(join(tmpdir(), 'metatron-bench-'));
  const [deployer, ...senders] = [
    createSender('metatron'),
    ...Array.from({ length: SENDERS }, () => createSender('metatron')),
  ] as const;
  const accounts = { deployer, senders };
  const chainId = `bench-${spec.now}`.slice(0, 40);
  const open = Math.min(OPEN_RATE[spec.app], OPEN_OPS / spec.opsPerTx);
  const { app, size, opsPerTx, rate, seconds, warmup, progress } = spec;
  const count = Math.ceil((rate === 0 ? open : rate) * seconds) + WARMUP_RATE * warmup;
  const most = app.startsWith('evm-') ? WINDOW.ethereum : WINDOW.txs;
  const window = Math.min(most, Math.ceil(WINDOW.ops / opsPerTx));
  const txs = { app, chainId, senders, count, size, opsPerTx };
  const load = { ...txs, rate, seconds, warmup, window, graceMs: GRACE_MS };
  const abort = new AbortController();
  try {
    const plan = await prepare(spec, home, chainId, accounts);
    const events = {
      died: (moniker: string, how: string) => progress(`${moniker} ended: ${how}`),
      progress,
    };
    const devnet = await runDevnet(plan, events, abort.signal, spec.profile);
    const { result, chainNumber } = await runOnDevnet(spec, load, devnet, accounts).finally(() =>
      devnet.stop(),
    );
    if (!spec.compare) return result;
    const compared = { rate, seconds, window, graceMs: GRACE_MS, deployer, progress };
    const compare = await compareWithHardhat({ ...compared, load: { ...txs, chainNumber } });
    return { ...result, compare };
  } finally {
    if (spec.home === undefined) rmSync(home, { recursive: true, force: true });
  }
}
