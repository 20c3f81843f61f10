/**
 * Runs one transaction on an overlay: ante, then its messages, all or none. One with messages that
 * the rules contract decides stops in between (`Undecided`) until its verdict is there.
 *
 * Upholds: a transaction that the ante refuses changes nothing; one whose message fails keeps fee,
 * sequence and public key, and nothing else. Every refusal carries a declared code.
 * Absent here: blocks (block-run.ts), decoding (tx/decode.ts), Ethereum transactions
 * (ethereum/run.ts).
 *
 * @module
 */
import { EMPTY, equalBytes } from '../base/bytes.ts';
import { invariant, LedgerError } from '../base/errors.ts';
import { EMPTY_RESULT, type ExecTxResult, refused } from '../types/results.ts';
import type { AccountId, Addresses } from './addresses.ts';
import { getAccount } from './auth/accounts.ts';
import type { Chain } from './chain.ts';
import { errors, refuse } from './errors.ts';
import type { EthereumHost } from './ethereum/host.ts';
import { EventLog, indexed, shown } from './events.ts';
import type { BlockObserver } from './evm/second-opinion/port.ts';
import { GasMeter, POLICY_GAS_WEIGHT } from './gas.ts';
import { type Block, type Context, type DecodedMessage, type Emit, isRuled } from './module.ts';
import type { Overlay } from './overlay.ts';
import { messageTypes } from './registry.ts';
import type { Asked, Verdict } from './rules/call.ts';
import { refusalOf } from './rules/errors.ts';
import { Allowed, Question } from './rules/question.ts';
import { type Decided, decide } from './rules/system.ts';
import { type Mode, runAnte } from './tx/ante.ts';
import { type DecodedTx, decodeTx } from './tx/decode.ts';
import type { KeyTools } from './tx/key-tools.ts';
import type { Signatures, SignerKey } from './tx/signatures.ts';
import { readKey } from './tx/signer.ts';
import { type Any, anyCodec, txMsgDataCodec } from './tx/wire.ts';

/** What transactions run on. */
export type Environment = {
  readonly chain: Chain;
  readonly addresses: Addresses;
  readonly signatures: Signatures;
  readonly block: Block;
  readonly state: Overlay;
  readonly ethereum: EthereumHost;
  /** Whether a second opinion is to be told of the block. */
  readonly isWatched?: boolean;
  /** Hears of what the rules contract is asked, if so. */
  readonly witness?: BlockObserver | undefined;
};

/** Decodes a transaction. @throws LedgerError by an SDK code */
export function decode(bytes: Uint8Array, addresses: Addresses, keys: KeyTools): DecodedTx {
  return decodeTx(bytes, (url) => messageTypes.get(url), addresses, keys);
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
  return { ...EMPTY_RESULT, gasWanted: tx.gasLimit };
}

/** Runs the ante only, as CheckTx does. A code above 0 means that nothing was changed. */
export function checkTransaction(env: Environment, tx: DecodedTx): ExecTxResult {
  const gas = new GasMeter(tx.gasLimit);
  const refusal = admit(env, tx, 'check', gas, unseen);
  return refusal ?? { ...EMPTY_RESULT, gasWanted: tx.gasLimit, gasUsed: gas.used };
}

/** What a transaction did; one that the ante refused did nothing. */
export type Outcome = { readonly admitted: boolean; readonly result: ExecTxResult };

/**
 * Runs a transaction; one with messages that the rules contract decides up to the point where it
 * is to be asked. What waits has written nothing since the ante.
 */
export function startTransaction(env: Environment, tx: DecodedTx, mode: Mode): Outcome | Undecided {
  const gas = new GasMeter(mode === 'simulate' ? Number.MAX_SAFE_INTEGER : tx.gasLimit);
  const events = new EventLog();
  const refusal = admit(env, tx, mode, gas, events.emit);
  if (refusal !== undefined) return { admitted: false, result: refusal };
  const run = new MessageRun(env, tx, gas, events);
  if (!tx.messages.some(isRuled)) return { admitted: true, result: run.execute(NO_LOGS) };
  const undecided = new Undecided(env, tx, gas, run);
  const failed = undecided.plan();
  return failed === undefined ? undecided : { admitted: true, result: failed };
}

/** Runs a transaction to its end, the rules asked about it alone. */
export async function runTransaction(
  env: Environment,
  tx: DecodedTx,
  mode: Mode,
): Promise<Outcome> {
  const started = startTransaction(env, tx, mode);
  if (!(started instanceof Undecided)) return started;
  return { admitted: true, result: await runAlone(env, started) };
}

/** Has the rules decide one transaction, and completes it. */
export async function runAlone(env: Environment, undecided: Undecided): Promise<ExecTxResult> {
  const { state, block, ethereum: host, witness } = env;
  const mark = state.mark();
  const { verdicts, logs } = await decide({ host, block, state, witness }, [undecided.asked]);
  const result = undecided.complete(verdicts[0] as Verdict, logs);
  if (result.code !== 0) {
    state.revert(mark);
    witness?.takenBack();
  }
  return result;
}

const NO_LOGS: Decided['logs'] = [];

/** A transaction whose messages wait for the verdict of the rules contract. */
export class Undecided {
  readonly tx: DecodedTx;
  readonly question: Question;
  readonly #gas: GasMeter;
  readonly #run: MessageRun;
  #asked: Asked | undefined;

  constructor(env: Environment, tx: DecodedTx, gas: GasMeter, run: MessageRun) {
    this.tx = tx;
    this.#gas = gas;
    this.#run = run;
    this.question = new Question((id) => evmAddress(env, tx, id));
  }

  /** Whether it has other messages too: those may fail though what the rules decide is allowed. */
  get isMixed(): boolean {
    return !this.tx.messages.every(isRuled);
  }

  /** What the rules are asked. */
  get asked(): Asked {
    const left = Math.max(0, this.#gas.limit - this.#gas.used);
    const policyGas = Math.floor(left / POLICY_GAS_WEIGHT);
    this.#asked ??= this.question.asked(policyGas, this.tx.signers);
    return this.#asked;
  }

  /** Prepares all messages that the rules decide. @returns the result if one is refused */
  plan(): ExecTxResult | undefined {
    return this.#run.plan(this.question);
  }

  /** Carries the verdict out. @param logs - of the transaction's actions */
  complete({ policyGas, reason }: Verdict, logs: Decided['logs']): ExecTxResult {
    this.#gas.charge(policyGas * POLICY_GAS_WEIGHT, 'policy');
    if (reason !== undefined) return this.#run.refuse(refusalOf(reason));
    const result = this.#run.execute(logs);
    invariant(result.code === 0 || this.isMixed, 'what the rules allow is carried out');
    return result;
  }
}

/** An account as the EVM knows it: by its key, if it has one of its own. */
function evmAddress({ state, ethereum }: Environment, tx: DecodedTx, id: AccountId): Uint8Array {
  const place = tx.signers.findIndex((signer) => equalBytes(signer, id));
  const key = tx.signed[place]?.key ?? storedKey(state, id);
  if (key === undefined || key.threshold > 0) return id;
  const [publicKey] = key.keys;
  return (publicKey && ethereum.faces(publicKey)?.address) ?? id;
}

function storedKey(state: Overlay, id: AccountId): SignerKey | undefined {
  const { publicKey = EMPTY } = getAccount(state, id) ?? {};
  return publicKey.length === 0 ? undefined : readKey(anyCodec.decode(publicKey));
}

/** The messages of one transaction, after its ante. */
class MessageRun {
  readonly #env: Environment;
  readonly #tx: DecodedTx;
  readonly #gas: GasMeter;
  readonly #events: EventLog;
  readonly #anteEvents: number;
  readonly #context: MessageContext;

  constructor(env: Environment, tx: DecodedTx, gas: GasMeter, events: EventLog) {
    this.#env = env;
    this.#tx = tx;
    this.#gas = gas;
    this.#events = events;
    this.#anteEvents = events.size;
    this.#context = new MessageContext(env, tx, gas, events.emit);
  }

  /** @returns the result if a message is refused */
  plan(question: Question): ExecTxResult | undefined {
    for (const [index, message] of this.#tx.messages.entries()) {
      if (!isRuled(message)) continue;
      try {
        message.plan(this.#context, question);
      } catch (thrown) {
        if (!(thrown instanceof LedgerError)) throw thrown;
        return this.#failed(thrown, `; message index: ${index}`);
      }
    }
    return undefined;
  }

  /** Runs all messages in order, or none. @param logs - of what the rules did */
  execute(logs: Decided['logs']): ExecTxResult {
    const { state } = this.#env;
    const mark = state.mark();
    const responses: Any[] = [];
    const allowed = new Allowed(logs);
    for (const [index, message] of this.#tx.messages.entries()) {
      try {
        responses.push(runMessage(this.#context, message, index, this.#events, allowed));
      } catch (thrown) {
        if (!(thrown instanceof LedgerError)) throw thrown;
        state.revert(mark);
        return this.#failed(thrown, `; message index: ${index}`);
      }
    }
    const data = txMsgDataCodec.borrow({ msgResponses: responses }, state.keep);
    const events = this.#events.list();
    const [gasWanted, gasUsed] = [this.#tx.gasLimit, this.#gas.used];
    return { ...EMPTY_RESULT, data, gasWanted, gasUsed, events };
  }

  /** The result of what the rules refuse. */
  refuse(refusal: LedgerError): ExecTxResult {
    return this.#failed(refusal, '');
  }

  #failed(thrown: LedgerError, place: string): ExecTxResult {
    this.#events.truncate(this.#anteEvents);
    return {
      ...refused(thrown, this.#tx.gasLimit, this.#gas.used),
      log: `failed to execute message${place}: ${thrown.message}`,
      events: this.#events.list(),
    };
  }
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
  allowed: Allowed,
): Any {
  events.enter(index);
  context.messageIndex = index;
  context.emit('message', [
    indexed('action', message.typeUrl),
    indexed('sender', context.addresses.text(message.signers[0] as AccountId)),
    shown('module', message.module),
  ]);
  const value = isRuled(message) ? message.apply(context, allowed) : message.execute(context);
  return { typeUrl: message.responseUrl, value };
}

function checkGasLimit(limit: number, maxBlockGas: number): void {
  if (maxBlockGas === 0 || limit <= maxBlockGas) return;
  const reason = `tx gas limit ${limit} exceeds block max gas ${maxBlockGas}`;
  refuse(errors.InvalidGasLimit, reason);
}
