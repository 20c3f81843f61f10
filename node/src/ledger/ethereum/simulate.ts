/**
 * Calls that readers ask for: run as a transaction would, on a copy, without a signature.
 *
 * Upholds: nothing stays. Nonce and kind of the sender are not checked, funds are; a call that
 * offers no fee runs in a block whose base fee is zero.
 * Spec: go-ethereum internal/ethapi (DoCall, DoEstimateGas, AccessList), eth/gasestimator.
 *
 * @module
 */
import { EMPTY, equalBytes } from '../../base/bytes.ts';
import { getAccount } from '../auth/accounts.ts';
import { contractKey } from '../evm/records.ts';
import type { EvmAccess, EvmBlock, EvmOutcome, EvmTracer, EvmTx } from '../evm/types.ts';
import { faultOf, intrinsicGas, MAX_INIT_CODE_BYTES, MAX_TX_GAS } from '../evm/validity.ts';
import type { RecordKey } from '../keys.ts';
import { type Base, Overlay } from '../overlay.ts';
import type { RecordCodec } from '../record.ts';
import type { CallAnswer, CallOutcome, CallRequest } from './call-request.ts';
import { withOverrides } from './call-state.ts';
import type { EthereumHost } from './host.ts';

/** Gas that the least transaction costs. */
const TX_GAS = 21_000n;
/** What a call that sends value leaves to its receiver. */
const CALL_STIPEND = 2_300n;
/** An estimate is at most this share too high: 15 in 1,000. */
const ESTIMATE_ERROR = 15n;
/** Rounds until an access list must be stable. */
const MAX_LIST_ROUNDS = 8;
const NO_LIMIT = 2n ** 63n;
/** What the engine calls the end of a run whose gas is used up. */
const OUT_OF_GAS = 'out of gas';

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** A call made ready. */
type Ready = {
  readonly host: EthereumHost;
  readonly base: Base;
  readonly block: EvmBlock;
  readonly tx: EvmTx;
};

function toOutcome({ status, gasUsed, returned, error }: EvmOutcome): CallOutcome {
  return { status, gasUsed, returned, error };
}

/** Makes a call ready. @param view - the state after `request.block.state` */
function prepare(host: EthereumHost, view: Base, request: CallRequest): Ready {
  const base = withOverrides(view, host.ports, request.overrides);
  const {
    blockOverride: other,
    maxFeePerGas,
    maxPriorityFeePerGas,
    overrides: _,
    ...call
  } = request;
  const own = host.block(new Overlay(view), request.block);
  const free = maxFeePerGas === 0n;
  const block: EvmBlock = {
    height: other.number ?? own.height,
    time: other.time ?? own.time,
    proposer: other.feeRecipient ?? own.proposer,
    baseFee: free ? 0n : (other.baseFee ?? own.baseFee),
    gasLimit: other.gasLimit ?? own.gasLimit,
    prevRandao: other.prevRandao ?? own.prevRandao,
    blockHash: own.blockHash,
  };
  const state = new Overlay(base);
  const account = getAccount(state, host.ports.resolve(state, request.from));
  // A call that pays nothing may have more gas than a transaction.
  const cap = free ? request.gasCap : least(request.gasCap, MAX_TX_GAS);
  const { authorizations, from, to, value, data, accessList } = call;
  const tx: EvmTx = {
    from,
    to,
    value,
    data,
    accessList,
    maxFeePerGas,
    maxPriorityFeePerGas,
    gasLimit: least(request.gas ?? cap, cap),
    // A run counts from the account's own nonce, whatever the caller said it would be.
    nonce: BigInt(account?.sequence ?? 0),
    ...(authorizations && { authorizations }),
  };
  return { host, base, block, tx };
}

/** Why the call may not run, in geth's words. Contracts may be senders here. */
function whyNot({ host, base, block, tx }: Ready): string | undefined {
  // Before the gas for it: no gas would be enough.
  const size = tx.to === undefined ? tx.data.length : 0;
  if (size > MAX_INIT_CODE_BYTES) {
    return `max initcode size exceeded: code size ${size} limit ${MAX_INIT_CODE_BYTES}`;
  }
  const overlay = new Overlay(base);
  const hidden = contractKey(host.ports.resolve(overlay, tx.from)).bytes;
  const state = {
    get: (key: Uint8Array) => (equalBytes(key, hidden) ? undefined : overlay.get(key)),
    read: <T>(key: RecordKey, codec: RecordCodec<T>) => overlay.read(key, codec),
  };
  const { baseFee } = block;
  const checked = { ...tx, gasLimit: least(tx.gasLimit, MAX_TX_GAS) };
  return faultOf(host.ports, state, { baseFee, gasLimit: NO_LIMIT }, checked, { nonce: 'any' })
    ?.text;
}

async function run(ready: Ready, tracer?: EvmTracer): Promise<EvmOutcome> {
  const engine = await ready.host.engine();
  return await engine.execute(new Overlay(ready.base), ready.block, ready.tx, tracer);
}

/** Runs a call: eth_call, debug_traceCall. */
export async function call(
  host: EthereumHost,
  view: Base,
  request: CallRequest,
  tracer?: EvmTracer,
): Promise<Extract<CallAnswer, { kind: 'call' | 'fault' }>> {
  const ready = prepare(host, view, request);
  const text = whyNot(ready);
  if (text !== undefined) return { kind: 'fault', text };
  return { kind: 'call', outcome: toOutcome(await run(ready, tracer)) };
}

/** The most gas that an estimate may find: what was asked, the block's, what can be paid. */
function highest(ready: Ready, request: CallRequest): bigint | string {
  const { host, base, tx, block } = ready;
  const asked = request.gas;
  let most = asked === undefined || asked < TX_GAS ? block.gasLimit : asked;
  if (tx.maxFeePerGas > 0n) {
    const state = new Overlay(base);
    const funds = host.ports.bank.balance(state, host.ports.resolve(state, tx.from));
    if (tx.value > funds) return 'insufficient funds for transfer';
    const payable = (funds - tx.value) / tx.maxFeePerGas;
    if (payable < most) most = payable;
  }
  return least(most, least(request.gasCap, MAX_TX_GAS));
}

/** Whether a run with this much gas succeeds; gas that is too little to start with does not. */
async function attemptWith(ready: Ready, gasLimit: bigint): Promise<EvmOutcome | string> {
  const attempt = { ...ready, tx: { ...ready.tx, gasLimit } };
  const text = whyNot(attempt);
  return text ?? (await run(attempt));
}

const succeeds = (outcome: EvmOutcome | string): boolean =>
  typeof outcome !== 'string' && outcome.status === 1;

/** Finds how much gas a call needs: eth_estimateGas. */
export async function estimate(
  host: EthereumHost,
  view: Base,
  request: CallRequest,
): Promise<CallAnswer> {
  const ready = prepare(host, view, request);
  const most = highest(ready, request);
  if (typeof most === 'string') return { kind: 'fault', text: most };
  const { to, data } = ready.tx;
  if (to !== undefined && data.length === 0 && most >= TX_GAS) {
    const state = new Overlay(ready.base);
    const plain = state.get(contractKey(host.ports.resolve(state, to)).bytes) === undefined;
    if (plain && succeeds(await attemptWith(ready, TX_GAS)))
      return { kind: 'estimate', gas: TX_GAS };
  }
  const first = await attemptWith(ready, most);
  if (typeof first === 'string') return { kind: 'fault', text: faultAt(first, most) };
  if (first.status === 0) {
    // A failure of another kind says more than that this gas was not enough.
    if (first.error !== OUT_OF_GAS) return { kind: 'call', outcome: toOutcome(first) };
    return { kind: 'fault', text: `gas required exceeds allowance (${most})` };
  }
  return { kind: 'estimate', gas: await narrow(ready, first.gasUsed, most) };
}

/** Too little gas to start with is a matter of the allowance; other reasons stand. */
function faultAt(text: string, most: bigint): string {
  const gas = text.startsWith('intrinsic gas too low') || text.startsWith('insufficient gas for');
  return gas ? `gas required exceeds allowance (${most})` : text;
}

/** Halves the range between too little and enough. */
async function narrow(ready: Ready, used: bigint, most: bigint): Promise<bigint> {
  let low = used - 1n;
  let high = most;
  const likely = ((used + CALL_STIPEND) * 64n) / 63n;
  if (likely < high) {
    if (succeeds(await attemptWith(ready, likely))) high = likely;
    else low = likely;
  }
  while (low + 1n < high) {
    if ((high - low) * 1_000n < high * ESTIMATE_ERROR) break;
    const middle = (high + low) / 2n;
    const next = middle > 2n * low ? 2n * low : middle;
    if (succeeds(await attemptWith(ready, next))) high = next;
    else low = next;
  }
  return high;
}

function sameList(a: readonly EvmAccess[], b: readonly EvmAccess[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ address, slots }, i) => {
      const other = b[i];
      return (
        other !== undefined &&
        equalBytes(address, other.address) &&
        slots.length === other.slots.length &&
        slots.every((slot, j) => equalBytes(slot, other.slots[j] ?? EMPTY))
      );
    })
  );
}

/** What a call touches: eth_createAccessList. */
export async function accessList(
  host: EthereumHost,
  view: Base,
  request: CallRequest,
): Promise<CallAnswer> {
  let ready = prepare(host, view, request);
  let list = ready.tx.accessList;
  const engine = await host.engine();
  for (let round = 0; round < MAX_LIST_ROUNDS; round++) {
    const text = whyNot(ready);
    if (text !== undefined) return { kind: 'fault', text };
    const gasLimit = ready.tx.gasLimit - intrinsicGas(ready.tx);
    let found: readonly EvmAccess[] = [];
    const options = {
      accessed: (accesses: readonly EvmAccess[]) => {
        found = accesses;
      },
    };
    const state = new Overlay(ready.base);
    await engine.call(state, ready.block, { ...ready.tx, gasLimit }, options);
    const stable = sameList(found, list);
    list = found;
    ready = { ...ready, tx: { ...ready.tx, accessList: list } };
    if (stable) break;
  }
  const outcome = toOutcome(await run(ready));
  return { kind: 'accessList', list, outcome };
}
