/**
 * `npm run soak`: real processes under load, killed, cut in half, restarted and joined late.
 *
 *     npm run soak -- [--kills 50] [--blocks 5000] [--home DIR]
 *
 * Upholds: what a node reported as committed is looked for on every validator at the end; the chain
 * carries no evidence of double signing; a kill is `kill -9`. One JSON report on stdout, exit code
 * 1 if anything did not hold.
 *
 * @module
 */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareDevnet } from '../node/src/ops/devnet-plan.ts';
import {
  createKeyPair,
  homePaths,
  readHomeJson,
  writeConfig,
  writeNodeKey,
  writeValidatorKey,
} from '../node/src/ops/home.ts';
import { call, latestHeight, pickText } from '../node/src/ops/rpc-client.ts';
import {
  appHash,
  evidenceIn,
  launch,
  type Running,
  reaches,
  temporaryFolder,
} from '../test/process/support.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '50' },
    blocks: { type: 'string', default: '5000' },
    home: { type: 'string' },
  },
});
const KILLS = Number(values.kills);
const BLOCKS = Number(values.blocks);
const CLIENTS = 8;

type Validator = { readonly home: string; readonly rpc: string; process: Running };
type Written = { readonly hash: string; readonly height: number; readonly ms: number };

const folder = values.home === undefined ? temporaryFolder() : undefined;
const home = values.home ?? folder?.path ?? '';
const failures: string[] = [];

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function check(holds: boolean, what: string): void {
  if (holds) return;
  failures.push(what);
  say(`FAILED: ${what}`);
}

async function startValidator(nodeHome: string): Promise<Validator> {
  const running = launch(['start', '--home', nodeHome, '--json'], {
    METATRON__LOG__LEVEL: 'error',
  });
  const { rpc } = JSON.parse(await running.firstLine()) as { rpc: string };
  return { home: nodeHome, rpc, process: running };
}

async function restart(validators: Validator[], index: number): Promise<void> {
  validators[index] = await startValidator(validators[index]?.home ?? '');
}

async function kill(validator: Validator | undefined): Promise<void> {
  validator?.process.kill('SIGKILL');
  await validator?.process.ended;
}

/** Clients that write through any validator that answers, and remember what was confirmed. */
class Load {
  readonly written: Written[] = [];
  readonly #validators: readonly Validator[];
  readonly #clients: Promise<void>[];
  #stopped = false;
  #next = 0;

  constructor(validators: readonly Validator[]) {
    this.#validators = validators;
    this.#clients = Array.from({ length: CLIENTS }, (_, i) => this.#client(i));
  }

  async #client(id: number): Promise<void> {
    while (!this.#stopped) {
      const number = this.#next++;
      const node = this.#validators[(id + number) % this.#validators.length];
      const tx = Buffer.from(`soak${process.pid}-${number}=value`).toString('base64');
      const startedAt = performance.now();
      try {
        const answer = await call(node?.rpc ?? '', 'broadcast_tx_commit', { tx });
        const height = Number(pickText(answer, 'height'));
        if (height > 0) {
          const ms = performance.now() - startedAt;
          this.written.push({ hash: pickText(answer, 'hash'), height, ms });
        }
      } catch {
        // A dead validator refuses: nothing was promised. Another one is next.
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async stop(): Promise<readonly Written[]> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    return this.written;
  }
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}

async function killOften(validators: Validator[]): Promise<number> {
  const load = new Load(validators);
  let caughtUp = 0;
  for (let i = 0; i < KILLS; i++) {
    const victim = Math.floor(Math.random() * validators.length);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 800));
    await kill(validators[victim]);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_000));
    await restart(validators, victim);
    const other = validators[(victim + 1) % validators.length];
    const height = await latestHeight(other?.rpc ?? '');
    await reaches(validators[victim]?.rpc ?? '', height + 1, 30_000).then(
      () => caughtUp++,
      (thrown: unknown) => check(false, `kill ${i}: ${String(thrown)}`),
    );
    say(`kill ${i + 1} of ${KILLS}: node${victim} is back at height ${height}`);
  }
  const written = await load.stop();
  await lookFor(written, validators);
  return caughtUp;
}

let looked = 0;

/** Every confirmed transaction is on every validator, at the height that was told. */
async function lookFor(written: readonly Written[], validators: readonly Validator[]) {
  const highest = Math.max(0, ...written.map((tx) => tx.height));
  for (const { rpc } of validators) {
    await reaches(rpc, highest);
    for (const { hash, height } of written) {
      const found = await call(rpc, 'tx', { hash: Buffer.from(hash, 'hex').toString('base64') });
      check(pickText(found, 'height') === String(height), `${hash} at ${height} on ${rpc}`);
      looked++;
    }
  }
}

async function withOneDown(validators: Validator[]): Promise<number> {
  await kill(validators[3]);
  const load = new Load(validators.slice(0, 3));
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  const written = await load.stop();
  const p99 = percentile(
    written.map((tx) => tx.ms),
    0.99,
  );
  check(p99 <= 1_500, `with one validator down, write p99 is ${p99} ms`);
  await restart(validators, 3);
  return p99;
}

async function withTwoDown(validators: Validator[]): Promise<void> {
  await Promise.all([kill(validators[2]), kill(validators[3])]);
  const rpc = validators[0]?.rpc ?? '';
  const before = await latestHeight(rpc);
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  const during = await latestHeight(rpc);
  check(during <= before + 1, `the chain stops with two of four down: ${before} → ${during}`);
  await restart(validators, 2);
  await reaches(rpc, during + 2, 30_000).catch((e: unknown) => check(false, String(e)));
  await restart(validators, 3);
}

async function fullRestart(validators: Validator[]): Promise<void> {
  const height = await latestHeight(validators[0]?.rpc ?? '');
  const hash = await appHash(validators[0]?.rpc ?? '', height);
  await Promise.all(validators.map((validator) => kill(validator)));
  await Promise.all(validators.map((_, i) => restart(validators, i)));
  for (const { rpc } of validators) {
    await reaches(rpc, height + 1, 30_000);
    check((await appHash(rpc, height)) === hash, `app hash of ${height} after a full restart`);
  }
}

/** A node that starts from nothing fetches the whole chain. */
async function joinLate(validators: readonly Validator[]) {
  const load = new Load(validators);
  const source = validators[0]?.rpc ?? '';
  const from = await latestHeight(source);
  const startedAt = performance.now();
  await reaches(source, Math.max(BLOCKS, from + 100), BLOCKS * 2_000);
  const rate = ((await latestHeight(source)) - from) / ((performance.now() - startedAt) / 1_000);
  await load.stop();
  const late = join(home, 'late');
  rmSync(late, { recursive: true, force: true });
  mkdirSync(late, { recursive: true });
  cpSync(join(home, 'node0', 'config'), join(late, 'config'), { recursive: true });
  giveOwnIdentity(late);
  const target = await latestHeight(source);
  const joinedAt = performance.now();
  const joiner = await startValidator(late);
  await reaches(joiner.rpc, target, 600_000);
  const syncRate = target / ((performance.now() - joinedAt) / 1_000);
  const same = (await appHash(joiner.rpc, target)) === (await appHash(source, target));
  check(same, `the late node has the app hash of height ${target}`);
  check(syncRate >= 5 * rate, `catching up: ${syncRate} blocks/s, made at ${rate}`);
  await kill(joiner);
  return { blocks: target, madePerSecond: rate, fetchedPerSecond: syncRate };
}

function giveOwnIdentity(late: string): void {
  const paths = homePaths(late);
  writeNodeKey(paths, createKeyPair());
  writeValidatorKey(paths, createKeyPair());
  const config = readHomeJson(paths, paths.config) as { p2p: object };
  const first = readHomeJson(homePaths(join(home, 'node1')), homePaths(join(home, 'node1')).config);
  const { persistentPeers } = (first as { p2p: { persistentPeers: readonly string[] } }).p2p;
  writeConfig(paths, {
    ...config,
    moniker: 'late',
    p2p: { listen: '127.0.0.1:0', persistentPeers },
    rpc: { listen: '127.0.0.1:0' },
  });
}

async function main(): Promise<void> {
  const plan = await prepareDevnet({
    home,
    validators: 4,
    basePort: 0,
    app: 'kvstore',
    chainId: undefined,
    genesis: undefined,
    fresh: true,
    now: BigInt(Date.now()) * 1_000_000n,
    overrides: {},
  });
  const validators = await Promise.all(plan.nodes.map((node) => startValidator(node.home)));
  await Promise.all(validators.map(({ rpc }) => reaches(rpc, 1)));
  const report: Record<string, unknown> = { kills: KILLS };
  try {
    report['caughtUp'] = await killOften(validators);
    say('one of four down');
    report['oneDownP99Ms'] = await withOneDown(validators);
    say('two of four down');
    await withTwoDown(validators);
    say('full restart');
    await fullRestart(validators);
    say(`a late node, after ${BLOCKS} blocks`);
    report['late'] = await joinLate(validators);
    const rpc = validators[0]?.rpc ?? '';
    const evidence = await evidenceIn(rpc, 1, await latestHeight(rpc));
    check(evidence === 0, `${evidence} pieces of evidence of double signing`);
    report['confirmationsChecked'] = looked;
  } finally {
    await Promise.all(validators.map((validator) => kill(validator)));
    folder?.remove();
  }
  console.log(JSON.stringify({ ...report, failures }));
  process.exitCode = failures.length > 0 ? 1 : 0;
}

await main();
