/**
 * Asking the ledger's contracts: calls of its system caller, inside a block.
 *
 * Upholds: nobody pays for such a call, and every account and slot is warm in it, so what a policy
 * uses does not depend on what else is asked. A call that fails is a defect of this program.
 * Spec: docs/contracts.md.
 *
 * @module
 */
import { toHex } from '../../base/bytes.ts';
import { InvariantViolation } from '../../base/errors.ts';
import { SYSTEM_CALLER } from '../../gen/contracts/system.ts';
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
};

/** More than any call needs: what is asked bounds the work. */
const SYSTEM_GAS = 1_000_000_000_000n;

const CALLER = addressBytes(SYSTEM_CALLER);

/** Calls a contract of the ledger's own. */
export async function systemCall(
  { host, block, state }: SystemPlace,
  to: Uint8Array,
  data: Uint8Array,
): Promise<EvmOutcome> {
  const engine = await host.engine();
  const call = { from: CALLER, to, value: 0n, data, gasLimit: SYSTEM_GAS };
  const outcome = await engine.call(state, host.block(state, block), call, {
    keep: true,
    warm: true,
  });
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
