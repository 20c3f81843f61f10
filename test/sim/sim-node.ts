/**
 * One simulated node: the real engine and key-value application between simulated ports.
 *
 * It dies when a countdown of port calls ends, so between any two effects; from then on its ports
 * do nothing, and what it still computes is lost with it. It comes back from its disk.
 *
 * Upholds: an incarnation that died changes nothing: no message, no write, no signature.
 *
 * @module
 */
import { step } from '../../node/consensus/core.ts';
import type { TimeoutConfig } from '../../node/consensus/types.ts';
import { type KeySpace, KvstoreApplication } from '../../node/src/abci/kvstore.ts';
import { equalBytes, toHex } from '../../node/src/base/bytes.ts';
import { describe } from '../../node/src/base/errors.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { Engine, type EnginePorts } from '../../node/src/engine/engine.ts';
import type { Clock, GuardStore, SigningKey, Wal } from '../../node/src/engine/ports.ts';
import { DEFAULT_MEMPOOL } from '../../node/src/mempool/config.ts';
import type { CheckSignature } from '../../node/src/types/check-signature.ts';
import type { Genesis } from '../../node/src/types/genesis.ts';
import { CHANNEL, consensusMessageCodec } from '../../node/src/types/messages.ts';
import { MILLISECOND, type Time } from '../../node/src/types/time.ts';
import { voteSignBytes } from '../../node/src/types/vote.ts';
import { SimChainStore } from './chain-store.ts';
import type { Checkers } from './checkers.ts';
import { Disk } from './disk.ts';
import type { Keyring } from './keys.ts';
import type { Packet, SimNet } from './net.ts';
import type { Prng } from './prng.ts';
import type { Timeline } from './timeline.ts';

/** What a node is made of. */
export type NodeParts = {
  readonly index: number;
  readonly liar: boolean;
  readonly genesis: Genesis;
  readonly timeouts: TimeoutConfig;
  /** The application writes at once, as one behind a socket does. */
  readonly keepsStore: boolean;
  readonly keyring: Keyring;
  readonly timeline: Timeline;
  readonly net: SimNet;
  readonly checkers: Checkers;
  readonly prng: Prng;
  readonly tell: (node: number, text: string) => void;
  /** The node died. @param torn - whether a write was torn */
  readonly died: (torn: boolean) => void;
};

/** The instant at which virtual time begins. */
export const EPOCH: Time = 1_800_000_000n * 1_000n * MILLISECOND;

type Life = { alive: boolean };

/** A node over all its lives. */
export class SimNode {
  readonly disk: Disk = new Disk();
  engine: Engine | undefined;
  /** How far its clock is from true time, in milliseconds. */
  skewMs = 0;
  readonly #parts: NodeParts;
  readonly #key: SigningKey;
  #life: Life = { alive: false };
  /** Port calls until it dies. */
  #callsLeft: number | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.#key = parts.keyring.keys[parts.index] as SigningKey;
  }

  get alive(): boolean {
    return this.#life.alive;
  }

  /** Lets the node die after so many port calls more. */
  dieAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  /** Dies now. */
  die(): void {
    const { index, net, prng, died, tell } = this.#parts;
    if (!this.#life.alive) return;
    this.#life.alive = false;
    this.#callsLeft = undefined;
    this.engine = undefined;
    const torn = this.disk.crash(prng);
    tell(index, `dies${torn ? ', a write is torn' : ''}`);
    net.detach(index);
    died(torn);
  }

  /** Starts from the disk. */
  start(): void {
    const { index, checkers, genesis, timeouts, keepsStore, net, tell } = this.#parts;
    const life: Life = { alive: true };
    this.#life = life;
    checkers.starting(index, this.disk.height);
    tell(index, `starts at height ${this.disk.height}`);
    const options = {
      genesis,
      timeouts,
      mempool: DEFAULT_MEMPOOL,
      applicationKeepsStore: keepsStore,
    };
    Engine.start(options, this.#ports(life)).then(
      (engine) => {
        if (!life.alive) return;
        this.engine = engine;
        net.attach(index, engine);
      },
      (thrown: unknown) => this.#failed(life, thrown),
    );
  }

  #failed(life: Life, thrown: unknown): void {
    if (!life.alive) return;
    this.#parts.tell(this.#parts.index, `stops: ${describe(thrown)}`);
    if (this.#parts.liar) this.die();
    else this.#parts.checkers.violate('running', `n${this.#parts.index}: ${describe(thrown)}`);
  }

  /** One port call; the node may die in it. @returns whether it lives on */
  #touch(life: Life): boolean {
    if (life.alive && this.#callsLeft !== undefined && --this.#callsLeft <= 0) this.die();
    return life.alive;
  }

  #ports(life: Life): EnginePorts {
    const { index, keyring, net, checkers, tell } = this.#parts;
    const staged: (readonly [Uint8Array, Uint8Array])[] = [];
    const check: CheckSignature = (publicKey, message, signature) =>
      keyring.check(publicKey, message, signature);
    const store = new SimChainStore(this.disk, {
      alive: () => this.#touch(life),
      storing: (height) => {
        if (!this.#parts.liar) checkers.storing(index, height);
        this.#writePairs(staged.splice(0));
        const { round } = height.seenCommit;
        tell(index, `stores ${height.block.header.height}, decided in round ${round}`);
      },
    });
    return {
      net: net.port(
        index,
        () => this.#touch(life),
        (packet) => this.#sending(packet),
      ),
      clock: this.#clock(life),
      wal: this.#wal(life),
      store,
      application: new KvstoreApplication(this.#space(life, staged)),
      validator: { key: this.#key, guard: this.#guard(life) },
      check,
      checkFrom: () => check,
      forget: () => undefined,
      indexers: [],
      logger: SILENT,
      step,
      publish: (event) => {
        if (!life.alive || event.kind !== 'committed' || this.#parts.liar) return;
        const { height } = event.height.block.header;
        checkers.acknowledged(index, height, this.disk.height);
      },
      fatal: (thrown) => this.#failed(life, thrown),
    };
  }

  #clock(life: Life): Clock {
    const { timeline } = this.#parts;
    return {
      now: () => EPOCH + BigInt(Math.round((timeline.now + this.skewMs) * 1e6)),
      monotonicMs: () => timeline.now,
      after: (delayMs, fire) =>
        timeline.after(delayMs, () => {
          if (life.alive) fire();
        }),
    };
  }

  #wal(life: Life): Wal {
    const { disk } = this;
    return {
      append: (record) => {
        if (this.#touch(life)) disk.append(record);
      },
      sync: () => {
        if (this.#touch(life)) disk.sync();
        return Promise.resolve();
      },
      records: () => disk.records(),
      reset: () => {
        if (this.#touch(life)) disk.reset();
      },
      close: () => undefined,
    };
  }

  #guard(life: Life): GuardStore {
    const { index, checkers, liar, tell } = this.#parts;
    return {
      load: () => this.disk.guard,
      save: (record) => {
        if (!this.#touch(life)) return Promise.resolve();
        this.disk.guard = record;
        const text = checkers.signing(index, record.signBytes, liar ? 0 : this.disk.unsynced);
        tell(index, text);
        return Promise.resolve();
      },
    };
  }

  /** A vote of its own leaves: its guard must know of it. */
  #sending({ channel, bytes }: Packet): void {
    if (channel !== CHANNEL.vote || this.#parts.liar) return;
    const message = consensusMessageCodec.decode(bytes);
    const vote = message.kind === 'vote' ? message.value.vote : undefined;
    if (vote === undefined || !equalBytes(vote.validatorAddress, this.#key.address)) return;
    const { chainId } = this.#parts.genesis;
    this.#parts.checkers.sending(this.#parts.index, voteSignBytes(chainId, vote));
  }

  #space(life: Life, staged: (readonly [Uint8Array, Uint8Array])[]): KeySpace {
    return {
      get: (key) => this.disk.pairs.get(toHex(key)),
      write: (pairs) => {
        if (!this.#parts.keepsStore) staged.push(...pairs);
        else if (this.#touch(life)) this.#writePairs(pairs);
      },
    };
  }

  #writePairs(pairs: readonly (readonly [Uint8Array, Uint8Array])[]): void {
    for (const [key, value] of pairs) this.disk.pairs.set(toHex(key), value);
  }
}
