/**
 * The state that CheckTx sees: the committed one, less what pending transactions will take.
 *
 * Of each sender it keeps the next sequence and the fees promised by transactions that passed; all
 * else is read from the committed state. So nothing is to be checked again after a block but the
 * first pending transaction of a sender, which is checked on the committed state alone.
 * Upholds: transactions that follow each other in sequence pass before the first is in a block. A
 * sequence that is pending already passes too, because only the mempool knows whether the pending
 * one is still there; the mempool keeps one transaction per sequence. A recheck that fails forgets
 * its signers' pending transactions: those that stay are checked anew, in order.
 *
 * @module
 */
import { EMPTY, equalBytes } from '../base/bytes.ts';
import { attempt, LedgerError } from '../base/errors.ts';
import type { ExecTxResult } from '../types/results.ts';
import type { AccountId } from './addresses.ts';
import { type Account, accountCodec, accountKey, getAccount, setAccount } from './auth/accounts.ts';
import { getBalance, setBalance } from './bank/balances.ts';
import { BASE_DENOM } from './denom.ts';
import type { CarriedTx } from './ethereum/carrier.ts';
import { faultError, refuseEvm } from './ethereum/errors.ts';
import { checkChainId, refusedTx } from './ethereum/run.ts';
import type { EthereumTx } from './ethereum/transaction.ts';
import { checksumAddress, faultOf } from './evm/validity.ts';
import { checkTransaction, type Environment, passed } from './executor.ts';
import { KEY, named, type RecordKey } from './keys.ts';
import { type Base, Overlay } from './overlay.ts';
import { priorityOf } from './price.ts';
import { Promises } from './promises.ts';
import type { DecodedTx } from './tx/decode.ts';
import { firstSight } from './tx/first-sight.ts';
import { type Checker, verifySigners } from './tx/signer.ts';

/** Most senders with pending transactions; past it all start afresh. */
const MAX_SENDERS = 100_000;

/** How far above the next nonce an Ethereum transaction may be: how many may wait for one. */
const MAX_NONCE_GAP = 64;

/** What a check says. */
export type Verdict = ExecTxResult & {
  /** Present of an Ethereum transaction that passed. */
  readonly waits?: boolean;
  readonly priority?: number;
};

/** What checks run in. */
type CheckEnvironment = Omit<Environment, 'state'>;

/** What is pending of one account. */
type Pending = {
  /** Next sequence, and the public key that the pending transactions brought. */
  next: number;
  publicKey: Uint8Array;
  readonly promises: Promises;
};

/** One signer of the transaction being checked. */
type Standing = {
  readonly id: AccountId;
  readonly account: Account | undefined;
  readonly pending: Pending | undefined;
  readonly wanted: number;
};

/** Pending effects over the committed state. */
export class CheckState {
  readonly #base: () => Base;
  readonly #pending = new Map<string, Pending>();
  /** What checks read and, while one runs, write; until the state below changes. */
  #state: Overlay | undefined;

  /** @param base - the committed state */
  constructor(base: () => Base) {
    this.#base = base;
  }

  /** Takes note that the base may have changed. */
  stale(): void {
    this.#state = undefined;
  }

  /** Takes note of the records that a block changed. */
  committed(keys: Iterable<Uint8Array>): void {
    this.stale();
    const state = this.#overlay();
    for (const key of keys) {
      if (key[0] === KEY.account && this.#pending.size > 0) this.#settle(named(key), state);
    }
  }

  #overlay(): Overlay {
    this.#state ??= new Overlay(this.#base());
    return this.#state;
  }

  /** Checks signatures of transactions that come next; a refusal is left to their own check. */
  expect(checker: Checker, txs: readonly DecodedTx[]): void {
    const state = this.#overlay();
    for (const tx of txs) {
      // The sender of an Ethereum transaction was recovered when it was decoded.
      if (tx.ethereum !== undefined) continue;
      attempt(() => verifySigners(checker, tx, (id) => getAccount(state, id)));
    }
  }

  /** Runs the ante of a transaction and keeps what it takes. */
  check(env: CheckEnvironment, tx: DecodedTx, kind: 'new' | 'recheck'): Verdict {
    if (tx.ethereum !== undefined) return this.#checkEthereum(env, tx, tx.ethereum, kind);
    const state = this.#overlay();
    const mark = state.mark();
    const standings = tx.signers.map((id, i) => this.#standing(state, tx, id, i));
    const again = standings.some(isBehind) && standings.every(isPending);
    for (const standing of standings) prepareAccount(state, standing, again);
    if (tx.fee.length > 0) preparePayer(state, tx, standings, again);
    const { chain, addresses, signatures, block, ethereum } = env;
    const result = checkTransaction({ chain, addresses, signatures, block, ethereum, state }, tx);
    if (result.code === 0) this.#keep(state, tx, standings);
    // Its lane is that of the first signer.
    else if (kind === 'recheck') this.#pending.delete(nameOf(tx.signers[0] as AccountId));
    state.revert(mark);
    return result;
  }

  /** Whether an Ethereum transaction may wait; its nonce may leave a gap, which it waits behind. */
  #checkEthereum(
    { ethereum, block: { height } }: CheckEnvironment,
    tx: DecodedTx,
    carried: CarriedTx,
    kind: 'new' | 'recheck',
  ): Verdict {
    const state = this.#overlay();
    const mark = state.mark();
    const { id, address } = carried.sender;
    const wanted = tx.sequences[0] as number;
    try {
      checkChainId(ethereum, carried);
      firstSight(state, carried.sender);
      const pending = this.#settle(accountKey(id), state);
      const sequence = getAccount(state, id)?.sequence ?? 0;
      const next = Math.max(sequence, pending?.next ?? 0);
      checkNonce(wanted, sequence, next, address);
      const again = wanted < next;
      const promised = again
        ? pending?.promises.before(wanted, BASE_DENOM)
        : pending?.promises.total(BASE_DENOM);
      if (wanted > sequence) reserve(state, id, promised ?? 0n);
      const baseFee = ethereum.baseFee(state, height);
      const { gasLimit } = ethereum.terms;
      const options = { nonce: 'any' } as const;
      const fault = faultOf(ethereum.ports, state, { baseFee, gasLimit }, carried.run, options);
      if (fault !== undefined) throw faultError(fault);
      const priority = bidOf(carried.tx, baseFee);
      const waits = wanted > next;
      if (!waits) this.#promise(id, carried, wanted, priority);
      return { ...passed(tx), waits, priority };
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      if (kind === 'recheck') this.#pending.delete(nameOf(id));
      return refusedTx(carried, thrown);
    } finally {
      state.revert(mark);
    }
  }

  #promise(id: AccountId, carried: CarriedTx, sequence: number, priority: number): void {
    const kept = this.#pending.get(nameOf(id)) ?? {
      next: 0,
      publicKey: EMPTY,
      promises: new Promises(),
    };
    if (kept.next === 0) this.#add(id, kept);
    const again = sequence < kept.next;
    kept.next = Math.max(kept.next, sequence + 1);
    const cost = [{ denom: BASE_DENOM, amount: carried.cost }];
    kept.promises.add(sequence, cost, priority, again);
  }

  #standing(state: Overlay, tx: DecodedTx, id: AccountId, index: number): Standing {
    const pending = this.#settle(accountKey(id), state);
    return { id, account: getAccount(state, id), pending, wanted: tx.sequences[index] ?? 0 };
  }

  /** What is pending of an account, without what is committed by now. */
  #settle(account: RecordKey, state: Overlay): Pending | undefined {
    const pending = this.#pending.get(account.name);
    if (pending === undefined) return undefined;
    const sequence = state.read(account, accountCodec)?.sequence ?? 0;
    if (pending.next <= sequence) {
      this.#pending.delete(account.name);
      return undefined;
    }
    pending.promises.settle(sequence);
    return pending;
  }

  #keep(state: Overlay, tx: DecodedTx, standings: readonly Standing[]): void {
    for (const { id, pending, wanted } of standings) {
      const publicKey = getAccount(state, id)?.publicKey ?? EMPTY;
      const kept = pending ?? { next: 0, publicKey, promises: new Promises() };
      if (pending === undefined) this.#add(id, kept);
      const again = wanted < kept.next;
      kept.next = Math.max(kept.next, wanted + 1);
      kept.publicKey = publicKey;
      if (tx.fee.length > 0 && equalBytes(id, tx.payer)) {
        kept.promises.add(wanted, tx.fee, priorityOf(tx.fee, tx.gasLimit), again);
      }
    }
  }

  #add(id: AccountId, pending: Pending): void {
    if (this.#pending.size >= MAX_SENDERS) this.#pending.clear();
    this.#pending.set(nameOf(id), pending);
  }
}

/** @throws LedgerError evm/7 or evm/8 unless the nonce is to come, and not too far ahead */
function checkNonce(wanted: number, sequence: number, next: number, address: Uint8Array): void {
  if (wanted >= sequence && wanted <= next + MAX_NONCE_GAP) return;
  const both = `address ${checksumAddress(address)}, tx: ${wanted} state: ${sequence}`;
  refuseEvm(wanted < sequence ? 'NonceTooLow' : 'NonceTooHigh', both);
}

/** Takes from a balance what transactions before this one promised. */
function reserve(state: Overlay, id: AccountId, promised: bigint): void {
  if (promised === 0n) return;
  const balance = getBalance(state, id, BASE_DENOM);
  setBalance(state, id, BASE_DENOM, balance, balance > promised ? balance - promised : 0n);
}

/** What a transaction offers the proposer: wei per gas, as far as a rank needs it. */
function bidOf({ maxFeePerGas: cap, maxPriorityFeePerGas: tip }: EthereumTx, base: bigint): number {
  const bid = cap - base < tip ? cap - base : tip;
  return bid > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(bid);
}

/** The name of an account in maps: that of its record. */
function nameOf(id: AccountId): string {
  return accountKey(id).name;
}

function nextOf({ account, pending }: Standing): number {
  return Math.max(account?.sequence ?? 0, pending?.next ?? 0);
}

/** Whether another transaction with this sequence passed before. */
function isBehind(standing: Standing): boolean {
  return standing.wanted < nextOf(standing);
}

/** Whether the sequence is not committed, and none before it is missing. */
function isPending(standing: Standing): boolean {
  const { wanted, account } = standing;
  return wanted >= (account?.sequence ?? 0) && wanted <= nextOf(standing);
}

/** Gives the account the sequence that it will have when the transaction's turn comes. */
function prepareAccount(state: Overlay, standing: Standing, again: boolean): void {
  const { id, account, pending, wanted } = standing;
  if (account === undefined || pending === undefined) return;
  const sequence = again ? wanted : pending.next;
  const publicKey = account.publicKey.length > 0 ? account.publicKey : pending.publicKey;
  const { number, moduleName, permissions } = account;
  setAccount(state, id, { number, sequence, publicKey, moduleName, permissions });
}

/** Takes from the payer what transactions before this one promised. */
function preparePayer(
  state: Overlay,
  tx: DecodedTx,
  standings: readonly Standing[],
  again: boolean,
): void {
  const payer = standings.find(({ id }) => equalBytes(id, tx.payer));
  if (payer?.pending === undefined || payer.wanted === payer.account?.sequence) return;
  const { promises } = payer.pending;
  for (const { denom } of tx.fee) {
    const sum = again ? promises.before(payer.wanted, denom) : promises.total(denom);
    if (sum === 0n) continue;
    const balance = getBalance(state, tx.payer, denom);
    setBalance(state, tx.payer, denom, balance, balance > sum ? balance - sum : 0n);
  }
}
