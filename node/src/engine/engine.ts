/**
 * The engine: one loop that takes what happens, one thing at a time, and has it dealt with.
 *
 * What happens is a message of a peer, a timer, a transaction, a block fetched. Our own events come
 * first, then peers in turn. The parts it joins: driver.ts runs the consensus core, executor.ts
 * makes and applies blocks, reactor.ts judges messages, gossip.ts and tx-gossip.ts send, sync.ts
 * fetches blocks.
 *
 * Upholds: one thing at a time, so no part guards against another. A defect or a failing disk stops
 * the node through `fatal` and nothing is done after it. The world is reached through ports only.
 * Absent here: sockets, files, clocks, RPC.
 *
 * @module
 */
import { type CoreConfig, initialState, type State } from '../../consensus/state.ts';
import type { Timeout, TimeoutConfig } from '../../consensus/types.ts';
import type { Application } from '../abci/application.ts';
import { equalBytes } from '../base/bytes.ts';
import { describe, invariant, LedgerError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { PoolEntry } from '../mempool/lane.ts';
import { Mempool, type MempoolConfig, type Submitted } from '../mempool/mempool.ts';
import type { ChainEvent } from '../types/chain-events.ts';
import type { ChainState, CommittedHeight } from '../types/chain-state.ts';
import type { CheckSignature } from '../types/check-signature.ts';
import { EMPTY_COMMIT } from '../types/commit.ts';
import { type Evidence, evidenceHash, evidenceListCodec } from '../types/evidence.ts';
import type { Genesis } from '../types/genesis.ts';
import { checkCommit } from '../types/header-checks.ts';
import { checkEvidenceMessage } from '../types/message-checks.ts';
import { CHANNEL, type ChannelId } from '../types/messages.ts';
import type { PartSet } from '../types/part-set.ts';
import { verifyCommit } from '../types/verify-commit.ts';
import { nextHeight } from './chain-rules.ts';
import { Collector, wholeBlockOf } from './collector.ts';
import { type Announcement, Driver, type StepFunction } from './driver.ts';
import { EvidencePool } from './evidence-pool.ts';
import { Executor } from './executor.ts';
import { Gossip } from './gossip.ts';
import { handshake } from './handshake.ts';
import { Inbox, type Letter } from './inbox.ts';
import { PeerState } from './peer-state.ts';
import type {
  ChainStore,
  Clock,
  GuardStore,
  Indexer,
  Net,
  NetListener,
  PeerId,
  SigningKey,
  Timer,
  Wal,
} from './ports.ts';
import { Reactor } from './reactor.ts';
import { eventsOf } from './round-events.ts';
import { Signer } from './signer.ts';
import { type BlockPair, Sync } from './sync.ts';
import { TxGossip } from './tx-gossip.ts';
import { encodeRecord, logOf } from './wal-records.ts';

/** What a node's owner decides. */
export type EngineOptions = {
  readonly genesis: Genesis;
  readonly timeouts: TimeoutConfig;
  readonly mempool: MempoolConfig;
  /**
   * The application commits to a store of its own, not into the height's batch: then a block's
   * results are made durable before it commits.
   */
  readonly applicationKeepsStore: boolean;
};

/** What the engine is given. */
export type EnginePorts = {
  readonly net: Net;
  readonly clock: Clock;
  readonly wal: Wal;
  readonly store: ChainStore;
  readonly application: Application;
  /** The validator's key and its guard; absent on a node that only follows. */
  readonly validator: { readonly key: SigningKey; readonly guard: GuardStore } | undefined;
  readonly check: CheckSignature;
  readonly indexers: readonly Indexer[];
  readonly logger: Logger;
  /** The consensus core's `step`. */
  readonly step: StepFunction;
  readonly publish: (event: ChainEvent) => void;
  /** The node must stop: a defect of ours, or a disk that fails. Called once. */
  readonly fatal: (thrown: unknown) => void;
};

/** What RPC tells of consensus. */
export type RoundView = {
  readonly core: State;
  /** The block being collected. */
  readonly parts: PartSet | undefined;
};

/** Bounds of what waits per peer. */
const INBOX = { messages: 4_096, bytes: 32 * 1_048_576 };
/** Length of the repair tick. */
const TICK_MS = 50;
/** Ban of a peer that broke a rule. */
const BAN_MS = 60_000;
/** While blocks are fetched, consensus rests for so long without one. */
const REST_MS = 1_000;

/** A running node's engine. */
export class Engine implements NetListener {
  readonly #ports: EnginePorts;
  readonly #mempool: Mempool;
  readonly #executor: Executor;
  readonly #evidence: EvidencePool;
  readonly #collector = new Collector();
  readonly #driver: Driver;
  readonly #gossip: Gossip;
  readonly #txs: TxGossip;
  readonly #reactor: Reactor;
  readonly #sync: Sync;
  readonly #peers = new Map<PeerId, PeerState>();
  readonly #inbox = new Inbox(INBOX);
  /** Events of our own, taken before messages: timers, ticks, calls of RPC. */
  #own: (() => Promise<void> | void)[] = [];
  #pumping = false;
  /** Settles when the pump that runs, if any, is done. */
  #pumped: Promise<void> = Promise.resolve();
  #stopped = false;
  #tick: Timer | undefined;
  /** The height whose core was told of transactions. */
  #toldTxsAt = 0;
  /** The height whose commit was verified by sync. */
  #verifiedCommitOf = 0;

  private constructor(options: EngineOptions, ports: EnginePorts, state: ChainState) {
    this.#ports = ports;
    const { clock, net, store, wal, application, check, validator } = ports;
    const { chainId } = state;
    const peers = this.#peers;
    const collector = this.#collector;
    const fatal = (thrown: unknown): void => this.#fail(thrown);
    const signer = validator && new Signer(chainId, validator.key, validator.guard);
    const config: CoreConfig = { chainId, address: signer?.address, timeouts: options.timeouts };
    this.#mempool = new Mempool(options.mempool, (request) => application.checkTx(request));
    this.#evidence = new EvidencePool(store, check, state);
    this.#executor = new Executor(
      {
        store,
        application,
        check,
        evidence: this.#evidence,
        mempool: this.#mempool,
        indexers: ports.indexers,
        beforeCommit: (finalized) => {
          if (!options.applicationKeepsStore) return;
          wal.append(encodeRecord({ kind: 'finalized', finalized }));
          wal.sync();
        },
      },
      state,
    );
    this.#driver = new Driver(
      {
        step: ports.step,
        chainId,
        clock,
        wal,
        store,
        check,
        signer,
        executor: this.#executor,
        collector,
        timedOut: (timeout) => this.#enqueue(() => this.#timedOut(timeout)),
        announce: (effect) => this.#announce(effect),
        committed: (height) => this.#committed(height),
        refused: (height, reason) => ports.logger.warn('block refused', { height, reason }),
      },
      initialState(config),
    );
    this.#gossip = new Gossip({
      net,
      clock,
      store,
      collector,
      evidence: this.#evidence,
      peers,
      core: () => this.#driver.state,
      paused: () => this.#driver.paused,
    });
    this.#txs = new TxGossip({
      net,
      clock,
      mempool: this.#mempool,
      accepted: () => this.#tellTxs(),
      fatal,
    });
    const drop = (id: PeerId, reason: string): void => this.#drop(id, reason);
    this.#reactor = new Reactor({
      driver: this.#driver,
      gossip: this.#gossip,
      collector,
      clock,
      chain: () => this.#executor.state,
      peer: (id) => peers.get(id),
      drop,
    });
    this.#sync = new Sync({ net, clock, store, peers, drop, wake: () => this.#wake() });
  }

  /**
   * Starts: brings application and store together, folds the log, and goes on from there.
   *
   * @throws LedgerError handshake/… if they do not belong together, or whatever a port throws
   */
  static async start(options: EngineOptions, ports: EnginePorts): Promise<Engine> {
    const { wal, store, application, clock } = ports;
    const { genesis } = options;
    const height = store.height === 0 ? genesis.initialHeight : store.height + 1;
    const log = logOf(height, wal.records());
    const state = await handshake({ genesis, application, store, finalized: log.finalized });
    const engine = new Engine(options, ports, state);
    engine.#sync.begin(state.lastHeight);
    engine.#enqueue(() => engine.#driver.replay(log));
    engine.#tick = clock.after(TICK_MS, () => engine.#onTick());
    return engine;
  }

  /** Stops: no input is taken, no timer runs. What is logged stays. */
  async stop(): Promise<void> {
    this.#halt();
    await this.#pumped;
  }

  #halt(): void {
    this.#stopped = true;
    this.#tick?.cancel();
    this.#driver.pause();
    this.#txs.stop();
  }

  #fail(thrown: unknown): void {
    if (this.#stopped) return;
    this.#ports.logger.error('the engine stops', { reason: describe(thrown) });
    this.#halt();
    this.#ports.fatal(thrown);
  }

  #enqueue(event: () => Promise<void> | void): void {
    this.#own.push(event);
    this.#wake();
  }

  #wake(): void {
    if (this.#pumping || this.#stopped) return;
    this.#pumping = true;
    this.#pumped = Promise.resolve()
      .then(() => this.#pump())
      .catch((thrown: unknown) => this.#fail(thrown));
  }

  /** Takes everything that waits, one thing at a time. */
  async #pump(): Promise<void> {
    while (!this.#stopped) {
      const event = this.#own.shift();
      if (event !== undefined) await event();
      else {
        const letter = this.#inbox.next();
        if (letter !== undefined) await this.#open(letter);
        const pair = this.#sync.pair(this.#executor.state.lastHeight);
        if (pair !== undefined) await this.#applyPair(pair);
        else if (letter === undefined) break;
      }
      await this.#reactor.early();
    }
    if (!this.#stopped) this.#gossip.flush();
    this.#pumping = false;
  }

  async #open({ peer: id, channel, message }: Letter): Promise<void> {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    if (channel === CHANNEL.blocksync) this.#sync.received(peer, message);
    else if (channel === CHANNEL.evidence) await this.#takeEvidence(peer, message);
    else await this.#reactor.received(peer, message);
  }

  #onTick(): void {
    if (this.#stopped) return;
    this.#tick = this.#ports.clock.after(TICK_MS, () => this.#onTick());
    this.#enqueue(async () => {
      this.#sync.tick();
      this.#gossip.repair();
      this.#txs.tick();
      const { paused } = this.#driver;
      const idle = !this.#sync.active || this.#sync.stalledMs > REST_MS;
      if (paused && idle) await this.#resume();
    });
  }

  /** Consensus goes on after blocks were fetched. */
  async #resume(): Promise<void> {
    const height = this.#executor.state.lastHeight;
    this.#ports.logger.info('caught up, joining consensus', { height });
    await this.#driver.begin();
  }

  async #timedOut(timeout: Timeout): Promise<void> {
    await this.#driver.feed({ kind: 'timeout', timeout });
  }

  #tellTxs(): void {
    const height = nextHeight(this.#executor.state);
    if (this.#mempool.size === 0 || this.#toldTxsAt === height) return;
    this.#toldTxsAt = height;
    this.#enqueue(() => this.#driver.feed({ kind: 'txsAvailable', height }));
  }

  #announce(effect: Announcement): void {
    const { publish, logger } = this.#ports;
    for (const event of eventsOf(effect)) publish(event);
    switch (effect.kind) {
      case 'sendProposal': {
        const { proposal } = effect;
        const whole = this.#collector.find(proposal.blockId.partSetHeader);
        invariant(whole !== undefined, 'a block we propose is held');
        this.#gossip.sendProposal(proposal, whole);
        return;
      }
      case 'sendVote':
        this.#gossip.sendVote(effect.vote);
        return;
      case 'voteAdded':
        if (effect.peer !== '') this.#gossip.hasVote(effect.vote, effect.peer);
        return;
      case 'announceBlock': {
        const { height, round, partSetHeader, isCommit } = effect;
        this.#gossip.announceBlock(height, round, partSetHeader, isCommit);
        return;
      }
      case 'stepChanged':
        this.#gossip.stepChanged();
        this.#tellTxs();
        return;
      case 'equivocation':
        this.#equivocated(effect);
        return;
      case 'blame':
        this.#drop(effect.peer, effect.reason);
        return;
      case 'noted':
        logger.debug(effect.event, { height: effect.height, round: effect.round });
    }
  }

  #equivocated({ first, second }: Extract<Announcement, { kind: 'equivocation' }>): void {
    const { validator, logger } = this.#ports;
    const { height, round, validatorIndex } = first;
    const own = validator && equalBytes(first.validatorAddress, validator.key.address);
    if (own) {
      logger.error('another node signs with our key', { height, round });
      return;
    }
    logger.warn('a validator voted twice', { height, round, validatorIndex });
    this.#evidence.conflict(first, second);
  }

  #committed(height: CommittedHeight): void {
    this.#sync.advanced(height.block.header.height);
    this.#ports.publish({ kind: 'committed', height });
  }

  /** Applies a fetched block if the next one's commit for it verifies. */
  async #applyPair(pair: BlockPair): Promise<void> {
    const { chainId, validators, lastHeight } = this.#executor.state;
    const whole = wholeBlockOf(pair.first);
    const commit = pair.second.lastCommit ?? EMPTY_COMMIT;
    const { height } = pair.first.header;
    try {
      checkCommit(commit);
    } catch (thrown) {
      if (!(thrown instanceof LedgerError)) throw thrown;
      return this.#sync.refuse(pair, thrown.message);
    }
    const signers = { chainId, validators, check: this.#ports.check };
    const verdict = await verifyCommit(signers, whole.blockId, height, commit);
    if (verdict !== undefined) return this.#sync.refuse(pair, verdict.message);
    const refusal = await this.#executor.judge(whole, this.#verifiedCommitOf === lastHeight);
    invariant(
      refusal === undefined,
      `what two thirds committed at height ${height} is valid here: ${refusal?.message}`,
    );
    await this.#driver.applySynced(whole, commit);
    this.#verifiedCommitOf = height;
  }

  async #takeEvidence(peer: PeerState, message: Uint8Array): Promise<void> {
    try {
      const list = evidenceListCodec.decode(message);
      checkEvidenceMessage(list);
      for (const evidence of list.evidence) {
        const result = await this.#evidence.add(evidence);
        if (result instanceof LedgerError && result.blame === 'peer') throw result;
      }
    } catch (thrown) {
      if (!(thrown instanceof LedgerError) || thrown.blame !== 'peer') throw thrown;
      this.#drop(peer.id, thrown.message);
    }
  }

  #drop(peer: PeerId, reason: string): void {
    this.#ports.logger.warn('peer dropped', { peer, reason });
    this.#ports.net.drop(peer, reason, BAN_MS);
  }

  peerJoined(id: PeerId): void {
    if (this.#stopped) return;
    this.#enqueue(() => {
      const peer = new PeerState(id, this.#ports.clock.monotonicMs());
      this.#peers.set(id, peer);
      this.#sync.greet(peer);
      this.#gossip.greet(peer);
      this.#txs.peerJoined(id);
    });
  }

  peerLeft(id: PeerId): void {
    if (this.#stopped) return;
    this.#inbox.forget(id);
    this.#enqueue(() => {
      this.#peers.delete(id);
      this.#reactor.peerLeft(id);
      this.#sync.peerLeft(id);
      this.#txs.peerLeft(id);
    });
  }

  received(peer: PeerId, channel: ChannelId, message: Uint8Array): void {
    if (this.#stopped) return;
    if (channel === CHANNEL.mempool) {
      if (!this.#driver.paused) this.#txs.received(peer, message);
      return;
    }
    this.#inbox.push({ peer, channel, message });
    this.#wake();
  }

  /**
   * A client's transaction.
   *
   * @returns the application's verdict and the hash; passing promises nothing about a block
   * @throws LedgerError mempool/… if it is refused before or after the check
   */
  async submitTx(tx: Uint8Array): Promise<Submitted> {
    return await this.#txs.submit(tx);
  }

  /** A client's evidence. @returns its hash @throws LedgerError evidence/… if it is refused */
  submitEvidence(evidence: Evidence): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#enqueue(async () => {
        const result = await this.#evidence.add(evidence);
        if (result instanceof LedgerError) reject(result);
        else resolve(evidenceHash(evidence));
      });
    });
  }

  /** The state after the last block. */
  get chain(): ChainState {
    return this.#executor.state;
  }

  /** Whether blocks are still being fetched: what RPC calls catching_up. */
  get catchingUp(): boolean {
    return this.#sync.active || this.#driver.paused;
  }

  /** Where consensus is. */
  get round(): RoundView {
    return { core: this.#driver.state, parts: this.#collector.current };
  }

  /** Peers as consensus sees them. */
  get peers(): readonly PeerState[] {
    return [...this.#peers.values()];
  }

  /** Number and bytes of pending transactions. */
  get pending(): { readonly txs: number; readonly bytes: number } {
    return { txs: this.#mempool.size, bytes: this.#mempool.byteSize };
  }

  /** Up to `limit` pending transactions. */
  pendingTxs(limit: number): PoolEntry[] {
    return this.#mempool.list(limit);
  }

  /** The pending transaction of a hash in lower-case hex. */
  pendingTx(hash: string): PoolEntry | undefined {
    return this.#mempool.get(hash);
  }

  /** Evidence that is not in a block yet. */
  pendingEvidence(): readonly Evidence[] {
    return this.#evidence.pending();
  }

  /** Forgets all pending transactions. */
  flushMempool(): void {
    this.#mempool.flush();
  }
}
