/**
 * Asking the ledger's contracts: calls of its system caller, inside a block.
 *
 * Upholds: nobody pays for such a call, and every account and slot is warm in it, so what a policy
 * uses does not depend on what else is asked. A call that fails is a defect of this program.
 * Spec: docs/contracts.md.
 *
 * @module
 */
import { EMPTY, toHex } from '../../base/bytes.ts';
import { InvariantViolation } from '../../base/errors.ts';
import { SYSTEM_CALLER } from '../../gen/contracts/system.ts';
import type { BlockObserver } from '../evm/second-opinion/port.ts';
import type { EvmBlock, EvmEngine, EvmLog, EvmOutcome } from '../evm/types.ts';
import type { Block } from '../module.ts';
import type { Overlay } from '../overlay.ts';
import type { Records } from '../record.ts';
import { type Asked, decodeVerdicts, encodeDecide, type Verdict } from './call.ts';
import { addressBytes, RULES } from './state.ts';

/** The EVM, as far as system calls need it. */
export type SystemHost = {
  engine(): Promise<EvmEngine>;
  block(state: Records, block: Block): EvmBlock;
};

/** Where a system call happens. */
export type SystemPlace = {
  readonly host: SystemHost;
  readonly block: Block;
  readonly state: Overlay;
  /** Hears of the call, for a second opinion. */
  readonly witness?: BlockObserver | undefined;
};

/** More than any call needs: what is asked bounds the work. */
const SYSTEM_GAS = 1_000_000_000_000n;
/** GASLIMIT as such a call sees it: it is not part of the block's gas. */
const SYSTEM_BLOCK_GAS: bigint = 2n * SYSTEM_GAS;

const CALLER = addressBytes(SYSTEM_CALLER);

/** Calls a contract of the ledger's own. */
export async function systemCall(
  { host, block, state, witness }: SystemPlace,
  to: Uint8Array,
  data: Uint8Array,
): Promise<EvmOutcome> {
  const engine = await host.engine();
  const call = { from: CALLER, to, value: 0n, data, gasLimit: SYSTEM_GAS };
  const evmBlock = { ...host.block(state, block), gasLimit: SYSTEM_BLOCK_GAS };
  const gasPrice = evmBlock.baseFee;
  const watch = witness === undefined ? {} : { witness };
  const options = { keep: true, warm: true, gasPrice, ...watch };
  const outcome = await engine.call(state, evmBlock, call, options);
  witness?.ran({ kind: 'call', hash: EMPTY, block: evmBlock, call, outcome });
  if (outcome.status === 1) return outcome;
  const { error, returned } = outcome;
  throw new InvariantViolation(`a system call of 0x${toHex(to)}: ${error} 0x${toHex(returned)}`);
}

/** What the rules say. */
export type Decided = {
  readonly verdicts: readonly Verdict[];
  /** Logs of the actions, in order. */
  readonly logs: readonly EvmLog[];
};

/** Has the rules decide transactions, in order. */
export async function decide(place: SystemPlace, asked: readonly Asked[]): Promise<Decided> {
  const { returned, logs } = await systemCall(place, RULES, encodeDecide(asked));
  return { verdicts: decodeVerdicts(returned, asked.length), logs };
}
