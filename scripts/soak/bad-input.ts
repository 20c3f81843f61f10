/**
 * Bad input against a devnet of real processes: spoiled transactions, calls and peer frames.
 *
 *     npx node scripts/soak/bad-input.ts [--count 10000] [--seed 1]
 *
 * Upholds: each input is refused with a declared code or does no harm; no validator ends; the chain
 * commits within 2 s after; memory stays bounded. One JSON line on stdout, exit code 1 if not.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { toBase64 } from '../../node/src/base/bytes.ts';
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { peakRssMiB } from '../../node/src/ops/process-usage.ts';
import { latestHeight, pick } from '../../node/src/ops/rpc-client.ts';
import { BadPeers } from '../../test/process/bad-input-frames.ts';
import { type Outcome, readDeclared, Tally } from '../../test/process/bad-input-judge.ts';
import { BadCalls } from '../../test/process/bad-input-rpc.ts';
import { BadTxs, judgeBroadcast, runFailing } from '../../test/process/bad-input-txs.ts';
import { isAlive, reaches, startDevnet, temporaryFolder } from '../../test/process/support.ts';
import { Prng } from '../../test/sim/prng.ts';

/** What a run came to. */
export type BadInputReport = {
  readonly count: number;
  readonly seed: number;
  readonly transactions: Outcome;
  readonly calls: Outcome;
  readonly frames: Outcome;
  /** The most memory a validator ever had resident, in MiB, before and after. */
  readonly peakRssMiB: { readonly before: number; readonly after: number };
  /** How long a commit took after the last input, at most. */
  readonly commitMs: number;
  readonly seconds: number;
  readonly failures: readonly string[];
};

/** Transactions in one batch of calls. */
const BATCH = 50;
/** Of so many transactions one fails in a block instead of in its check. */
const FAILING_EVERY = 50;
/** Peers and clients that are bad at once. */
const AT_ONCE = 6;
/** How much a validator may grow, in MiB. */
const MAX_GROWTH_MIB = 250;
const COMMIT_WITHIN_MS = 2_000;

async function sendTxs(net: DevnetSummary, txs: BadTxs, count: number, tally: Tally, of: Of) {
  const failing = Math.ceil(count / FAILING_EVERY);
  for (let left = count - failing; left > 0; left -= BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, left) }, () => txs.next());
    const body = cases.map(([, tx], id) => ({
      jsonrpc: '2.0',
      id,
      method: 'broadcast_tx_sync',
      params: { tx: toBase64(tx) },
    }));
    // One is too large for a batch of its own kind to fit a body.
    const rpc = net.nodes[left % net.nodes.length]?.rpc ?? net.rpc;
    for (const [i, answer] of (await post(rpc, body)).entries()) {
      const name = cases[i]?.[0] ?? '';
      if (judgeBroadcast(tally, name, answer, of)) {
        tally.failed(`${name}: accepted: ${toBase64(cases[i]?.[1] ?? new Uint8Array(0))}`);
      }
    }
  }
  await runFailing(txs, net.rpc, failing, tally);
}

type Of = (text: string) => string | undefined;

/** Answers to calls, in their order; in as many bodies as their sizes ask for. */
async function post(rpc: string, calls: readonly object[]): Promise<readonly unknown[]> {
  const answers: unknown[] = [];
  let group: string[] = [];
  const send = async (): Promise<void> => {
    if (group.length === 0) return;
    const body = `[${group.join()}]`;
    const response = await fetch(rpc, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(30_000),
    });
    answers.push(...((await response.json()) as unknown[]));
    group = [];
  };
  let size = 0;
  for (const one of calls.map((value) => JSON.stringify(value))) {
    if (size + one.length > 1_900_000) {
      await send();
      size = 0;
    }
    group.push(one);
    size += one.length + 1;
  }
  await send();
  return answers;
}

async function commitMs(net: DevnetSummary): Promise<number> {
  const startedAt = performance.now();
  const heights = await Promise.all(net.nodes.map(({ rpc }) => latestHeight(rpc)));
  await Promise.all(net.nodes.map(({ rpc }, i) => reaches(rpc, (heights[i] ?? 0) + 1, 30_000)));
  return Math.round(performance.now() - startedAt);
}

function peak(net: DevnetSummary): number {
  return Math.max(...net.nodes.map(({ pid }) => peakRssMiB(pid)));
}

/** Runs several workers, each with a chain of random numbers of its own. */
async function together(work: (worker: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => work(i)));
}

async function attack(net: DevnetSummary, count: number, seed: number): Promise<BadInputReport> {
  const startedAt = performance.now();
  const random = new Prng(seed);
  const declared = readDeclared();
  const failures: string[] = [];
  const tallies = {
    transactions: new Tally('transaction', declared, failures),
    calls: new Tally('call', declared, failures),
    frames: new Tally('frame', declared, failures),
  };
  const third = Math.ceil(count / 3);
  const before = peak(net);
  const txs = await BadTxs.prepare(net, random.fork('txs'));
  await sendTxs(net, txs, third, tallies.transactions, declared.of);
  await together(async (worker) => {
    const calls = await BadCalls.prepare(net, random.fork(`c${worker}`), tallies.calls, declared);
    while (tallies.calls.sent < third) await calls.one();
    calls.close();
  });
  await together(async (worker) => {
    const own = random.fork(`f${worker}`);
    const peers = new BadPeers(net, own, tallies.frames, () => txs.valid());
    await peers.run(third);
  });
  const took = await commitMs(net);
  if (took > COMMIT_WITHIN_MS) failures.push(`a commit took ${took} ms after the bad input`);
  for (const { moniker, pid } of net.nodes) {
    if (!isAlive(pid)) failures.push(`${moniker} ended`);
  }
  const after = peak(net);
  if (after - before > MAX_GROWTH_MIB) failures.push(`memory grew from ${before} to ${after} MiB`);
  return {
    count,
    seed,
    transactions: tallies.transactions.outcome(),
    calls: tallies.calls.outcome(),
    frames: tallies.frames.outcome(),
    peakRssMiB: { before, after },
    commitMs: took,
    seconds: Math.round((performance.now() - startedAt) / 1_000),
    failures,
  };
}

/** Sends `count` bad inputs, a third of each kind, to a devnet of its own, which it stops. */
export async function runBadInput(options: {
  readonly count: number;
  readonly seed: number;
}): Promise<BadInputReport> {
  const folder = temporaryFolder();
  const net = await startDevnet(folder.path);
  try {
    const report = await attack(net.summary, options.count, options.seed);
    const { stderr } = net.running.output;
    const died = /\w+ ended/.exec(stderr)?.[0];
    return died === undefined ? report : { ...report, failures: [...report.failures, died] };
  } finally {
    await net.stop();
    folder.remove();
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const report = await runBadInput({ count: Number(values.count), seed: Number(values.seed) });
  console.log(JSON.stringify(report));
  process.exitCode = pick(report, 'failures', 0) === undefined ? 0 : 1;
}
