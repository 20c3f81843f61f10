/**
 * The ledger as an ABCI application: accounts, coins and memory over a state store.
 *
 * Upholds: `finalizeBlock` depends on the block and the state alone; the state changes at `commit`
 * only; a block without transactions leaves the app hash as it is (but for the first block, which
 * carries genesis). Proposals made here pass `processProposal` on every correct node.
 * Absent here: what messages do (modules), storage (a port), elliptic curves (a function).
 *
 * @module
 */
import type {
  Application,
  BlockContext,
  CheckTxRequest,
  CheckTxResponse,
  CommitResponse,
  FinalizeBlockRequest,
  Info,
  InitChainRequest,
  InitChainResponse,
  PrepareProposalRequest,
  ProcessProposalRequest,
  QueryRequest,
  QueryResponse,
} from '../abci/application.ts';
import { LedgerError, present } from '../base/errors.ts';
import { type Logger, SILENT } from '../base/logger.ts';
import type { AbciEvent, ExecTxResult, FinalizeBlockResponse } from '../types/results.ts';
import { Addresses } from './addresses.ts';
import { type Chain, getChain, setChain } from './chain.ts';
import { CheckState } from './check-state.ts';
import { checkTransaction, decode, type Environment, refused, runTransaction } from './executor.ts';
import { parseAppState, prefixOf } from './genesis.ts';
import { type Base, Overlay } from './overlay.ts';
import { checkFloor, type GasPrice, parsePrices, priorityOf } from './price.ts';
import { answerQuery } from './query.ts';
import { messageTypes, modules } from './registry.ts';
import type { RecordChange, StateStore } from './store.ts';
import type { DecodedTx } from './tx/decode.ts';
import type { TxLookup } from './tx/service.ts';
import { Signatures, type VerifySecp256k1 } from './tx/signatures.ts';

/** What the ledger is made of. */
export type LedgerOptions = {
  readonly store: StateStore;
  readonly verifySecp256k1: VerifySecp256k1;
  /** Least price of gas for this node's mempool, such as `0.025aphi`; empty is none. */
  readonly minGasPrices?: string;
  /** Finds committed transactions, for cosmos.tx.v1beta1.Service/GetTx. */
  readonly findTx?: TxLookup;
  readonly logger?: Logger;
  readonly version?: string;
};

/** Version of the ledger's rules. */
export const APP_VERSION = 1;

const NO_EVENTS: readonly AbciEvent[] = [];

type Running = { readonly chain: Chain; readonly addresses: Addresses };

/** The application. One per node. */
export class Ledger implements Application {
  readonly #store: StateStore;
  readonly #signatures: Signatures;
  readonly #floor: readonly GasPrice[];
  readonly #logger: Logger;
  readonly #version: string;
  readonly #findTx: TxLookup | undefined;
  /** Genesis, until the first block carries it into the store. */
  #genesis: Overlay | undefined;
  #running: Running | undefined;
  #check: CheckState;
  #finalized: { readonly height: number; readonly changes: readonly RecordChange[] } | undefined;
  #lastBlock: Environment['block'] | undefined;

  constructor(options: LedgerOptions) {
    this.#store = options.store;
    this.#signatures = new Signatures(options.verifySecp256k1);
    this.#floor = parsePrices(options.minGasPrices ?? '');
    this.#logger = options.logger ?? SILENT;
    this.#version = options.version ?? '';
    this.#findTx = options.findTx;
    this.#check = new CheckState(this.#store);
  }

  /** @inheritDoc */
  info(): Promise<Info> {
    return Promise.resolve({
      data: 'metatron-ledger',
      version: this.#version,
      appVersion: APP_VERSION,
      lastHeight: this.#store.height,
      lastAppHash: this.#store.appHash,
    });
  }

  /** @inheritDoc @throws LedgerError genesis/1 if app_state is malformed */
  initChain(request: InitChainRequest): Promise<InitChainResponse> {
    const state = new Overlay(this.#store);
    const appState = parseAppState(request.appState);
    const { maxGas } = request.params.block;
    const chain: Chain = {
      chainId: request.chainId,
      prefix: prefixOf(appState),
      maxBlockGas: Math.max(maxGas, 0),
      initialHeight: request.initialHeight,
    };
    setChain(state, chain);
    const addresses = new Addresses(chain.prefix);
    const ignored = (what: string): void =>
      this.#logger.warn('a part of the genesis has no effect on this ledger', { part: what });
    const height = request.initialHeight;
    for (const module of modules) {
      module.genesis?.({ state, addresses, height, ignored }, appState[module.name]);
    }
    const known = new Set(['metatron', ...modules.map((module) => module.name)]);
    for (const name of Object.keys(appState)) if (!known.has(name)) ignored(name);
    this.#genesis = state;
    this.#running = { chain, addresses };
    this.#check = new CheckState(state);
    // The state before the first block is empty: its hash stands in the first header.
    return Promise.resolve({ params: undefined, validators: [], appHash: this.#store.appHash });
  }

  /** What genesis fixed; read from the store after a restart. */
  #chain(): Running {
    if (this.#running !== undefined) return this.#running;
    const chain = present(getChain(this.#store), 'record of the chain; initChain comes first');
    this.#running = { chain, addresses: new Addresses(chain.prefix) };
    return this.#running;
  }

  /** The state that the next block is executed on. */
  #base(): Base {
    return this.#genesis ?? this.#store;
  }

  #env(block: Environment['block'], state: Overlay): Environment {
    return { ...this.#chain(), signatures: this.#signatures, block, state };
  }

  /** The block that would come next, as far as it is known. */
  #nextBlock(): Environment['block'] {
    const { height, time } = this.#lastBlock ?? { height: this.#store.height, time: 0n };
    return { height: height + 1, time };
  }

  /** @inheritDoc */
  checkTx({ tx, kind }: CheckTxRequest): CheckTxResponse {
    const { addresses } = this.#chain();
    const decoded = attempt(() => {
      const decoded = decode(tx, addresses);
      checkFloor(this.#floor, decoded.fee, decoded.gasLimit);
      return decoded;
    });
    if (decoded instanceof LedgerError)
      return toCheck(refused(decoded, 0, 0), undefined, addresses);
    const env = { ...this.#chain(), signatures: this.#signatures, block: this.#nextBlock() };
    return toCheck(this.#check.check(env, decoded, kind), decoded, addresses);
  }

  /** @inheritDoc */
  prepareProposal(request: PrepareProposalRequest): Promise<readonly Uint8Array[]> {
    const picked: Uint8Array[] = [];
    let bytes = 0;
    const admit = this.#admission(request);
    for (const tx of request.txs) {
      const size = bytesInBlock(tx);
      if (bytes + size > request.maxTxBytes || !admit(tx)) continue;
      bytes += size;
      picked.push(tx);
    }
    return Promise.resolve(picked);
  }

  /** @inheritDoc */
  processProposal(request: ProcessProposalRequest): Promise<boolean> {
    return Promise.resolve(request.txs.every(this.#admission(request)));
  }

  /** Whether transactions may stand in one block, asked one after the other. */
  #admission({ height, time }: BlockContext): (tx: Uint8Array) => boolean {
    const env = this.#env({ height, time }, new Overlay(this.#base()));
    let gas = 0;
    return (bytes) => {
      const tx = attempt(() => decode(bytes, env.addresses));
      if (tx instanceof LedgerError) return false;
      if (env.chain.maxBlockGas > 0 && gas + tx.gasLimit > env.chain.maxBlockGas) return false;
      if (checkTransaction(env, tx).code !== 0) return false;
      gas += tx.gasLimit;
      return true;
    };
  }

  /** @inheritDoc */
  finalizeBlock(request: FinalizeBlockRequest): Promise<FinalizeBlockResponse> {
    const { height, time, txs } = request;
    // Executed again before its commit: the store must not show the attempt before.
    if (this.#finalized !== undefined) this.#store.finalize(height, []);
    const state = this.#genesis?.copy() ?? new Overlay(this.#store);
    const env = this.#env({ height, time }, state);
    const txResults = txs.map((bytes) => execute(env, bytes));
    for (const { log, leaves } of state.logs()) {
      const head = this.#store.appendLog(log, leaves);
      for (const module of modules) module.sealLog?.(state, log, head);
    }
    for (const [key, value] of state.rows()) this.#store.putRow(key, value);
    const changes = state.changes();
    const appHash = this.#store.finalize(height, changes);
    this.#finalized = { height, changes };
    this.#lastBlock = { height, time };
    return Promise.resolve({
      events: NO_EVENTS,
      txResults,
      validatorUpdates: [],
      paramUpdates: undefined,
      appHash,
    });
  }

  /** @inheritDoc */
  commit(): Promise<CommitResponse> {
    const { changes } = present(this.#finalized, 'finalized block');
    this.#store.commit();
    this.#finalized = undefined;
    if (this.#genesis === undefined) this.#check.committed(changes.map(([key]) => key));
    else this.#check = new CheckState(this.#store);
    this.#genesis = undefined;
    return Promise.resolve({ retainHeight: 0 });
  }

  /** @inheritDoc */
  query(request: QueryRequest): Promise<QueryResponse> {
    const running = this.#running ?? (this.#store.height > 0 ? this.#chain() : undefined);
    return answerQuery(request, {
      store: this.#store,
      running,
      version: this.#version,
      findTx: this.#findTx,
      findMessage: (url) => messageTypes.get(url),
      simulate: (tx) => this.#simulate(tx),
    });
  }

  #simulate(bytes: Uint8Array): ExecTxResult {
    const env = this.#env(this.#nextBlock(), new Overlay(this.#base()));
    return runTransaction(env, decode(bytes, env.addresses), 'simulate');
  }
}

/** Runs `work`; its refusal is returned, anything else it throws is a defect and goes on. */
function attempt<T>(work: () => T): T | LedgerError {
  try {
    return work();
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
}

function execute(env: Environment, bytes: Uint8Array): ExecTxResult {
  const tx = attempt(() => decode(bytes, env.addresses));
  return tx instanceof LedgerError ? refused(tx, 0, 0) : runTransaction(env, tx, 'execute');
}

function toCheck(
  result: ExecTxResult,
  tx: DecodedTx | undefined,
  addresses: Addresses,
): CheckTxResponse {
  const sender = tx?.signers[0];
  return {
    ...result,
    events: NO_EVENTS,
    sender: sender && addresses.text(sender),
    sequence: tx && Number(tx.authInfo.signerInfos[0]?.sequence ?? 0n),
    priority: tx === undefined ? 0 : priorityOf(tx.fee, tx.gasLimit),
  };
}

/** Bytes a transaction takes in a block: its own, a tag and a length. */
function bytesInBlock(tx: Uint8Array): number {
  let framing = 2;
  for (let n = tx.length; n > 0x7f; n = Math.floor(n / 128)) framing++;
  return tx.length + framing;
}
