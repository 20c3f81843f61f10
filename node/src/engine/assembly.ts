/**
 * The parts of an engine, put together.
 *
 * @module
 */
import { initialState } from '../../consensus/state.ts';
import type { Timeout } from '../../consensus/types.ts';
import type { LedgerError } from '../base/errors.ts';
import { Mempool } from '../mempool/mempool.ts';
import type { ChainState, CommittedHeight } from '../types/chain-state.ts';
import { Collector } from './collector.ts';
import { type Announcement, Driver } from './driver.ts';
import { EvidencePool } from './evidence-pool.ts';
import { Executor, type ExecutorParts } from './executor.ts';
import { Gossip } from './gossip.ts';
import type { EngineOptions, EnginePorts } from './options.ts';
import { Pace } from './pace.ts';
import type { PeerState } from './peer-state.ts';
import type { PeerId } from './ports.ts';
import { Reactor } from './reactor.ts';
import { Signer } from './signer.ts';
import { Stall } from './stall.ts';
import { Sync } from './sync.ts';
import { TxGossip } from './tx-gossip.ts';
import { encodeRecord } from './wal-records.ts';

/** What the parts tell the loop. */
export type EngineHooks = {
  readonly timedOut: (timeout: Timeout) => void;
  readonly announce: (effect: Announcement) => void;
  readonly committed: (height: CommittedHeight) => void;
  /** A transaction entered the mempool. */
  readonly accepted: () => void;
  readonly drop: (id: PeerId, refusal: LedgerError) => void;
  readonly wake: () => void;
  readonly fatal: (thrown: unknown) => void;
};

/** The parts. */
export type EngineParts = {
  readonly mempool: Mempool;
  readonly evidence: EvidencePool;
  readonly executor: Executor;
  readonly collector: Collector;
  readonly driver: Driver;
  readonly gossip: Gossip;
  readonly txs: TxGossip;
  readonly reactor: Reactor;
  readonly sync: Sync;
  readonly stall: Stall;
  readonly peers: Map<PeerId, PeerState>;
};

type ChainParts = Pick<EngineParts, 'mempool' | 'evidence' | 'executor'>;

function chainParts(options: EngineOptions, ports: EnginePorts, state: ChainState): ChainParts {
  const { store, application, check, indexers, wal, clock } = ports;
  const mempool = new Mempool(options.mempool, (request) => application.checkTx(request));
  const evidence = new EvidencePool(store, check, state);
  const pace = new Pace(options.mempool.maxProposalBytes);
  const beforeCommit: ExecutorParts['beforeCommit'] = async (finalized) => {
    if (!options.applicationKeepsStore) return;
    wal.append(encodeRecord({ kind: 'finalized', finalized }));
    await wal.sync();
  };
  const executor = new Executor(
    { store, application, check, evidence, mempool, clock, pace, indexers, beforeCommit },
    state,
  );
  return { mempool, evidence, executor };
}

/** Puts an engine together for a chain in `state`. */
export function assemble(
  options: EngineOptions,
  ports: EnginePorts,
  state: ChainState,
  hooks: EngineHooks,
): EngineParts {
  const { clock, net, store, wal, check, checkFrom, validator, step, logger } = ports;
  const { chainId } = state;
  const { mempool, evidence, executor } = chainParts(options, ports, state);
  const peers = new Map<PeerId, PeerState>();
  const collector = new Collector();
  const signer = validator && new Signer(chainId, validator.key, validator.guard);
  const { timeouts } = options;
  const { timedOut, announce, committed, drop, wake, accepted, fatal } = hooks;
  const driver = new Driver(
    {
      step,
      chainId,
      clock,
      wal,
      store,
      check,
      signer,
      executor,
      collector,
      timedOut,
      announce,
      committed,
      refused: (height, reason) => logger.warn('block refused', { height, reason }),
    },
    initialState({ chainId, address: signer?.address, timeouts }),
  );
  const core = (): typeof driver.state => driver.state;
  const paused = (): boolean => driver.paused;
  const gossip = new Gossip({ net, clock, store, collector, evidence, peers, core, paused });
  const expect = (next: readonly Uint8Array[]): void => ports.application.expectTxs?.(next);
  const txs = new TxGossip({ net, clock, mempool, expect, accepted, drop, fatal });
  const chain = (): ChainState => executor.state;
  const peer = (id: PeerId): PeerState | undefined => peers.get(id);
  const reactor = new Reactor({ driver, gossip, collector, clock, chain, peer, drop, checkFrom });
  const sync = new Sync({ net, clock, store, peers, drop, wake });
  const stall = new Stall({ clock, logger, collector, peers, core, paused });
  const made = { mempool, evidence, executor, collector, driver, gossip, txs, reactor, sync };
  return { ...made, stall, peers };
}
