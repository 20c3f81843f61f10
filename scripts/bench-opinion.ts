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
import secp from 'secp256k1';
import { encodeBech32 } from '../node/src/base/bech32.ts';
import { EMPTY, latin1, u64be, utf8 } from '../node/src/base/bytes.ts';
import { invariant, present } from '../node/src/base/errors.ts';
import { hash160, sha256 } from '../node/src/base/hash.ts';
import { secp256k1Keys, verifySecp256k1 } from '../node/src/crypto/secp256k1.ts';
import { Opinion } from '../node/src/ledger/evm/second-opinion/opinion.ts';
import type { SeenBlock } from '../node/src/ledger/evm/second-opinion/port.ts';
import { key, ROW } from '../node/src/ledger/keys.ts';
import { Ledger } from '../node/src/ledger/ledger.ts';
import type { LogHead, RecordChange, StateStore } from '../node/src/ledger/store.ts';
import { ledgerState } from '../node/src/ops/ledger-state.ts';
import { freeTerms, putMessage, signTransaction } from '../node/src/ops/transaction.ts';
import { DEFAULT_PARAMS } from '../node/src/types/params.ts';

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

/** Storage that proves nothing. */
class MapStore implements StateStore {
  readonly #records = new Map<string, Uint8Array>();
  readonly #rows = new Map<string, Uint8Array>();
  readonly #sizes = new Map<string, number>();
  height = 0;
  readonly appHash: Uint8Array = new Uint8Array(32);

  get(at: Uint8Array): Uint8Array | undefined {
    return this.#records.get(latin1(at));
  }

  row(at: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(latin1(at));
  }

  appendLog(log: Uint8Array, leaves: readonly Uint8Array[]): LogHead {
    const size = (this.#sizes.get(latin1(log)) ?? 0) + leaves.length;
    this.#sizes.set(latin1(log), size);
    return { size, root: this.appHash };
  }

  putRow(at: Uint8Array, value: Uint8Array): void {
    this.#rows.set(latin1(at), value);
  }

  finalize(_height: number, changes: readonly RecordChange[]): Promise<Uint8Array> {
    for (const [at, value] of changes) {
      if (value === undefined) this.#records.delete(latin1(at));
      else this.#records.set(latin1(at), value);
    }
    return Promise.resolve(this.appHash);
  }

  commit(): void {
    this.height++;
  }

  view(): undefined {}

  logPath(): readonly Uint8Array[] {
    return [];
  }

  logConsistency(): readonly Uint8Array[] {
    return [];
  }
}

type Sender = {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: string;
};

const senders: readonly Sender[] = Array.from({ length: senderCount }, (_, i) => {
  const secret = sha256(u64be(i));
  const publicKey = secp.publicKeyCreate(secret, true);
  return { secret, publicKey, address: encodeBech32('metatron', hash160(publicKey)) };
});

function makeTx(index: number): Uint8Array {
  const accountNumber = index % senderCount;
  const sender = present(senders[accountNumber], 'sender');
  const messages = Array.from({ length: ops }, (_, op) => {
    const content = utf8(`${index}/${op} `.padEnd(CONTENT_BYTES, 'memory of an agent; '));
    return putMessage(sender.address, { content });
  });
  const signing = {
    ...sender,
    chainId: CHAIN_ID,
    accountNumber: BigInt(accountNumber),
    sequence: BigInt(Math.floor(index / senderCount)),
  };
  const terms = freeTerms(messages);
  return signTransaction(
    messages,
    signing,
    terms,
    (hash, secret) => secp.ecdsaSign(hash, secret).signature,
  );
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
