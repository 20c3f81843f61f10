/**
 * Calls: eth_call, estimateGas, createAccessList and traces, all run away from consensus.
 *
 * Upholds: gas of a call is capped, whatever it asks for; what ran too long, or found too many
 * before it, is refused.
 * Spec: go-ethereum internal/ethapi/api.go, eth/tracers (callTracer).
 *
 * @module
 */
import { LedgerError, present } from '../../base/errors.ts';
import type { Json, JsonObject } from '../json.ts';
import { readBlockOverride, readCall, readOverrides } from './call-args.ts';
import type { EthChain } from './chain.ts';
import { badParams, errors, fails } from './errors.ts';
import type { Methods } from './methods.ts';
import { type BlockRef, LATEST, type Params, readBlockRef } from './params.ts';
import type { EthAnswer, EthCall, EthCallTree, EthJob, EthTurn } from './ports.ts';
import { failureText, returnedBy, revertReason } from './revert.ts';
import { accessListJson } from './transactions.ts';
import { data, optional, quantity, readBool, readHash, readObject } from './values.ts';

/** Answers that carry a result. */
type Result = Exclude<EthAnswer, { readonly kind: 'notKept' | 'timedOut' | 'busy' | 'fault' }>;

/** Refuses the answers that are none. @throws LedgerError ethrpc/7 … 10 */
function resultOf(answer: EthAnswer): Result {
  switch (answer.kind) {
    case 'notKept':
      throw new LedgerError(errors.StateNotKept, { height: answer.height });
    case 'timedOut':
      throw new LedgerError(errors.TimedOut, { seconds: answer.seconds });
    case 'busy':
      throw new LedgerError(errors.Busy, { reason: answer.reason });
    case 'fault':
      return fails(answer.text);
    default:
      return answer;
  }
}

const KINDS: Readonly<Record<EthCallTree['kind'], string>> = {
  call: 'CALL',
  staticcall: 'STATICCALL',
  delegatecall: 'DELEGATECALL',
  callcode: 'CALLCODE',
  create: 'CREATE',
  create2: 'CREATE2',
};

type Tracing = { readonly onlyTopCall: boolean };

/** A call as callTracer shows it. */
function treeJson(tree: EthCallTree, tracing: Tracing): JsonObject {
  const { end, kind } = tree;
  const failed = end.error !== undefined;
  const to = tree.to ?? end.created;
  const reason = end.error === 'revert' ? revertReason(end.output) : undefined;
  const calls = tracing.onlyTopCall ? [] : tree.calls;
  return {
    from: data(tree.from),
    gas: quantity(tree.gas),
    gasUsed: quantity(end.gasUsed),
    to: to === undefined ? undefined : data(to),
    input: data(tree.input),
    output: end.output.length === 0 ? undefined : data(end.output),
    error: failed ? failureText(end.error) : undefined,
    revertReason: reason,
    calls: calls.length === 0 ? undefined : calls.map((call) => treeJson(call, tracing)),
    value: kind === 'staticcall' ? undefined : quantity(tree.value),
    type: KINDS[kind],
  };
}

function readTracing(value: unknown): Tracing {
  const { tracer, tracerConfig } = readObject(value, 'trace options');
  if (tracer !== 'callTracer')
    badParams('the options must name the tracer: {"tracer":"callTracer"}, the only one here');
  const config = optional(tracerConfig, 'tracerConfig', readObject) ?? {};
  if (optional(config['withLog'], 'withLog', readBool) === true) {
    badParams('withLog is not supported');
  }
  return { onlyTopCall: optional(config['onlyTopCall'], 'onlyTopCall', readBool) ?? false };
}

/** Runs calls for methods. */
export class EthCaller {
  readonly #chain: EthChain;
  readonly #gasCap: bigint;

  /** @param gasCap - the most gas of a call */
  constructor(chain: EthChain, gasCap: bigint) {
    this.#chain = chain;
    this.#gasCap = gasCap;
  }

  async #run(job: EthJob, turn: EthTurn): Promise<Result> {
    return resultOf(await this.#chain.ports.calls.run(job, turn));
  }

  async #request(args: Params, others: { readonly overrides: unknown; readonly block: unknown }) {
    const { chainId } = await this.#chain.params();
    const call = args.at(0, (value) => readCall(value, chainId));
    const ref: BlockRef = args.maybe(1, readBlockRef) ?? LATEST;
    const overrides = optional(others.overrides, 'state override', readOverrides) ?? [];
    const blockOverride = optional(others.block, 'block override', readBlockOverride) ?? {};
    const block = this.#chain.callBlock(ref);
    const request: EthCall = { ...call, block, overrides, blockOverride, gasCap: this.#gasCap };
    return request;
  }

  #ordinary(args: Params): Promise<EthCall> {
    return this.#request(args, {
      overrides: args.maybe(2, (value) => value),
      block: args.maybe(3, (value) => value),
    });
  }

  /** eth_call. */
  async call(args: Params, turn: EthTurn): Promise<Json> {
    const result = await this.#run({ kind: 'call', request: await this.#ordinary(args) }, turn);
    return result.kind === 'call' ? data(returnedBy(result.outcome)) : fails('no answer');
  }

  /** eth_estimateGas. */
  async estimate(args: Params, turn: EthTurn): Promise<Json> {
    const result = await this.#run({ kind: 'estimate', request: await this.#ordinary(args) }, turn);
    if (result.kind === 'estimate') return quantity(result.gas);
    if (result.kind === 'call') returnedBy(result.outcome);
    return fails('no answer');
  }

  /** eth_createAccessList. */
  async accessList(args: Params, turn: EthTurn): Promise<Json> {
    const request = await this.#ordinary(args);
    const result = await this.#run({ kind: 'accessList', request }, turn);
    if (result.kind !== 'accessList') return fails('no answer');
    const { error, gasUsed } = result.outcome;
    return {
      accessList: accessListJson(result.list),
      ...(error === undefined ? {} : { error: failureText(error) }),
      gasUsed: quantity(gasUsed),
    };
  }

  /** debug_traceCall. */
  async traceCall(args: Params, turn: EthTurn): Promise<Json> {
    const options = args.maybe(2, (value) => readObject(value, 'trace options')) ?? {};
    const tracing = readTracing(options);
    const request = await this.#request(args, {
      overrides: options['stateOverrides'],
      block: options['blockOverrides'],
    });
    return this.#tree(await this.#run({ kind: 'trace', request }, turn), tracing, request.gas);
  }

  /** debug_traceTransaction. */
  async traceTransaction(args: Params, turn: EthTurn): Promise<Json> {
    const hash = args.at(0, (value) => readHash(value, 'transaction hash'));
    const tracing = readTracing(args.maybe(1, (value) => value) ?? {});
    const receipt = await this.#chain.queries.receipt(hash);
    if (receipt === undefined) throw new LedgerError(errors.NoTransaction, {});
    const height = Number(receipt.height);
    const block = present(this.#chain.ports.chain.block(height), 'stored block');
    const { header, data: body } = block;
    const request = {
      height,
      time: header.time,
      proposer: header.proposerAddress,
      txs: body.txs.slice(0, receipt.blockIndex + 1),
    };
    const { gasLimit } = this.#chain.transaction(block, receipt);
    return this.#tree(await this.#run({ kind: 'replay', request }, turn), tracing, gasLimit);
  }

  /** The outermost call has the gas of the whole transaction, as in geth. */
  #tree(result: Result, tracing: Tracing, gas: bigint | undefined): Json {
    if (result.kind !== 'trace') return fails('no answer');
    const limit = gas ?? this.#gasCap;
    const { gasUsed } = result.outcome;
    return {
      ...treeJson(result.tree, tracing),
      gas: quantity(limit),
      gasUsed: quantity(gasUsed),
    };
  }
}

/** The methods that run code. */
export function callMethods(caller: EthCaller): Methods {
  return {
    eth_call: { most: 4, call: (args, turn) => caller.call(args, turn) },
    eth_estimateGas: { most: 4, call: (args, turn) => caller.estimate(args, turn) },
    eth_createAccessList: { most: 4, call: (args, turn) => caller.accessList(args, turn) },
    debug_traceCall: { most: 3, call: (args, turn) => caller.traceCall(args, turn) },
    debug_traceTransaction: { most: 2, call: (args, turn) => caller.traceTransaction(args, turn) },
  };
}
