/**
 * Runs one transaction on an overlay: ante, then its messages, all or none.
 *
 * Upholds: a transaction that the ante refuses changes nothing; one whose message fails keeps fee,
 * sequence and public key, and nothing else. Every refusal carries a declared code.
 * Absent here: blocks (ledger.ts) and decoding (tx/decode.ts).
 *
 * @module
 */
import { EMPTY, equalBytes } from '../base/bytes.ts';
import { attempt, LedgerError } from '../base/errors.ts';
import type { AbciEvent, ExecTxResult } from '../types/results.ts';
import type { AccountId, Addresses } from './addresses.ts';
import type { Chain } from './chain.ts';
import { errors, refuse } from './errors.ts';
import { EventLog, indexed, shown, withMessageIndex } from './events.ts';
import { GasMeter } from './gas.ts';
import type { Block, Context, DecodedMessage } from './module.ts';
import type { Overlay } from './overlay.ts';
import { messageTypes } from './registry.ts';
import { type Mode, runAnte } from './tx/ante.ts';
import { type DecodedTx, decodeTx } from './tx/decode.ts';
import type { Signatures } from './tx/signatures.ts';
import { type Any, txMsgDataCodec } from './tx/wire.ts';

/** What transactions run on. */
export type Environment = {
  readonly chain: Chain;
  readonly addresses: Addresses;
  readonly signatures: Signatures;
  readonly block: Block;
  readonly state: Overlay;
};

const NO_EVENTS: readonly AbciEvent[] = [];

/** Decodes a transaction. @throws LedgerError by an SDK code */
export function decode(bytes: Uint8Array, addresses: Addresses): DecodedTx {
  return decodeTx(bytes, (url) => messageTypes.get(url), addresses);
}

/** The result of a refused transaction. */
export function refused(error: LedgerError, gasWanted: number, gasUsed: number): ExecTxResult {
  return {
    code: error.code,
    data: EMPTY,
    log: error.message,
    info: '',
    gasWanted,
    gasUsed,
    events: NO_EVENTS,
    codespace: error.space,
  };
}

/** A transaction that passed the ante and what it did there. */
type Admitted = { readonly gas: GasMeter; readonly events: EventLog };

function admit(env: Environment, tx: DecodedTx, mode: Mode): Admitted | ExecTxResult {
  const { maxBlockGas } = env.chain;
  const limit = mode === 'simulate' ? Number.MAX_SAFE_INTEGER : tx.gasLimit;
  const gas = new GasMeter(limit);
  const events = new EventLog();
  const mark = env.state.mark();
  const failure = attempt(() => {
    if (mode !== 'simulate') checkGasLimit(tx.gasLimit, maxBlockGas);
    const { block, state, addresses, signatures, chain } = env;
    const chainId = chain.chainId;
    runAnte({ mode, block, chainId, state, addresses, signatures, gas, emit: events.emit }, tx);
  });
  if (failure === undefined) return { gas, events };
  env.state.revert(mark);
  return refused(failure, tx.gasLimit, gas.used);
}

/** Runs the ante only, as CheckTx does. A code above 0 means that nothing was changed. */
export function checkTransaction(env: Environment, tx: DecodedTx): ExecTxResult {
  const admitted = admit(env, tx, 'check');
  if (!('gas' in admitted)) return admitted;
  return succeeded(tx, admitted, EMPTY);
}

/** What a transaction did; one that the ante refused did nothing. */
export type Outcome = { readonly admitted: boolean; readonly result: ExecTxResult };

/** Runs a transaction. */
export function runTransaction(env: Environment, tx: DecodedTx, mode: Mode): Outcome {
  const admitted = admit(env, tx, mode);
  if (!('gas' in admitted)) return { admitted: false, result: admitted };
  return { admitted: true, result: runMessages(env, tx, admitted) };
}

function runMessages(env: Environment, tx: DecodedTx, admitted: Admitted): ExecTxResult {
  const sequences = new Map(tx.signers.map((id, i) => [id, sequenceAt(tx, i)]));
  const { gas, events } = admitted;
  const mark = env.state.mark();
  const anteEvents = events.size;
  const responses: Any[] = [];
  for (const [index, message] of tx.messages.entries()) {
    const result = attempt(() => runMessage(env, message, index, gas, events, sequences));
    if (result instanceof LedgerError) {
      env.state.revert(mark);
      events.truncate(anteEvents);
      const text = `failed to execute message; message index: ${index}: ${result.message}`;
      return { ...refused(result, tx.gasLimit, gas.used), log: text, events: events.list() };
    }
    responses.push(result);
  }
  return succeeded(tx, admitted, txMsgDataCodec.encode({ msgResponses: responses }));
}

function runMessage(
  env: Environment,
  message: DecodedMessage,
  index: number,
  gas: GasMeter,
  events: EventLog,
  sequences: ReadonlyMap<AccountId, number>,
): Any {
  const emit = withMessageIndex(events.emit, index);
  emit('message', [
    indexed('action', message.typeUrl),
    indexed('sender', env.addresses.text(message.signers[0] as AccountId)),
    shown('module', message.module),
  ]);
  const context: Context = {
    block: env.block,
    state: env.state,
    gas,
    addresses: env.addresses,
    emit,
    messageIndex: index,
    sequenceOf: (signer) => sequenceOf(sequences, signer),
  };
  const value = message.execute(context);
  return { typeUrl: messageTypes.get(message.typeUrl)?.responseUrl ?? '', value };
}

function sequenceAt(tx: DecodedTx, index: number): number {
  return Number(tx.authInfo.signerInfos[index]?.sequence ?? 0n);
}

function sequenceOf(sequences: ReadonlyMap<AccountId, number>, signer: AccountId): number {
  for (const [id, sequence] of sequences) if (equalBytes(id, signer)) return sequence;
  return 0;
}

function succeeded(tx: DecodedTx, admitted: Admitted, data: Uint8Array): ExecTxResult {
  return {
    code: 0,
    data,
    log: '',
    info: '',
    gasWanted: tx.gasLimit,
    gasUsed: admitted.gas.used,
    events: admitted.events.list(),
    codespace: '',
  };
}

function checkGasLimit(limit: number, maxBlockGas: number): void {
  if (maxBlockGas === 0 || limit <= maxBlockGas) return;
  const reason = `tx gas limit ${limit} exceeds block max gas ${maxBlockGas}`;
  refuse(errors.InvalidGasLimit, reason);
}
