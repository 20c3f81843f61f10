/**
 * What the EVM benchmark measures on the real store: reads of records that no cache holds.
 *
 * A contract with many slots, many funded accounts and many contracts of the largest size are
 * written to a database, which is then opened anew. Places are hashes of numbers, so that what is
 * read lies apart. The files are in the system's page cache.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { concatBytes, EMPTY } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { setAccount } from '../../node/src/ledger/auth/accounts.ts';
import { setBalance } from '../../node/src/ledger/bank/balances.ts';
import { codeRow, contractKey, slotCodec, slotKey } from '../../node/src/ledger/evm/records.ts';
import { evmBlockGas } from '../../node/src/ledger/gas.ts';
import { keccak256 } from '../../node/src/ledger/keccak.ts';
import { Overlay } from '../../node/src/ledger/overlay.ts';
import { Database } from '../../node/state/database.ts';
import { LevelStateStore } from '../../node/state/state-store.ts';
import { address, BLOCK, CALLER, cpuSince, forever, theEngine } from './run.ts';

const DENOM = 'aphi';
const CODE_BYTES = 24_576;
/** Records written per height. */
const BATCH = 10_000;
/** A block's worth of gas is measured this often, each time at other places. */
const ROUNDS = 3;
const ACCOUNTS = 20_000;
const CODES = 8_000;

/** Operations that leave the hash of a counter's next value on the stack. */
const NEXT = [0x60, 1, 0x01, 0x80, 0x5f, 0x52, 0x60, 32, 0x5f, 0x20];
const POP = 0x50;
/** The counter starts at the input. */
const START = [0x5f, 0x35];
/** The same, but the counter goes round after `count` values. */
const nextOf = (count: number): number[] => [
  ...[0x60, 1, 0x01, 0x61, count >> 8, count & 255, 0x90, 0x06, 0x80],
  ...[0x5f, 0x35, 0x01, 0x5f, 0x52, 0x60, 32, 0x5f, 0x20],
];
const CALL_IT = [0x5f, 0x5f, 0x5f, 0x5f, 0x93, 0x5a, 0xfa, POP];
const COPY_IT = [0x5f, 0x60, 32, 0x61, CODE_BYTES >> 8, CODE_BYTES & 255, 0x92, 0x3c];

type ColdCase = readonly [name: string, body: readonly number[], kind: Kind, round?: number];

/** What is read, by what code, of which kind, and after how many the same are read again. */
const CASES: readonly ColdCase[] = [
  ['SLOAD', [0x54, POP], 'slot'],
  ['BALANCE', [0x31, POP], 'account'],
  ['BALANCE of nobody', [0x31, POP], 'nobody'],
  ['EXTCODEHASH', [0x3f, POP], 'code'],
  ['EXTCODESIZE of 24 KiB', [0x3b, POP], 'code'],
  ['EXTCODECOPY of 24 KiB', COPY_IT, 'code'],
  ['call of 24 KiB', CALL_IT, 'code'],
  ['calls of 24 KiB, 300 in turn', CALL_IT, 'code', 300],
  ['calls of 24 KiB, 1000 in turn', CALL_IT, 'code', 1_000],
  ['calls of 24 KiB, 2000 in turn', CALL_IT, 'code', 2_000],
];

type Kind = 'slot' | 'account' | 'nobody' | 'code';

/** First counter of each kind: accounts and contracts are different addresses. */
const FROM: Readonly<Record<Kind, number>> = {
  slot: 0,
  account: 0,
  code: 10_000_000,
  nobody: 20_000_000,
};

function word(number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(28, number);
  return bytes;
}

const placeOf = (number: number): Uint8Array => keccak256(word(number));
const target = (index: number): Uint8Array => address(0xca1100 + index);

/** A code of the largest size, unlike all others, that jumps to its end. */
function largeCode(number: number): Uint8Array {
  const code = new Uint8Array(CODE_BYTES).fill(0x5b);
  const jump = Uint8Array.of(0x61, (CODE_BYTES - 1) >> 8, (CODE_BYTES - 1) & 255, 0x56);
  code.set(concatBytes(jump, word(number)));
  return code;
}

type Put = (state: Overlay, number: number) => void;

function fund(state: Overlay, id: Uint8Array, number: number, sequence: number): void {
  const account = { publicKey: EMPTY, moduleName: '', permissions: [] };
  setAccount(state, id, { ...account, number, sequence });
  setBalance(state, id, DENOM, 0n, 1n);
}

function putCode(state: Overlay, id: Uint8Array, code: Uint8Array): void {
  const hash = keccak256(code);
  state.set(contractKey(id).bytes, hash);
  state.putRow(codeRow(hash), code);
}

async function fill(store: LevelStateStore, db: Database, count: number, put: Put): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const state = new Overlay(store);
    for (let i = from; i < Math.min(count, from + BATCH); i++) put(state, i);
    for (const [key, value] of state.rows()) store.putRow(key, value);
    await store.finalize(store.height + 1, state.changes());
    store.commit();
    await db.flush();
  }
}

async function write(folder: string, slots: number): Promise<void> {
  const db = await Database.open(folder);
  const store = await LevelStateStore.open(db);
  await fill(store, db, CASES.length, (state, i) => {
    fund(state, target(i), i, 1);
    const [, body, , round] = present(CASES[i], 'case');
    const [start, next] = round === undefined ? [START, NEXT] : [[0x5f], nextOf(round)];
    putCode(state, target(i), forever(start, [...next, ...body], 20));
  });
  await fill(store, db, slots, (state, i) => {
    state.write(slotKey(target(0), placeOf(i + 1)), slotCodec, BigInt(i + 1));
  });
  await fill(store, db, ACCOUNTS, (state, i) => fund(state, placeOf(i + 1).slice(12), i, 1));
  await fill(store, db, CODES, (state, i) => {
    const number = FROM.code + i + 1;
    const id = placeOf(number).slice(12);
    fund(state, id, number, 1);
    putCode(state, id, largeCode(number));
  });
  await db.close();
}

type Figures = { readonly cpuSeconds: number; readonly seconds: number };

/** The dearest of a few blocks full of one case, on a store that is just open. */
async function measure(folder: string, index: number, slots: number): Promise<Figures> {
  const db = await Database.open(folder);
  const store = await LevelStateStore.open(db);
  const [, , kind] = present(CASES[index], 'case');
  const counts: Readonly<Record<Kind, number>> = {
    slot: slots,
    account: ACCOUNTS,
    nobody: slots,
    code: CODES,
  };
  const engine = await theEngine();
  let worst: Figures = { cpuSeconds: 0, seconds: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const start = FROM[kind] + Math.floor((counts[kind] * round) / ROUNDS);
    const gasLimit = BigInt(evmBlockGas(0));
    const call = { from: CALLER, to: target(index), value: 0n, data: word(start), gasLimit };
    const [cpu, wall] = [process.cpuUsage(), performance.now()];
    await engine.call(new Overlay(store), BLOCK, call);
    const figures = { cpuSeconds: cpuSince(cpu), seconds: (performance.now() - wall) / 1_000 };
    if (figures.cpuSeconds > worst.cpuSeconds) worst = figures;
  }
  await db.close();
  const { cpuSeconds, seconds } = worst;
  return { cpuSeconds: Number(cpuSeconds.toFixed(3)), seconds: Number(seconds.toFixed(3)) };
}

/** Seconds of a block full of cold reads, by case. @param slots - of one contract */
export async function coldFigures(slots: number): Promise<Readonly<Record<string, Figures>>> {
  const folder = mkdtempSync(join(tmpdir(), 'metatron-bench-evm-'));
  try {
    await write(join(folder, 'db'), slots);
    const figures: Record<string, Figures> = {};
    for (const [index, [name]] of CASES.entries()) {
      figures[name] = await measure(join(folder, 'db'), index, slots);
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
