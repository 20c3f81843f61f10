/**
 * The mempool: transactions that passed the application's check and wait for a block.
 *
 * Upholds: bounded in count and bytes, in all and per sender; a transaction enters at most once
 * (a bounded memory of hashes stands before the check); a block is offered senders' transactions
 * in order of sequence without gaps. After a block the heads of the lanes it touched are checked
 * again, and of the ones that were checked longest ago; the rest of a lane only if its head fails,
 * since it was checked as what follows. Of the transactions without a sender a slice has its turn,
 * so that nothing stale stays for ever.
 * Absent here: sockets and timers; engine/tx-gossip.ts pushes what enters. Passing the check
 * promises nothing about a block.
 * Spec: CometBFT 0.38 mempool (texts of refusals); lanes are ours.
 *
 * @module
 */
import type { CheckTxRequest, CheckTxResponse } from '../abci/application.ts';
import { fromLatin1 } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import { type Tx, type TxKey, txBytesInBlock, txKey, txKeys } from '../types/block.ts';
import type { MempoolConfig } from './config.ts';
import { errors } from './errors.ts';
import { Lane, type PoolEntry, poolEntry, walkLanes } from './lane.ts';
import { checkReplacement, inPhases } from './rules.ts';
import { Seen } from './seen.ts';
import { StalledLanes } from './stalled.ts';

/** Asks the application; the only call out of the pool. */
export type CheckTx = (request: CheckTxRequest) => CheckTxResponse | Promise<CheckTxResponse>;

/** What became of a transaction that was checked. */
export type Checked = {
  readonly response: CheckTxResponse;
  /** Present if it was accepted and is pending. */
  readonly entry: PoolEntry | undefined;
};

/** What became of a submitted transaction. */
export type Submitted = Checked & { readonly hash: Uint8Array };

/** Rounds of checking one transaction while blocks pass beneath it. */
const MAX_CHECKS = 3;
/** Lanes that are checked again after each block because their last check is old. */
const OLD_LANES_PER_BLOCK = 16;
/** Transactions without a sender that are checked again after each block. */
const FIFO_PER_BLOCK = 64;
/** Heights after which a check counts as old. */
const OLD_AFTER_HEIGHTS = 20;

/** The pool. One per node; owned by the engine. */
export class Mempool {
  readonly #config: MempoolConfig;
  readonly #check: CheckTx;
  readonly #entries = new Map<TxKey, PoolEntry>();
  /** By sender, in order of their last check, oldest first. */
  readonly #lanes = new Map<string | undefined, Lane>();
  readonly #stalled = new StalledLanes();
  readonly #seen: Seen;
  /** Keys whose check takes its time; a block that commits one takes it out. */
  readonly #checking = new Set<TxKey>();
  /** Present while a block is being committed; checks wait for it. */
  #held: PromiseWithResolvers<void> | undefined;
  #bytes = 0;
  #arrivals = 0;
  #height = 0;
  #updates = 0;
  #reached = 0;

  constructor(config: MempoolConfig, check: CheckTx) {
    this.#config = config;
    this.#check = check;
    this.#seen = new Seen(config.cacheSize);
  }

  /** Number of pending transactions. */
  get size(): number {
    return this.#entries.size;
  }

  /** Whether a block could take a transaction from here. */
  get ready(): boolean {
    return this.#lanes.size > this.#stalled.size;
  }

  /** The sender's lane, if it has pending transactions. */
  lane(sender: string): Lane | undefined {
    return this.#lanes.get(sender);
  }

  /** Bytes of pending transactions. */
  get byteSize(): number {
    return this.#bytes;
  }

  /** Largest transaction taken, in bytes. */
  get maxTxBytes(): number {
    return this.#config.maxTxBytes;
  }

  /**
   * The earliest arrival among what the last block with pending transactions took: whatever of that
   * time is still pending was passed over, whatever came later may be waiting for its turn.
   */
  get reached(): number {
    return this.#reached;
  }

  /** Up to `limit` pending entries, in order of arrival. */
  list(limit: number): PoolEntry[] {
    const out: PoolEntry[] = [];
    for (const entry of this.#entries.values()) {
      if (out.length >= limit) break;
      out.push(entry);
    }
    return out;
  }

  /**
   * Checks a transaction and keeps it if it passes.
   *
   * @param peer - who sent it; empty for our own clients
   * @throws LedgerError mempool/… if it is refused before or after the application's check
   */
  submit(tx: Tx, peer: string): Submitted | Promise<Submitted> {
    const key = txKey(tx);
    if (this.#knows(key)) throw new LedgerError(errors.InCache, {});
    const result = this.#take(tx, key, peer);
    const hash = fromLatin1(key);
    if (result instanceof Promise) return result.then((checked) => ({ hash, ...checked }));
    return { hash, response: result.response, entry: result.entry };
  }

  /**
   * Takes what a peer sent, as `submit` does.
   *
   * @param key - that of `tx`
   * @returns undefined if it is known already: what peers send twice is no refusal
   */
  offer(tx: Tx, key: TxKey, peer: string): Checked | Promise<Checked> | undefined {
    return this.knows(key, peer) ? undefined : this.#take(tx, key, peer);
  }

  /** Whether a transaction that `peer` has is known here; if it is pending, notes who has it. */
  knows(key: TxKey, peer: string): boolean {
    if (!this.#knows(key)) return false;
    const peers = this.#entries.get(key)?.peers;
    if (peers?.includes(peer) === false) peers.push(peer);
    return true;
  }

  #knows(key: TxKey): boolean {
    return this.#seen.has(key) || this.#entries.has(key) || this.#checking.has(key);
  }

  #take(tx: Tx, key: TxKey, peer: string): Checked | Promise<Checked> {
    this.#admit(tx);
    this.#seen.add(key);
    const job = { tx, key, peer, waits: false };
    if (this.#held === undefined) return this.#run(job, 'new', 1);
    this.#wait(job);
    return this.#held.promise.then(() => this.#run(job, 'new', 1));
  }

  #wait(job: Job): void {
    if (job.waits) return;
    job.waits = true;
    this.#checking.add(job.key);
  }

  /** Holds checks back until `update`: a commit makes the application forget what is pending. */
  hold(): void {
    this.#held ??= Promise.withResolvers<void>();
  }

  #admit(tx: Tx): void {
    const { maxTxBytes } = this.#config;
    if (tx.length === 0) throw new LedgerError(errors.Empty, {});
    if (tx.length > maxTxBytes) {
      throw new LedgerError(errors.TooLarge, { max: maxTxBytes, size: tx.length });
    }
    this.#refuseIfFull(tx);
  }

  #refuseIfFull(tx: Tx): void {
    const { maxTxs, maxBytes } = this.#config;
    const txs = this.size;
    if (txs < maxTxs && this.#bytes + tx.length <= maxBytes) return;
    throw new LedgerError(errors.Full, { txs, maxTxs, bytes: this.#bytes, maxBytes });
  }

  #run(job: Job, kind: CheckTxRequest['kind'], turn: number): Checked | Promise<Checked> {
    let answer: ReturnType<CheckTx>;
    const updates = this.#updates;
    try {
      answer = this.#check({ tx: job.tx, kind });
    } catch (thrown) {
      this.#forget(job.key);
      throw thrown;
    }
    if (!(answer instanceof Promise)) return this.#settle(job, answer);
    this.#wait(job);
    return this.#answered(job, answer, updates, turn);
  }

  async #answered(
    job: Job,
    answer: Promise<CheckTxResponse>,
    updates: number,
    turn: number,
  ): Promise<Checked> {
    try {
      const response = await answer;
      const stale = updates !== this.#updates && response.code === 0 && turn < MAX_CHECKS;
      if (stale && this.#checking.has(job.key)) return await this.#run(job, 'recheck', turn + 1);
      return this.#settle(job, response);
    } catch (thrown) {
      this.#forget(job.key);
      throw thrown;
    }
  }

  #settle(job: Job, response: CheckTxResponse): Checked {
    const { tx, key, peer } = job;
    // A block may have committed it while its check took its time.
    const committed = job.waits && !this.#checking.delete(key);
    if (committed || response.code !== 0) {
      if (!committed && !this.#config.keepInvalidInCache) this.#seen.delete(key);
      return { response, entry: undefined };
    }
    const entry = poolEntry(tx, key, response, this.#arrivals++, peer);
    try {
      this.#insert(entry);
    } catch (thrown) {
      this.#forget(key);
      throw thrown;
    }
    return { response, entry };
  }

  #forget(key: TxKey): void {
    this.#checking.delete(key);
    this.#seen.delete(key);
  }

  #insert(entry: PoolEntry): void {
    this.#refuseIfFull(entry.tx);
    const { sender, sequence, tx } = entry;
    const lane = this.#lanes.get(sender) ?? new Lane(sender, this.#height);
    if (sender !== undefined) {
      const { maxTxsPerSender: maxTxs, maxBytesPerSender } = this.#config;
      const rival = lane.rival(sequence);
      if (rival !== undefined) {
        checkReplacement(rival, entry);
        this.#drop([rival]);
      } else if (lane.size >= maxTxs || lane.byteSize + tx.length > maxBytesPerSender) {
        throw new LedgerError(errors.SenderFull, { sender, maxTxs });
      }
      this.#stalled.admit(entry, lane);
    }
    if (lane.size === 0) this.#lanes.set(sender, lane);
    lane.add(entry);
    this.#stalled.watch(lane, this.#height);
    this.#entries.set(entry.key, entry);
    this.#bytes += tx.length;
  }

  /**
   * Transactions for a block, best first.
   *
   * @param maxBytes - room in the block, framing included
   * @param maxGas - gas the block may use; -1 for any
   * @param wantedBytes - where to stop, if that is earlier; the first transaction may be larger
   */
  reap(maxBytes: number, maxGas: number, wantedBytes: number = maxBytes): Tx[] {
    const taken: PoolEntry[] = [];
    let bytes = 0;
    let gas = 0;
    walkLanes(this.#lanes.values(), (entry) => {
      const size = txBytesInBlock(entry.tx);
      const most = taken.length === 0 ? maxBytes : Math.min(maxBytes, wantedBytes);
      if (bytes + size > most) return false;
      if (maxGas >= 0 && gas + entry.gasWanted > maxGas) return false;
      bytes += size;
      gas += entry.gasWanted;
      taken.push(entry);
      return true;
    });
    return inPhases(taken).map(({ tx }) => tx);
  }

  /**
   * Takes a committed block's transactions out, checks what may have become invalid, and ends
   * `hold`.
   *
   * Call it once per height, before anything is reaped for the next one.
   *
   * @param txs - the block's list itself, whose hashes are known
   * @param succeeded - whether the transaction at a place did
   */
  async update(
    height: number,
    txs: readonly Tx[],
    succeeded: (index: number) => boolean,
  ): Promise<void> {
    this.#height = height;
    this.#updates++;
    const touched = new Set<Lane>();
    const removed: PoolEntry[] = [];
    let reached = Number.POSITIVE_INFINITY;
    const keys = txKeys(txs);
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as TxKey;
      if (this.#checking.size > 0) this.#checking.delete(key);
      if (succeeded(index) || this.#config.keepInvalidInCache) this.#seen.add(key);
      else this.#seen.delete(key);
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      removed.push(entry);
      if (entry.arrival < reached) reached = entry.arrival;
    }
    if (removed.length > 0) this.#reached = reached;
    this.#drop(removed, touched);
    this.#touchOthers(touched);
    for (const lane of touched) await this.#recheck(lane);
    this.#held?.resolve();
    this.#held = undefined;
  }

  /** Adds the lanes whose turn it is without a block that touched them. */
  #touchOthers(touched: Set<Lane>): void {
    let old = 0;
    for (const lane of this.#lanes.values()) {
      if (old++ >= OLD_LANES_PER_BLOCK || lane.checkedAt + OLD_AFTER_HEIGHTS > this.#height) break;
      touched.add(lane);
    }
    // What they wait for may have been in the block.
    for (const lane of this.#stalled.take(OLD_LANES_PER_BLOCK)) touched.add(lane);
  }

  async #recheck(lane: Lane): Promise<void> {
    const { sender } = lane;
    if (this.#lanes.get(sender) !== lane) return;
    const failed = await this.#failures(lane);
    lane.checkedAt = this.#height;
    // To the end: lanes stand in order of their last check.
    if (this.#lanes.delete(sender)) this.#lanes.set(sender, lane);
    for (const { key } of failed) {
      if (!this.#config.keepInvalidInCache) this.#seen.delete(key);
    }
    if (failed.length > 0) this.#drop(failed);
    else this.#stalled.watch(lane, this.#height);
  }

  /** Those of a lane that may stay no longer; of a sender's none after a first that may. */
  async #failures(lane: Lane): Promise<readonly PoolEntry[]> {
    const isFifo = lane.sender === undefined;
    const late = this.#stalled.isLate(lane, this.#height);
    const failed: PoolEntry[] = [];
    for (const entry of isFifo ? lane.slice(FIFO_PER_BLOCK) : [...lane.entries()]) {
      const answer = this.#check({ tx: entry.tx, kind: 'recheck' });
      const response = answer instanceof Promise ? await answer : answer;
      entry.waits = response.waits === true;
      if (response.code !== 0 || (late && entry.waits)) failed.push(entry);
      else if (!isFifo && failed.length === 0) break;
    }
    return failed;
  }

  /** Forgets all pending transactions, and that they were seen. */
  flush(): void {
    for (const entry of this.#entries.values()) entry.pending = false;
    this.#entries.clear();
    this.#lanes.clear();
    this.#stalled.clear();
    this.#seen.clear();
    this.#bytes = 0;
  }

  /** Takes entries out. @param touched - where their lanes are added */
  #drop(entries: readonly PoolEntry[], touched: Set<Lane> = new Set()): void {
    for (const entry of entries) {
      if (!entry.pending) continue;
      entry.pending = false;
      this.#entries.delete(entry.key);
      this.#bytes -= entry.tx.length;
      const lane = this.#lanes.get(entry.sender);
      if (lane !== undefined) touched.add(lane);
    }
    for (const lane of touched) {
      lane.sweep();
      if (lane.size === 0) this.#lanes.delete(lane.sender);
      this.#stalled.watch(lane, this.#height);
    }
  }
}

/** `waits`: whether it is among those whose check takes its time. */
type Job = { readonly tx: Tx; readonly key: TxKey; readonly peer: string; waits: boolean };
