/**
 * What an engine is started with: its owner's choices, and the ports to the world.
 *
 * @module
 */
import type { TimeoutConfig } from '../../consensus/types.ts';
import type { Application } from '../abci/application.ts';
import type { Logger } from '../base/logger.ts';
import type { MempoolConfig } from '../mempool/config.ts';
import type { ChainEvent } from '../types/chain-events.ts';
import type { CheckSignature, LimitedCheck } from '../types/check-signature.ts';
import type { Genesis } from '../types/genesis.ts';
import type {
  ChainStore,
  Clock,
  GuardStore,
  Indexer,
  Net,
  PeerId,
  SigningKey,
  Wal,
} from './ports.ts';
import type { StepFunction } from './replay.ts';

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
  /** Checks signatures of blocks and of clients: always decides. */
  readonly check: CheckSignature;
  /** Checks signatures that a peer sent, and declines those beyond its share of slow checks. */
  readonly checkFrom: (peer: PeerId) => LimitedCheck;
  /** A peer left: its share is forgotten. */
  readonly forget: (peer: PeerId) => void;
  readonly indexers: readonly Indexer[];
  readonly logger: Logger;
  /** The consensus core's `step`. */
  readonly step: StepFunction;
  readonly publish: (event: ChainEvent) => void;
  /** The node must stop: a defect of ours, or a disk that fails. Called once. */
  readonly fatal: (thrown: unknown) => void;
};
