/**
 * Measures the second opinion alone: `npx node scripts/bench-opinion.ts [--puts N] [--blocks N]
 * [--ops N] [--batch N] [--senders N]`.
 *
 * Prints one line of JSON. A ledger executes blocks of puts first, `--ops` in each transaction, and
 * what it tells a second opinion is kept; then Hardhat's EVM runs these blocks again. Counted is
 * what that takes per put: `main` is this thread, `others` are those of the second EVM and of the
 * collector; and RSS in MiB. `--batch` is how many puts the rules decide in one call. Allocators
 * have the variables of node/bin/node-env.json only if they are set. Not part of the tests.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { EMPTY, u64be, utf8 } from '../node/src/base/bytes.ts';
import { invariant, present } from '../node/src/base/errors.ts';
import { sha256 } from '../node/src/base/hash.ts';
import { secp256k1Keys, verifySecp256k1 } from '../node/src/crypto/secp256k1.ts';
import { Opinion } from '../node/src/ledger/evm/second-opinion/opinion.ts';
import type { SeenBlock } from '../node/src/ledger/evm/second-opinion/port.ts';
import { key, ROW } from '../node/src/ledger/keys.ts';
import { Ledger } from '../node/src/ledger/ledger.ts';
import { ledgerState } from '../node/src/ops/ledger-state.ts';
import { putMessage } from '../node/src/ops/transaction.ts';
import { DEFAULT_PARAMS } from '../node/src/types/params.ts';
import { MapStore } from './bench/map-store.ts';
import { makeSenders, senderOf, signed } from './bench/senders.ts';

const CHAIN_ID = 'bench-opinion';
const CONTENT_BYTES = 200;
const MIB = 1_048_576;

const { values: options } = parseArgs({
  options: {
    puts: { type: 'string', default: '300' },
    blocks: { type: 'string', default: '60' },
    ops: { type: 'string', default: '1' },
    batch: { type: 'string' },
    senders: { type: 'string', default: '100' },
  },
});
const [puts, blocks] = [Number(options.puts), Number(options.blocks)];
const [ops, senderCount] = [Number(options.ops), Number(options.senders)];

const senders = makeSenders(senderCount);

function makeTx(index: number): Uint8Array {
  const sender = senderOf(senders, index);
  const messages = Array.from({ length: ops }, (_, op) => {
    const content = utf8(`${index}/${op} `.padEnd(CONTENT_BYTES, 'memory of an agent; '));
    return putMessage(sender.address, { content });
  });
  return signed(messages, CHAIN_ID, senders, index);
}

/** Transactions of a block. */
const txs = Math.ceil(puts / ops);

/** Has a ledger execute the blocks. @returns what it tells of them */
async function seenBlocks(store: MapStore): Promise<readonly SeenBlock[]> {
  const seen: SeenBlock[] = [];
  const ledger = new Ledger({
    store,
    keys: secp256k1Keys,
    verifySecp256k1,
    blockHash: (height) => sha256(u64be(height)),
    secondOpinion: { block: (one) => seen.push(one), ready: () => Promise.resolve() },
    ...(options.batch === undefined ? {} : { maxRulesBatch: Number(options.batch) }),
  });
  await ledger.initChain({
    time: 0n,
    chainId: CHAIN_ID,
    params: DEFAULT_PARAMS,
    validators: [],
    appState: utf8(JSON.stringify(ledgerState({}, senders))),
    initialHeight: 1,
  });
  for (let height = 1; height <= blocks; height++) {
    const { txResults } = await ledger.finalizeBlock({
      // Every second height is an empty proof block.
      height: 2 * height,
      time: BigInt(height) * 1_000_000_000n,
      misbehavior: [],
      nextValidatorsHash: EMPTY,
      proposerAddress: EMPTY,
      hash: sha256(u64be(height)),
      txs: Array.from({ length: txs }, (_, i) => makeTx((height - 1) * txs + i)),
      decidedLastCommit: { round: 0, votes: [] },
    });
    invariant(
      txResults.every(({ code }) => code === 0),
      'every put is executed',
    );
    await ledger.commit();
  }
  return seen;
}

const rss = (): number => Math.round(process.memoryUsage.rss() / MIB);
const micros = ({ user, system }: NodeJS.CpuUsage): number => user + system;

const store = new MapStore();
const executing = process.cpuUsage();
const seen = await seenBlocks(store);
const executed = micros(process.cpuUsage(executing));
const before = rss();
let peak = before;
const opinion = new Opinion({
  mode: 'report',
  code: (hash) => present(store.row(key(ROW.code, hash)), 'code of an account'),
  differs: (report) => console.error(JSON.stringify(report.first)),
  note: (text, about) => console.error(text, about),
  failed: (cause) => console.error(cause),
  processBytes: () => process.memoryUsage.rss(),
  monotonicMs: () => performance.now(),
});
const [all, main] = [process.cpuUsage(), process.threadCpuUsage()];
const since = performance.now();
for (const one of seen) {
  opinion.block(one);
  await opinion.settled();
  peak = Math.max(peak, rss());
}
const each = (sum: number): number => Number((sum / (txs * ops * blocks)).toFixed(1));
const mainSum = micros(process.threadCpuUsage(main));
const { user, system } = process.cpuUsage(all);
console.log(
  JSON.stringify({
    ...opinion.counts,
    runsPerBlock: present(seen.at(-1), 'block').runs.length,
    microsPerPut: {
      executed: each(executed),
      main: each(mainSum),
      others: each(user + system - mainSum),
      system: each(system),
      elapsed: each((performance.now() - since) * 1_000),
    },
    rssMiB: { before, peak, after: rss() },
  }),
);
opinion.stop();
