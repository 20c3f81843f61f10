/**
 * Runs a contract of the EVM benchmark and measures its CPU time.
 *
 * @module
 */
import { concatBytes, EMPTY, latin1 } from '../../node/src/base/bytes.ts';
import { recoverSecp256k1 } from '../../node/src/crypto/secp256k1.ts';
import { setAccount } from '../../node/src/ledger/auth/accounts.ts';
import { resolve } from '../../node/src/ledger/auth/aliases.ts';
import {
  getBalance,
  getSupply,
  setBalance,
  setSupply,
} from '../../node/src/ledger/bank/balances.ts';
import { createEngine } from '../../node/src/ledger/evm/engine.ts';
import { codeRow, contractKey } from '../../node/src/ledger/evm/records.ts';
import type { EvmBlock, EvmEngine, EvmPorts } from '../../node/src/ledger/evm/types.ts';
import { keccak256 } from '../../node/src/ledger/keccak.ts';
import { Overlay } from '../../node/src/ledger/overlay.ts';

/** Something to measure: accounts with code, and a call to the first of them. */
export type Case = {
  readonly name: string;
  readonly code: Uint8Array;
  readonly input?: Uint8Array;
  readonly others?: readonly (readonly [address: Uint8Array, code: Uint8Array])[];
};

const DENOM = 'aphi';
const RICH = 10n ** 30n;

/** The contract that is called. */
export const TARGET: Uint8Array = address(0xca11);
/** Who calls. */
export const CALLER: Uint8Array = address(0xca);

/** An address by a small number. */
export function address(number: number): Uint8Array {
  const bytes = new Uint8Array(20);
  new DataView(bytes.buffer).setUint32(16, number);
  return bytes;
}

/** Ports as the ledger has them. */
export const PORTS: EvmPorts = {
  chainId: 1n,
  bank: {
    balance: (state, id) => getBalance(state, id, DENOM),
    setBalance: (state, id, before, after) => setBalance(state, id, DENOM, before, after),
    changeSupply: (state, by) => setSupply(state, DENOM, getSupply(state, DENOM) + by),
  },
  resolve,
  sight: () => undefined,
  recover: recoverSecp256k1,
};

/** The block of the measurements. */
export const BLOCK: EvmBlock = {
  height: 1_000,
  time: 1n,
  proposer: address(0xc0ffee),
  baseFee: 0n,
  gasLimit: 10n ** 12n,
  prevRandao: new Uint8Array(32),
  blockHash: (height) => keccak256(Uint8Array.of(height & 255)),
};

/** State in a map with these contracts, each rich. */
export function stateWith(
  contracts: readonly (readonly [address: Uint8Array, code: Uint8Array])[],
): Overlay {
  const rows = new Map<string, Uint8Array>();
  const records = new Map<string, Uint8Array>();
  const base = {
    get: (key: Uint8Array): Uint8Array | undefined => records.get(latin1(key)),
    row: (key: Uint8Array): Uint8Array | undefined => rows.get(latin1(key)),
  };
  const state = new Overlay(base);
  for (const [number, [id, code]] of contracts.entries()) {
    const account = { publicKey: EMPTY, moduleName: '', permissions: [] };
    setAccount(state, id, { ...account, number, sequence: code.length > 0 ? 1 : 0 });
    setBalance(state, id, DENOM, 0n, RICH);
    if (code.length > 0) {
      state.set(contractKey(id).bytes, keccak256(code));
      rows.set(latin1(codeRow(keccak256(code))), code);
    }
  }
  for (const [key, value] of state.changes()) if (value) records.set(latin1(key), value);
  return new Overlay(base);
}

let engine: Promise<EvmEngine> | undefined;

/** The engine, made once. */
export function theEngine(): Promise<EvmEngine> {
  engine ??= createEngine(PORTS);
  return engine;
}

/** Seconds of CPU since `from`. */
export function cpuSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

/** Seconds of CPU that 30M gas of a case take, by a call of `gas`, the better of two. */
export async function secondsFor(one: Case, gas: bigint): Promise<number> {
  const evm = await theEngine();
  const state = stateWith([[TARGET, one.code], [CALLER, EMPTY], ...(one.others ?? [])]);
  const call = { from: CALLER, to: TARGET, value: 0n, data: one.input ?? EMPTY };
  await evm.call(state, BLOCK, { ...call, gasLimit: gas / 5n });
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 2; i++) {
    const start = process.cpuUsage();
    const { gasUsed } = await evm.call(state, BLOCK, { ...call, gasLimit: gas });
    best = Math.min(best, (cpuSince(start) * 3e7) / Number(gasUsed));
  }
  return Number(best.toFixed(3));
}

/** Code that repeats `body` for ever, after `before`. */
export function forever(before: readonly number[], body: readonly number[], times = 1): Uint8Array {
  const start = before.length;
  const bodies = Array.from({ length: times }, () => Uint8Array.from(body));
  const back = [0x61, start >> 8, start & 255, 0x56];
  return concatBytes(
    Uint8Array.from(before),
    Uint8Array.of(0x5b),
    ...bodies,
    Uint8Array.from(back),
  );
}
