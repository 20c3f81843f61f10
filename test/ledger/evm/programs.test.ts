/**
 * Programs made at random give the same on the ledger's interpreter and on the library's own.
 *
 * @module
 */
import { createCustomCommon, Mainnet } from '@ethereumjs/common';
import { EVM } from '@ethereumjs/evm';
import { Address } from '@ethereumjs/util';
import { expect } from 'chai';
import fc from 'fast-check';
import { concatBytes, EMPTY, toHex } from '../../../node/src/base/bytes.ts';
import { sha256 } from '../../../node/src/base/hash.ts';
import { CodeStore } from '../../../node/src/ledger/evm/code.ts';
import { Machine } from '../../../node/src/ledger/evm/machine.ts';
import { loadCurves, precompilesOf } from '../../../node/src/ledger/evm/precompiles.ts';
import { FlatState } from '../../../node/src/ledger/evm/state.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { LibraryState } from './library-state.ts';
import { address, block, FlatWorld, ports, word } from './world.ts';

const CALLER = address('ca');
const TARGET = address('aa01');
const OTHER = address('aa02');
const GAS = 400_000n;

const given = ports();
const common = createCustomCommon({ name: 'test', chainId: 1 }, Mainnet, {
  hardfork: 'osaka',
  customCrypto: { keccak256, sha256 },
});

/** What a run gives that must not differ. */
type Result = {
  readonly status: string;
  readonly gasUsed: bigint;
  readonly returned: string;
  readonly logs: readonly string[];
  readonly records: readonly string[];
};

function worldWith(code: Uint8Array, other: Uint8Array): FlatWorld {
  return new FlatWorld().begin([
    [CALLER, { balance: 10n ** 18n, nonce: 1n }],
    [TARGET, { balance: 1_000n, nonce: 1n, code, storage: [[word(1n), word(7n)]] }],
    [OTHER, { balance: 5n, nonce: 1n, code: other }],
  ]);
}

function recordsOf(world: FlatWorld): readonly string[] {
  return [...world.records()]
    .map(([key, value]) => `${toHex(Buffer.from(key, 'latin1'))}=${toHex(value)}`)
    .sort();
}

function statusOf(error: string | undefined): string {
  return error === undefined || error === 'revert' ? String(error) : 'failed';
}

describe('EVM: programs made at random', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.create(given);
    await loadCurves();
  });

  async function ours(code: Uint8Array, other: Uint8Array, input: Uint8Array): Promise<Result> {
    const world = worldWith(code, other);
    const call = { from: CALLER, to: TARGET, value: 3n, data: input, gasLimit: GAS };
    const outcome = await machine.call(world.state, block(), call, { keep: true });
    return {
      status: statusOf(outcome.error),
      gasUsed: outcome.gasUsed,
      returned: toHex(outcome.returned),
      logs: outcome.logs.map((l) => [l.address, ...l.topics, l.data].map(toHex).join()),
      records: recordsOf(world),
    };
  }

  async function theirs(code: Uint8Array, other: Uint8Array, input: Uint8Array): Promise<Result> {
    const world = worldWith(code, other);
    const state = new FlatState(given, new CodeStore());
    state.begin(world.state);
    const evm = new EVM({
      common,
      stateManager: new LibraryState(state),
      blockchain: {
        getBlock: (n: number) => Promise.resolve({ hash: () => block().blockHash(n) }),
        putBlock: () => Promise.resolve(),
        shallowCopy() {
          return this;
        },
      },
      customPrecompiles: precompilesOf(common, given.recover),
    });
    for (const hex of evm.precompiles.keys()) evm.journal.addAlwaysWarmAddress(hex);
    const { proposer, baseFee, gasLimit, prevRandao, time } = block();
    for (const warm of [CALLER, TARGET, proposer]) evm.journal.addAlwaysWarmAddress(toHex(warm));
    const { execResult } = await evm.runCall({
      block: {
        header: {
          number: 1n,
          coinbase: new Address(proposer),
          timestamp: time,
          difficulty: 0n,
          prevRandao,
          gasLimit,
          baseFeePerGas: baseFee,
          getBlobGasPrice: () => 1n,
        },
      },
      gasPrice: 0n,
      caller: new Address(CALLER),
      to: new Address(TARGET),
      value: 3n,
      data: input,
      gasLimit: GAS,
      skipNonceIncrement: true,
    });
    const { created, destroyed } = {
      created: execResult.createdAddresses ?? new Set<string>(),
      destroyed: execResult.selfdestruct ?? new Map<string, string>(),
    };
    for (const hex of destroyed.keys()) {
      if (created.has(hex)) state.remove(Buffer.from(hex.slice(2), 'hex'));
    }
    state.finish();
    return {
      status: statusOf(execResult.exceptionError?.error),
      gasUsed: execResult.executionGasUsed,
      returned: toHex(execResult.returnValue),
      logs: (execResult.logs ?? []).map(([at, topics, data]) =>
        [at, ...topics, data].map(toHex).join(),
      ),
      records: recordsOf(world),
    };
  }

  const push = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }).map((n) => [0x60, n]) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 70_000 }).map((n) => [0x62, ...bytes3(n)]) },
    { weight: 1, arbitrary: fc.constantFrom([0x61, 0xaa, 1], [0x61, 0xaa, 2], [0x30], [0x5a]) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => [0x7f, ...bytes]),
    },
  );
  const operation = fc
    .oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0x01, max: 0x5f }) },
      { weight: 3, arbitrary: fc.integer({ min: 0x80, max: 0xa4 }) },
      { weight: 3, arbitrary: fc.constantFrom(0xf0, 0xf1, 0xf2, 0xf4, 0xf5, 0xfa) },
      { weight: 1, arbitrary: fc.constantFrom(0x00, 0xf3, 0xfd, 0xfe, 0xff, 0x0c, 0xef) },
    )
    .map((op) => [op]);
  /** Operands, then an operation; now and then a label to jump to. */
  const step = fc
    .tuple(fc.array(push, { maxLength: 5 }), operation, fc.boolean())
    .map(([operands, op, label]) => [...operands.flat(), ...op, ...(label ? [0x5b] : [])]);
  /** A call with all operands in place. */
  const wholeCall = fc
    .tuple(
      fc.constantFrom(0xf1, 0xf2, 0xf4, 0xfa),
      fc.oneof(fc.integer({ min: 1, max: 17 }), fc.constantFrom(0xaa01, 0xaa02, 0x100, 0x77)),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 250 }),
    )
    .map(([op, to, value, size]) => [
      ...[0x60, 32, 0x5f, 0x60, size, 0x5f],
      ...(op < 0xf3 ? [0x60, value] : []),
      ...[0x61, to >> 8, to & 255, 0x61, 0xff, 0xff, op],
    ]);
  /** A creation of what lies at the start of memory. */
  const creation = fc
    .tuple(
      fc.constantFrom(0xf0, 0xf5),
      fc.constantFrom(0x33ff, 0x6001_6002, 0x5f5f_fd, 0x60aa_5f53),
    )
    .map(([op, init]) => [
      ...[0x63, init >>> 24, (init >>> 16) & 255, (init >>> 8) & 255, init & 255, 0x5f, 0x52],
      ...[0x60, 5, 0x60, 4, 0x60, 28, 0x60, 1, op],
    ]);
  const program = fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: step },
        { weight: 2, arbitrary: wholeCall },
        { weight: 1, arbitrary: creation },
      ),
      { minLength: 1, maxLength: 40 },
    )
    .map((parts) => Uint8Array.from(parts.flat()));

  it('have the same result, gas, logs and records', async () => {
    const input = fc.uint8Array({ maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(program, program, input, async (code, other, data) => {
        expect(await ours(code, other, data)).to.deep.equal(await theirs(code, other, data));
      }),
      { numRuns: 300 },
    );
  }).timeout(60_000);

  it('also do where a call charges for memory that nothing has written yet', async () => {
    // STATICCALL with room for 64 KiB of answer, then a copy to its end.
    const call = [0x62, 1, 0, 0, 0x5f, 0x5f, 0x5f, 0x61, 0xaa, 2, 0x5a, 0xfa];
    const code = Uint8Array.from([...call, 0x60, 32, 0x5f, 0x61, 0xff, 0xe0, 0x37]);
    expect(await ours(code, EMPTY, code)).to.deep.equal(await theirs(code, EMPTY, code));
  });

  it('also do where each operation finds what it needs', async () => {
    const words = fc.array(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }), {
      minLength: 5,
      maxLength: 5,
    });
    const small = fc.array(fc.bigInt({ min: 0n, max: 300n }), { minLength: 5, maxLength: 5 });
    const any = fc.integer({ min: 0x01, max: 0xa4 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(words, small), any, async (operands, op) => {
        const push32 = operands.map((operand) => concatBytes(Uint8Array.of(0x7f), word(operand)));
        const end = Uint8Array.of(op, 0x5f, 0x52, 0x60, 64, 0x5f, 0xf3);
        const code = concatBytes(...push32, end);
        expect(await ours(code, EMPTY, code)).to.deep.equal(await theirs(code, EMPTY, code));
      }),
      { numRuns: 600 },
    );
  }).timeout(60_000);
});

function bytes3(n: number): number[] {
  return [n >> 16, (n >> 8) & 255, n & 255];
}
