/**
 * The ledger's contracts as a genesis places them, on the ledger's own engine, and the call that
 * decides.
 *
 * @module
 */
import { AbiCoder, Interface, type InterfaceAbi } from 'ethers';
import { concatBytes, EMPTY, fromHex } from '../../node/src/base/bytes.ts';
import { invariant, present } from '../../node/src/base/errors.ts';
import * as auditLog from '../../node/src/gen/contracts/audit-log.ts';
import * as coSign from '../../node/src/gen/contracts/co-sign-policy.ts';
import * as governors from '../../node/src/gen/contracts/governors.ts';
import * as ledger from '../../node/src/gen/contracts/ledger.ts';
import * as access from '../../node/src/gen/contracts/ledger-access.ts';
import * as rules from '../../node/src/gen/contracts/memory-rules.ts';
import * as minReputation from '../../node/src/gen/contracts/min-reputation-policy.ts';
import * as rateLimit from '../../node/src/gen/contracts/rate-limit-policy.ts';
import * as reputation from '../../node/src/gen/contracts/reputation.ts';
import { SYSTEM_CALLER } from '../../node/src/gen/contracts/system.ts';
import { createEngine } from '../../node/src/ledger/evm/engine.ts';
import type { EvmBlock, EvmEngine, EvmOutcome } from '../../node/src/ledger/evm/types.ts';
import { block, FlatWorld, ports } from '../ledger/evm/world.ts';

/** A generated contract. */
export type Generated = {
  readonly address: string;
  readonly creationCode: string;
  readonly codeHash: string;
  readonly abi: InterfaceAbi;
};

/** The bytes of hex with 0x. */
export function bytes(hex: string): Uint8Array {
  return present(fromHex(hex.slice(2)), 'hex');
}

/** The governor of the tests. */
const GOVERNOR: string = `0x${'60'.repeat(20)}`;
const GAS = 1_000_000_000_000n;

type Arguments = readonly [types: readonly string[], values: readonly unknown[]];

/** The contracts in the order of the genesis, with the arguments of their constructors. */
export const PLACED: readonly (readonly [Generated, Arguments])[] = [
  [access, [['uint32'], [60]]],
  [governors, [['address[]'], [[GOVERNOR]]]],
  [
    rules,
    [
      ['uint64', 'uint64'],
      [1_000_000n, 1n << 40n],
    ],
  ],
  [reputation, [[], []]],
  [auditLog, [[], []]],
  [ledger, [[], []]],
  [minReputation, [[], []]],
  [rateLimit, [[], []]],
  [coSign, [[], []]],
];

/** One transaction of a batch: its steps in order, each with the operations or the action. */
export type Tx = {
  readonly policyGas: bigint;
  readonly signers: readonly string[];
  readonly steps: readonly Step[];
};

/** All operations of an author on a space; or an action. */
export type Step = {
  readonly author: string;
  readonly account: string;
} & (
  | { readonly space: string; readonly operations: readonly Operation[] }
  | { readonly action: string }
);

/** One operation. */
export type Operation = { readonly kind: number; readonly size: number };

/** What `decide` says of one transaction. */
export type Verdict = {
  readonly policyGas: bigint;
  /** The refused step and operation. */
  readonly refused: readonly [step: number, operation: number] | undefined;
  readonly reason: string | undefined;
};

const RULES = new Interface(rules.abi);
const ZERO = `0x${'00'.repeat(32)}`;

/** The calldata of `decide`. */
export function encodeDecide(txs: readonly Tx[]): Uint8Array {
  const steps = txs.flatMap((tx) => tx.steps);
  const heads = txs.map(({ policyGas, steps: own, signers }) => [
    policyGas,
    own.length,
    signers.length,
    own.filter((step) => 'action' in step).length,
  ]);
  const rows = steps.map((step) => {
    if ('action' in step) return [ZERO, step.author, step.account, 0, 0, 0, 0];
    const { space, author, account, operations } = step;
    const kinds = operations.reduce((bits, { kind }) => bits | (1 << kind), 0);
    const size = operations.reduce((sum, operation) => sum + operation.size, 0);
    const entries = operations.filter(({ kind }) => kind <= 3).length;
    return [space, author, account, kinds, entries, size, operations.length];
  });
  const operations = steps.flatMap((step) => ('action' in step ? [] : step.operations));
  const actions = steps.flatMap((step) => ('action' in step ? [step.action] : []));
  return bytes(
    RULES.encodeFunctionData('decide', [
      heads,
      rows,
      operations.map(({ kind, size }) => [kind, size, ZERO, ZERO]),
      txs.flatMap((tx) => tx.signers),
      actions,
    ]),
  );
}

/** What `decide` returned. */
function decodeDecide(returned: Uint8Array): readonly Verdict[] {
  const [words, reasons] = RULES.decodeFunctionResult('decide', returned) as unknown as [
    readonly bigint[],
    readonly string[],
  ];
  let next = 0;
  return words.map((word): Verdict => {
    const policyGas = BigInt.asUintN(64, word);
    const step = Number(BigInt.asUintN(32, word >> 64n));
    if (step === 0) return { policyGas, refused: undefined, reason: undefined };
    const operation = Number(BigInt.asUintN(32, word >> 96n));
    return { policyGas, refused: [step - 1, operation], reason: reasons[next++] };
  });
}

/** A chain's contracts. */
export class PlacedWorld {
  readonly flat: FlatWorld = new FlatWorld();
  readonly engine: EvmEngine;
  block: EvmBlock = block({ height: 5, time: 1_000_000n });

  private constructor(engine: EvmEngine) {
    this.engine = engine;
  }

  /** Runs the constructors. */
  static async create(): Promise<PlacedWorld> {
    const world = new PlacedWorld(await createEngine(ports()));
    for (const [contract, [types, values]] of PLACED) {
      const argumentsOf = bytes(AbiCoder.defaultAbiCoder().encode(types, values));
      const outcome = await world.engine.createAt(world.flat.state, world.block, {
        from: bytes(SYSTEM_CALLER),
        at: bytes(contract.address),
        value: 0n,
        data: concatBytes(bytes(contract.creationCode), argumentsOf),
        gasLimit: GAS,
      });
      invariant(outcome.status === 1, `${contract.address} ${outcome.error ?? ''}`);
    }
    return world;
  }

  /** A call that stays. */
  call(from: string, to: string, data: Uint8Array = EMPTY): Promise<EvmOutcome> {
    const call = { from: bytes(from), to: bytes(to), value: 0n, data, gasLimit: GAS };
    return this.engine.call(this.flat.state, this.block, call, { keep: true });
  }

  /** A call of one of the placed contracts. */
  async ask(
    from: string,
    { address, abi }: Generated,
    name: string,
    args: readonly unknown[],
  ): Promise<unknown> {
    const face = new Interface(abi);
    const outcome = await this.call(from, address, bytes(face.encodeFunctionData(name, [...args])));
    const returned = `0x${Buffer.from(outcome.returned).toString('hex')}`;
    if (outcome.status === 1) {
      const values = face.decodeFunctionResult(name, returned);
      return values.length === 0 ? undefined : values[0];
    }
    return (face.parseError(returned) ?? RULES.parseError(returned))?.name ?? outcome.error;
  }

  /** Decides a batch. */
  async decide(txs: readonly Tx[]): Promise<readonly Verdict[]> {
    const outcome = await this.call(SYSTEM_CALLER, rules.address, encodeDecide(txs));
    invariant(outcome.status === 1, `decide: ${outcome.error ?? ''}`);
    return decodeDecide(outcome.returned);
  }
}
