/**
 * The Ethereum transactions of one block: checked, run, and what they did written down.
 *
 * Upholds: a transaction that may not run changes nothing and has no receipt; one that ran and
 * failed keeps fee and nonce. The base fee is burned and the tip paid by the engine. A block
 * without Ethereum transactions writes nothing here.
 * Absent here: the mempool's milder check (check-state.ts).
 *
 * @module
 */
import { EMPTY } from '../../base/bytes.ts';
import { LedgerError } from '../../base/errors.ts';
import type { Log } from '../../gen/metatron/evm/v1/state.ts';
import { MsgEthereumTxResponse } from '../../gen/metatron/evm/v1/tx.ts';
import { EMPTY_RESULT, type ExecTxResult, refused } from '../../types/results.ts';
import type { Addresses } from '../addresses.ts';
import { createAccount, getAccount, setAccount } from '../auth/accounts.ts';
import { resolve } from '../auth/aliases.ts';
import { BASE_DENOM } from '../denom.ts';
import { EventLog, indexed, shown } from '../events.ts';
import type { BlockObserver } from '../evm/second-opinion/port.ts';
import type { EvmBlock, EvmLog, EvmOutcome } from '../evm/types.ts';
import { faultOf } from '../evm/validity.ts';
import { hearAll } from '../memory/heard.ts';
import type { Block, Emit } from '../module.ts';
import type { Overlay } from '../overlay.ts';
import { ensureFeeCollector, FEE_COLLECTOR } from '../tx/fees.ts';
import { firstSight } from '../tx/first-sight.ts';
import type { Faces } from '../tx/key-tools.ts';
import { SECP256K1_URL } from '../tx/signer.ts';
import { anyCodec, pubKeyCodec, txMsgDataCodec } from '../tx/wire.ts';
import { type CarriedTx, hex0x } from './carrier.ts';
import { evmError, faultError, refuseEvm } from './errors.ts';
import { setFeeMarket } from './fee-market.ts';
import type { EthereumHost } from './host.ts';
import { addToBloom, emptyBloom, putReceipt, putSummary } from './receipts.ts';
import { revertText } from './revert.ts';
import { MSG_ETHEREUM_TX_RESPONSE_URL, MSG_ETHEREUM_TX_URL } from './wrapper.ts';

/** Most bytes of returned data that a result carries. */
const MAX_RETURNED = 65_536;

/** An event before it is in a log. */
type Emitted = Parameters<Emit>;

/** What a transaction of the block runs in. */
export type Place = {
  readonly host: EthereumHost;
  readonly block: Block;
  readonly state: Overlay;
  readonly addresses: Addresses;
  /** Hears of the transactions, for a second opinion. */
  readonly witness?: BlockObserver | undefined;
};

/** @throws LedgerError evm/5 unless the transaction is for this chain */
export function checkChainId(host: EthereumHost, { tx }: CarriedTx): void {
  if (tx.chainId === host.chainId) return;
  refuseEvm('WrongChain', `have ${tx.chainId} want ${host.chainId}`);
}

/** Whether a transaction may run, and what it did if so. */
export type Ran = { readonly admitted: boolean; readonly result: ExecTxResult };

/** The Ethereum transactions of a block, in order. */
export class EthereumRun {
  readonly #place: Place;
  readonly #bloom = emptyBloom();
  #evmBlock: EvmBlock | undefined;
  #count = 0;
  #gasUsed = 0;
  #logs = 0;

  constructor(place: Place) {
    this.#place = place;
  }

  /** How many ran. */
  get count(): number {
    return this.#count;
  }

  #block(): EvmBlock {
    const { host, state, block } = this.#place;
    this.#evmBlock ??= host.block(state, block);
    return this.#evmBlock;
  }

  /** Runs the next transaction. @param blockIndex - its place among all of the block */
  async run(carried: CarriedTx, blockIndex: number): Promise<Ran> {
    const { host, state, addresses } = this.#place;
    const block = this.#block();
    const mark = state.mark();
    try {
      checkChainId(host, carried);
      firstSight(state, carried.sender);
      const fault = faultOf(host.ports, state, block, carried.run);
      if (fault !== undefined) throw faultError(fault);
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      state.revert(mark);
      return { admitted: false, result: refusedTx(carried, thrown) };
    }
    keepKey(state, carried.sender);
    if (block.proposer === FEE_COLLECTOR) ensureFeeCollector(state);
    const engine = await host.engine();
    const { witness } = this.#place;
    const outcome = await engine.execute(state, block, carried.run, undefined, witness);
    const { hash } = carried.tx;
    witness?.ran({ kind: 'transaction', hash, block, call: carried.run, outcome });
    const heard = this.#hear(outcome);
    const receipt = this.#receipt(carried, outcome, blockIndex);
    putReceipt(state, receipt);
    addToBloom(this.#bloom, receipt.logs);
    this.#logs += receipt.logs.length;
    return { admitted: true, result: resultOf(carried, outcome, addresses, state, heard) };
  }

  /** Takes note of what contracts of the ledger's own logged. @returns events of it */
  #hear({ status, logs }: EvmOutcome): readonly Emitted[] {
    const heard: Emitted[] = [];
    if (status === 0) return heard;
    const { block, state } = this.#place;
    const emit = (...event: Emitted): void => {
      heard.push(event);
    };
    hearAll({ block, state, emit }, logs);
    return heard;
  }

  #receipt(
    { tx, sender }: CarriedTx,
    outcome: EvmOutcome,
    blockIndex: number,
  ): Parameters<typeof putReceipt>[1] {
    this.#gasUsed += Number(outcome.gasUsed);
    return {
      hash: tx.hash,
      height: BigInt(this.#place.block.height),
      index: this.#count++,
      blockIndex,
      type: tx.type,
      from: sender.address,
      to: tx.to ?? EMPTY,
      status: outcome.status,
      gasUsed: outcome.gasUsed,
      cumulativeGasUsed: BigInt(this.#gasUsed),
      effectiveGasPrice: String(outcome.gasPrice),
      created: outcome.created ?? EMPTY,
      logs: outcome.logs.map(wireLog),
      firstLogIndex: this.#logs,
      error: outcome.error ?? '',
    };
  }

  /** Notes what the block had; after its last transaction, once. */
  finish(): void {
    if (this.#count === 0) return;
    const { state, block } = this.#place;
    const { height } = block;
    const { baseFee } = this.#block();
    setFeeMarket(state, { height, baseFee, gasUsed: this.#gasUsed });
    putSummary(state, {
      height: BigInt(height),
      baseFee: String(baseFee),
      gasUsed: BigInt(this.#gasUsed),
      txCount: this.#count,
      logCount: this.#logs,
      bloom: this.#bloom,
    });
  }
}

/** The sender's account has the key from now on, as if it had signed on the other side. */
function keepKey(state: Overlay, { id, publicKey }: Faces): void {
  const account = getAccount(state, id) ?? createAccount(state, id);
  if (account.publicKey.length > 0) return;
  const value = pubKeyCodec.encode({ key: publicKey });
  const any = anyCodec.encode({ typeUrl: SECP256K1_URL, value });
  setAccount(state, id, { ...account, publicKey: any });
}

function wireLog({ address, topics, data }: EvmLog): Log {
  return { address, topics: [...topics], data };
}

/** The result of a transaction that may not run. */
export function refusedTx({ tx }: CarriedTx, error: LedgerError): ExecTxResult {
  return refused(error, Number(tx.gasLimit), 0);
}

function resultOf(
  carried: CarriedTx,
  outcome: EvmOutcome,
  addresses: Addresses,
  state: Overlay,
  heard: readonly Emitted[],
): ExecTxResult {
  const { tx } = carried;
  const failure = failureOf(outcome);
  const response = MsgEthereumTxResponse.encode({
    hash: tx.hash,
    gasUsed: outcome.gasUsed,
    returned: outcome.returned.slice(0, MAX_RETURNED),
    error: outcome.error ?? '',
    created: outcome.created ?? EMPTY,
    logs: outcome.logs.map(wireLog),
  }).finish();
  const any = { typeUrl: MSG_ETHEREUM_TX_RESPONSE_URL, value: response };
  const [gasWanted, gasUsed] = [Number(tx.gasLimit), Number(outcome.gasUsed)];
  const ran = { ...EMPTY_RESULT, gasWanted, gasUsed };
  return {
    ...(failure === undefined ? ran : refused(failure, gasWanted, gasUsed)),
    data: txMsgDataCodec.encode({ msgResponses: [any] }),
    events: eventsOf(carried, outcome, addresses, state, heard),
  };
}

/** Why a transaction that ran failed, if it did. */
function failureOf({ status, error, returned }: EvmOutcome): LedgerError | undefined {
  if (status === 1) return undefined;
  if (error === 'revert') return evmError('Reverted', revertText(returned));
  return evmError('Failed', error ?? 'failed');
}

function eventsOf(
  { tx, sender }: CarriedTx,
  outcome: EvmOutcome,
  addresses: Addresses,
  state: Overlay,
  heard: readonly Emitted[],
): ExecTxResult['events'] {
  const log = new EventLog();
  const from = addresses.text(sender.id);
  const fee = outcome.gasUsed * outcome.gasPrice;
  log.emit('tx', [shown('fee', fee === 0n ? '' : `${fee}${BASE_DENOM}`), shown('fee_payer', from)]);
  log.emit('tx', [indexed('acc_seq', `${from}/${tx.nonce}`)]);
  log.enter(0);
  log.emit('message', [
    indexed('action', MSG_ETHEREUM_TX_URL),
    indexed('sender', from),
    shown('module', 'evm'),
  ]);
  const to = tx.to === undefined ? outcome.created : tx.to;
  log.emit('ethereum_tx', [
    indexed('ethereumTxHash', hex0x(tx.hash)),
    indexed('from', hex0x(sender.address)),
    ...(tx.to === undefined ? [] : [indexed('recipient', hex0x(tx.to))]),
    ...(outcome.created === undefined ? [] : [indexed('created', hex0x(outcome.created))]),
    shown('amount', String(tx.value)),
    shown('txGasUsed', String(outcome.gasUsed)),
    ...(outcome.error === undefined ? [] : [shown('ethereumTxFailed', outcome.error)]),
  ]);
  if (outcome.status === 1 && tx.value > 0n && to !== undefined) {
    log.emit('transfer', [
      indexed('recipient', addresses.text(resolve(state, to))),
      indexed('sender', from),
      shown('amount', `${tx.value}${BASE_DENOM}`),
    ]);
  }
  for (const event of heard) log.emit(...event);
  return log.list();
}
