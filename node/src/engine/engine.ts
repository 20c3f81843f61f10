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
import type { State } from '../../consensus/state.ts';
import { equalBytes } from '../base/bytes.ts';
import { describe, type ErrorSpec, errorSpec, invariant, LedgerError } from '../base/errors.ts';
import type { PoolEntry } from '../mempool/lane.ts';
import type { Submitted } from '../mempool/mempool.ts';
import type { ChainState, CommittedHeight } from '../types/chain-state.ts';
import { afterwards } from '../types/check-signature.ts';
import { type Evidence, evidenceHash, evidenceListCodec } from '../types/evidence.ts';
import { checkEvidenceMessage } from '../types/message-checks.ts';
import { CHANNEL, type ChannelId } from '../types/messages.ts';
import type { PartSet } from '../types/part-set.ts';
import { MILLISECOND } from '../types/time.ts';
import { assemble, type EngineParts } from './assembly.ts';
import { applyPair } from './catch-up.ts';
import { nextHeight } from './chain-rules.ts';
import type { Announcement } from './driver.ts';
import { handshake } from './handshake.ts';
import { Inbox, type Letter } from './inbox.ts';
import type { EngineOptions, EnginePorts } from './options.ts';
import { PeerState } from './peer-state.ts';
import type { NetListener, PeerId, Timer } from './ports.ts';
import { eventsOf } from './round-events.ts';
import type { BlockPair } from './sync.ts';
import { logOf } from './wal-records.ts';

export type { EngineOptions, EnginePorts } from './options.ts';

/** Breaches that the core finds. */
export const errors: { readonly Lied: ErrorSpec<{ readonly reason: string }> } = {
  Lied: errorSpec('peer', 2, 'peer', (p) => p.reason),
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
  readonly #parts: EngineParts;
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
    this.#parts = assemble(options, ports, state, {
      timedOut: (timeout) =>
        this.#enqueue(() => this.#parts.driver.feed({ kind: 'timeout', timeout })),
      announce: (effect) => this.#announce(effect),
      committed: (height) => this.#committed(height),
      accepted: () => this.#tellTxs(),
      drop: (id, refusal) => this.#drop(id, refusal),
      wake: () => this.#wake(),
      fatal: (thrown) => this.#fail(thrown),
    });
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
    engine.#parts.sync.begin(state.lastHeight);
    // Results in the log that the application has not committed are made again.
    const { lastHeight } = await application.info();
    const finalized = lastHeight > store.height ? log.finalized : undefined;
    const begin = (): void => {
      engine.#enqueue(() => engine.#parts.driver.replay({ ...log, finalized }));
      engine.#tick = clock.after(TICK_MS, () => engine.#onTick());
    };
    // A chain does not begin before its genesis time.
    const early = state.lastHeight === 0 ? genesis.genesisTime - clock.now() : 0n;
    if (early > 0n) engine.#tick = clock.after(Number(early / MILLISECOND) + 1, begin);
    else begin();
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
    this.#parts.driver.pause();
    this.#parts.txs.stop();
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
        const pair = this.#parts.sync.pair(this.#parts.executor.state.lastHeight);
        if (pair !== undefined) await this.#applyPair(pair);
        else if (letter === undefined) break;
      }
      await this.#parts.reactor.early();
    }
    if (!this.#stopped) this.#parts.gossip.standing.flush();
    this.#pumping = false;
  }

  async #open({ peer: id, channel, message }: Letter): Promise<void> {
    const peer = this.#parts.peers.get(id);
    if (peer === undefined) return;
    if (channel === CHANNEL.blocksync) this.#parts.sync.received(peer, message);
    else if (channel === CHANNEL.evidence) await this.#takeEvidence(peer, message);
    else await this.#parts.reactor.received(peer, message);
  }

  #onTick(): void {
    if (this.#stopped) return;
    this.#tick = this.#ports.clock.after(TICK_MS, () => this.#onTick());
    this.#enqueue(async () => {
      this.#parts.sync.tick();
      this.#parts.gossip.repair();
      this.#parts.txs.tick();
      this.#parts.stall.tick();
      const { paused } = this.#parts.driver;
      const idle = !this.#parts.sync.active || this.#parts.sync.stalledMs > REST_MS;
      if (paused && idle) await this.#resume();
    });
  }

  /** Consensus goes on after blocks were fetched. */
  async #resume(): Promise<void> {
    const height = this.#parts.executor.state.lastHeight;
    this.#ports.logger.info('caught up, joining consensus', { height });
    await this.#parts.driver.begin();
  }

  #tellTxs(): void {
    const height = nextHeight(this.#parts.executor.state);
    if (!this.#parts.mempool.ready || this.#toldTxsAt === height) return;
    this.#toldTxsAt = height;
    this.#enqueue(() => this.#parts.driver.feed({ kind: 'txsAvailable', height }));
  }

  #announce(effect: Announcement): void {
    const { publish, logger } = this.#ports;
    for (const event of eventsOf(effect)) publish(event);
    switch (effect.kind) {
      case 'sendProposal': {
        const { proposal } = effect;
        const whole = this.#parts.collector.find(proposal.blockId.partSetHeader);
        invariant(whole !== undefined, 'a block we propose is held');
        this.#parts.gossip.sendProposal(proposal, whole);
        return;
      }
      case 'sendVote':
        this.#parts.gossip.sendVote(effect.vote);
        return;
      case 'voteAdded':
        if (effect.peer !== '') this.#parts.gossip.standing.hasVote(effect.vote, effect.peer);
        return;
      case 'announceBlock': {
        const { height, round, partSetHeader, isCommit } = effect;
        this.#parts.gossip.standing.announceBlock(height, round, partSetHeader, isCommit);
        return;
      }
      case 'stepChanged':
        this.#parts.gossip.standing.stepChanged();
        this.#tellTxs();
        return;
      case 'equivocation':
        this.#equivocated(effect);
        return;
      case 'blame':
        this.#drop(effect.peer, new LedgerError(errors.Lied, { reason: effect.reason }));
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
    this.#parts.evidence.conflict(first, second);
  }

  #committed(height: CommittedHeight): void {
    this.#parts.sync.advanced(height.block.header.height);
    this.#ports.publish({ kind: 'committed', height });
  }

  async #applyPair(pair: BlockPair): Promise<void> {
    const { chainId, lastHeight } = this.chain;
    const { sync } = this.#parts;
    const signers = { chainId, validators: this.chain.validators, check: this.#ports.check };
    const verified = this.#verifiedCommitOf === lastHeight;
    const refusal = await applyPair(pair, signers, this.#parts, verified);
    if (refusal === undefined) this.#verifiedCommitOf = lastHeight + 1;
    else sync.refuse(pair, refusal.message);
  }

  async #takeEvidence(peer: PeerState, message: Uint8Array): Promise<void> {
    try {
      const list = evidenceListCodec.decode(message);
      checkEvidenceMessage(list);
      const limited = this.#ports.checkFrom(peer.id);
      for (const evidence of list.evidence) {
        let declined = false;
        const result = await this.#parts.evidence.add(evidence, (...asked) =>
          afterwards(limited(...asked), (answer) => {
            declined ||= answer === undefined;
            return answer === true;
          }),
        );
        // What was not checked is not taken, and nobody is blamed for it.
        if (result instanceof LedgerError && result.blame === 'peer' && !declined) throw result;
      }
    } catch (thrown) {
      if (!(thrown instanceof LedgerError) || thrown.blame !== 'peer') throw thrown;
      this.#drop(peer.id, thrown);
    }
  }

  #drop(peer: PeerId, { space, code, message: reason }: LedgerError): void {
    this.#ports.logger.warn('peer dropped', { peer, code: `${space}/${code}`, reason });
    this.#inbox.forget(peer);
    this.#ports.net.drop(peer, reason, BAN_MS);
  }

  peerJoined(id: PeerId): void {
    if (this.#stopped) return;
    this.#enqueue(() => {
      const peer = new PeerState(id, this.#ports.clock.monotonicMs());
      this.#parts.peers.set(id, peer);
      this.#parts.sync.greet(peer);
      this.#parts.gossip.standing.greet(peer);
      this.#parts.txs.peerJoined(id);
    });
  }

  peerLeft(id: PeerId): void {
    if (this.#stopped) return;
    this.#inbox.forget(id);
    this.#enqueue(() => {
      this.#parts.peers.delete(id);
      this.#parts.reactor.peerLeft(id);
      this.#ports.forget(id);
      this.#parts.sync.peerLeft(id);
      this.#parts.txs.peerLeft(id);
    });
  }

  received(peer: PeerId, channel: ChannelId, message: Uint8Array): void {
    if (this.#stopped) return;
    if (channel === CHANNEL.mempool) {
      if (!this.#parts.driver.paused) this.#parts.txs.received(peer, message);
      return;
    }
    if (!this.#inbox.push({ peer, channel, message }) && this.#inbox.dropped % 1_000 === 1) {
      const { dropped } = this.#inbox;
      this.#ports.logger.warn('messages dropped: a peer sends faster than we take', {
        peer,
        dropped,
      });
    }
    this.#wake();
  }

  /**
   * A client's transaction.
   *
   * @returns the application's verdict and the hash; passing promises nothing about a block
   * @throws LedgerError mempool/… if it is refused before or after the check
   */
  submitTx(tx: Uint8Array): Submitted | Promise<Submitted> {
    return this.#parts.txs.submit(tx);
  }

  /** A client's evidence. @returns its hash @throws LedgerError evidence/… if it is refused */
  submitEvidence(evidence: Evidence): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#enqueue(async () => {
        const result = await this.#parts.evidence.add(evidence);
        if (result instanceof LedgerError) reject(result);
        else resolve(evidenceHash(evidence));
      });
    });
  }

  /** The state after the last block. */
  get chain(): ChainState {
    return this.#parts.executor.state;
  }

  /** Whether blocks are still being fetched: what RPC calls catching_up. */
  get catchingUp(): boolean {
    return this.#parts.sync.active || this.#parts.driver.paused;
  }

  /** Where consensus is. */
  get round(): RoundView {
    return { core: this.#parts.driver.state, parts: this.#parts.collector.current };
  }

  /** Peers as consensus sees them. */
  get peers(): readonly PeerState[] {
    return [...this.#parts.peers.values()];
  }

  /** Number and bytes of pending transactions. */
  get pending(): { readonly txs: number; readonly bytes: number } {
    return { txs: this.#parts.mempool.size, bytes: this.#parts.mempool.byteSize };
  }

  /** Up to `limit` pending transactions. */
  pendingTxs(limit: number): PoolEntry[] {
    return this.#parts.mempool.list(limit);
  }

  /** Evidence that is not in a block yet. */
  pendingEvidence(): readonly Evidence[] {
    return this.#parts.evidence.pending();
  }

  /** Forgets all pending transactions. */
  flushMempool(): void {
    this.#parts.mempool.flush();
  }
}
