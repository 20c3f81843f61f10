/**
 * Runs one transaction on an overlay: ante, then its messages, all or none.
 *
 * Upholds: a transaction that the ante refuses changes nothing; one whose message fails keeps fee,
 * sequence and public key, and nothing else. Every refusal carries a declared code.
 * Absent here: blocks (block-run.ts), decoding (tx/decode.ts), Ethereum transactions
 * (ethereum/run.ts).
 *
 * @module
 */
import { EMPTY, equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { AbciEvent, ExecTxResult } from '../types/results.ts';
import type { AccountId, Addresses } from './addresses.ts';
import type { Chain } from './chain.ts';
import { errors, refuse } from './errors.ts';
import type { EthereumHost } from './ethereum/host.ts';
import { EventLog, indexed, shown } from './events.ts';
import { GasMeter } from './gas.ts';
import type { Block, Context, DecodedMessage, Emit } from './module.ts';
import type { Overlay } from './overlay.ts';
import { messageTypes } from './registry.ts';
import { type Mode, runAnte } from './tx/ante.ts';
import { type DecodedTx, decodeTx } from './tx/decode.ts';
import type { KeyTools } from './tx/key-tools.ts';
import type { Signatures } from './tx/signatures.ts';
import { type Any, txMsgDataCodec } from './tx/wire.ts';

/** What transactions run on. */
export type Environment = {
  readonly chain: Chain;
  readonly addresses: Addresses;
  readonly signatures: Signatures;
  readonly block: Block;
  readonly state: Overlay;
  readonly ethereum: EthereumHost;
};

const NO_EVENTS: readonly AbciEvent[] = [];

/** Decodes a transaction. @throws LedgerError by an SDK code */
export function decode(bytes: Uint8Array, addresses: Addresses, keys: KeyTools): DecodedTx {
  return decodeTx(bytes, (url) => messageTypes.get(url), addresses, keys);
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

/** Runs the ante. @returns the refusal, after which nothing is changed */
function admit(
  env: Environment,
  tx: DecodedTx,
  mode: Mode,
  gas: GasMeter,
  emit: Emit,
): ExecTxResult | undefined {
  const mark = env.state.mark();
  try {
    if (mode !== 'simulate') checkGasLimit(tx.gasLimit, env.chain.maxBlockGas);
    const { block, state, addresses, signatures, chain } = env;
    const { chainId } = chain;
    const { faces } = env.ethereum;
    runAnte({ mode, block, chainId, state, addresses, signatures, faces, gas, emit }, tx);
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof LedgerError)) throw thrown;
    env.state.revert(mark);
    return refused(thrown, tx.gasLimit, gas.used);
  }
}

const unseen: Emit = () => undefined;

/** The result of a check that passed. */
export function passed(tx: DecodedTx): ExecTxResult {
  return succeeded(tx, new GasMeter(tx.gasLimit), NO_EVENTS, EMPTY);
}

/** Runs the ante only, as CheckTx does. A code above 0 means that nothing was changed. */
export function checkTransaction(env: Environment, tx: DecodedTx): ExecTxResult {
  const gas = new GasMeter(tx.gasLimit);
  return admit(env, tx, 'check', gas, unseen) ?? succeeded(tx, gas, NO_EVENTS, EMPTY);
}

/** What a transaction did; one that the ante refused did nothing. */
export type Outcome = { readonly admitted: boolean; readonly result: ExecTxResult };

/** Runs a transaction. */
export function runTransaction(env: Environment, tx: DecodedTx, mode: Mode): Outcome {
  const gas = new GasMeter(mode === 'simulate' ? Number.MAX_SAFE_INTEGER : tx.gasLimit);
  const events = new EventLog();
  const refusal = admit(env, tx, mode, gas, events.emit);
  if (refusal !== undefined) return { admitted: false, result: refusal };
  return { admitted: true, result: runMessages(env, tx, gas, events) };
}

function runMessages(
  env: Environment,
  tx: DecodedTx,
  gas: GasMeter,
  events: EventLog,
): ExecTxResult {
  const mark = env.state.mark();
  const anteEvents = events.size;
  const context = new MessageContext(env, tx, gas, events.emit);
  const responses: Any[] = [];
  for (const [index, message] of tx.messages.entries()) {
    try {
      responses.push(runMessage(context, message, index, events));
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      env.state.revert(mark);
      events.truncate(anteEvents);
      const text = `failed to execute message; message index: ${index}: ${thrown.message}`;
      return { ...refused(thrown, tx.gasLimit, gas.used), log: text, events: events.list() };
    }
  }
  const data = txMsgDataCodec.borrow({ msgResponses: responses }, env.state.keep);
  return succeeded(tx, gas, events.list(), data);
}

/** The context of one transaction's messages, one after the other. */
class MessageContext implements Context {
  readonly block: Block;
  readonly state: Overlay;
  readonly gas: GasMeter;
  readonly addresses: Addresses;
  readonly emit: Emit;
  messageIndex = 0;
  readonly #tx: DecodedTx;

  constructor(env: Environment, tx: DecodedTx, gas: GasMeter, emit: Emit) {
    this.block = env.block;
    this.state = env.state;
    this.gas = gas;
    this.addresses = env.addresses;
    this.emit = emit;
    this.#tx = tx;
  }

  sequenceOf(signer: AccountId): number {
    const { signers, sequences } = this.#tx;
    const index = signers.findIndex((id) => equalBytes(id, signer));
    return sequences[index] ?? 0;
  }
}

function runMessage(
  context: MessageContext,
  message: DecodedMessage,
  index: number,
  events: EventLog,
): Any {
  events.enter(index);
  context.messageIndex = index;
  context.emit('message', [
    indexed('action', message.typeUrl),
    indexed('sender', context.addresses.text(message.signers[0] as AccountId)),
    shown('module', message.module),
  ]);
  return { typeUrl: message.responseUrl, value: message.execute(context) };
}

function succeeded(
  tx: DecodedTx,
  gas: GasMeter,
  events: readonly AbciEvent[],
  data: Uint8Array,
): ExecTxResult {
  return {
    code: 0,
    data,
    log: '',
    info: '',
    gasWanted: tx.gasLimit,
    gasUsed: gas.used,
    events,
    codespace: '',
  };
}

function checkGasLimit(limit: number, maxBlockGas: number): void {
  if (maxBlockGas === 0 || limit <= maxBlockGas) return;
  const reason = `tx gas limit ${limit} exceeds block max gas ${maxBlockGas}`;
  refuse(errors.InvalidGasLimit, reason);
}
