/**
 * The calls inside a transaction: of one that a reader makes up, or of one in a committed block.
 *
 * Upholds: a block is run again on the state before it exactly as it was run then, up to the
 * transaction that is asked for.
 *
 * @module
 */
import { invariant, present } from '../../base/errors.ts';
import { Addresses } from '../addresses.ts';
import { BlockRun } from '../block-run.ts';
import type { Chain } from '../chain.ts';
import type { EvmEngine, EvmFrame, EvmFrameEnd, EvmOutcome, EvmTracer } from '../evm/types.ts';
import { decode } from '../executor.ts';
import { type Base, Overlay } from '../overlay.ts';
import { DecodedTxs } from '../tx/decoded.ts';
import type { KeyTools } from '../tx/key-tools.ts';
import type { Signatures } from '../tx/signatures.ts';
import type { CallAnswer, CallRequest, CallTree, ReplayRequest } from './call-request.ts';
import { EthereumHost } from './host.ts';
import { call } from './simulate.ts';

/** Most calls of one transaction that are kept. */
const MAX_CALLS = 100_000;

/** Collects calls into a tree. */
class TreeTracer implements EvmTracer {
  root: CallTree | undefined;
  readonly #open: CallTree[] = [];
  #count = 0;

  enter(frame: EvmFrame): void {
    const end = { gasUsed: 0n, output: new Uint8Array(0), created: undefined, error: undefined };
    const tree: CallTree = { ...frame, end, calls: [] };
    if (this.#count++ < MAX_CALLS) this.#open.at(-1)?.calls.push(tree);
    this.root ??= tree;
    this.#open.push(tree);
  }

  leave(end: EvmFrameEnd): void {
    present(this.#open.pop(), 'open call').end = end;
  }
}

/** Runs a call and tells what it called: debug_traceCall. */
export async function traceCall(
  host: EthereumHost,
  view: Base,
  request: CallRequest,
): Promise<CallAnswer> {
  const tracer = new TreeTracer();
  const answer = await call(host, view, request, tracer);
  if (answer.kind === 'fault') return answer;
  return { kind: 'trace', tree: present(tracer.root, 'call'), outcome: answer.outcome };
}

/** What a block is run again with. */
export type ReplayParts = {
  readonly host: TracedHost;
  readonly chain: Chain;
  readonly keys: KeyTools;
  readonly signatures: Signatures;
  /** The state before the block. */
  readonly view: Base;
};

/** The EVM with a tracer for whatever it executes while there is one. */
export class TracedHost extends EthereumHost {
  tracer: EvmTracer | undefined;
  outcome: EvmOutcome | undefined;

  override async engine(): Promise<EvmEngine> {
    const engine = await super.engine();
    return {
      call: (state, block, made, options) => engine.call(state, block, made, options),
      createAt: (state, block, creation) => engine.createAt(state, block, creation),
      execute: async (state, block, tx, tracer = this.tracer) => {
        const outcome = await engine.execute(state, block, tx, tracer);
        this.outcome = outcome;
        return outcome;
      },
    };
  }
}

/** Runs a block again up to its last given transaction: debug_traceTransaction. */
export async function replay(parts: ReplayParts, request: ReplayRequest): Promise<CallAnswer> {
  const { host, chain, keys, signatures, view } = parts;
  const addresses = new Addresses(chain.prefix);
  const { height, time, proposer, txs } = request;
  const block = { height, time, proposer };
  const env = { chain, addresses, signatures, block, state: new Overlay(view), ethereum: host };
  const run = new BlockRun(env, new DecodedTxs((bytes) => decode(bytes, addresses, keys)));
  const tracer = new TreeTracer();
  host.outcome = undefined;
  try {
    for (const [at, tx] of txs.entries()) {
      if (at === txs.length - 1) host.tracer = tracer;
      const done = run.execute(tx);
      if (done !== undefined) await done;
    }
  } finally {
    host.tracer = undefined;
  }
  const { outcome } = host;
  invariant(outcome !== undefined, 'the transaction ran then and runs now');
  const { status, gasUsed, returned, error } = outcome;
  const tree = present(tracer.root, 'call');
  return { kind: 'trace', tree, outcome: { status, gasUsed, returned, error } };
}
