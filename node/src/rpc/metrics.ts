/**
 * Prometheus metrics under CometBFT's names, and what else the node measures, with the label
 * `chain_id`.
 *
 * Upholds: what events tell is counted as they come; what can be asked is asked when the page is
 * read, so that nothing is measured for nobody.
 * Spec: CometBFT 0.38 {consensus,mempool,p2p,blocksync}/metrics.go, namespace `cometbft`.
 *
 * @module
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ChainEvent } from '../types/chain-events.ts';
import type { CommittedHeight } from '../types/chain-state.ts';
import { BLOCK_ID_FLAG } from '../types/commit.ts';
import { addressOf } from '../types/keys.ts';
import { indexOfValidator, type ValidatorSet } from '../types/validators.ts';
import { hex } from './json.ts';
import type { RpcPorts } from './ports.ts';

/** A page that a Prometheus server reads. */
export type MetricsPage = {
  readonly contentType: string;
  text(): Promise<string>;
};

/** A number that is asked when the page is read. */
export type Meter = {
  /** A counter only grows while the node runs. */
  readonly kind: 'counter' | 'gauge';
  /** Its whole name. */
  readonly name: string;
  readonly help: string;
  read(): number;
};

/** Where the numbers come from when the page is read. */
export type MetricsPorts = Pick<
  RpcPorts,
  'chainId' | 'validatorKey' | 'chain' | 'pool' | 'consensus' | 'net'
>;

const NANOS_PER_SECOND = 1e9;

/** A node's metrics. */
export class Metrics implements MetricsPage {
  readonly #ports: MetricsPorts;
  readonly #own: Uint8Array;
  readonly #registry: Registry = new Registry();
  readonly #gauges: Map<string, Gauge> = new Map();
  readonly #interval: Histogram;
  readonly #missed: Counter<'validator_address'>;
  readonly #timeouts: Counter<'step'>;
  #lastTime: bigint | undefined;
  #totalTxs = 0;

  constructor(ports: MetricsPorts) {
    this.#ports = ports;
    this.#own = addressOf(ports.validatorKey);
    const registers = [this.#registry];
    this.#registry.setDefaultLabels({ chain_id: ports.chainId });
    collectDefaultMetrics({ register: this.#registry });
    this.#interval = new Histogram({
      name: 'cometbft_consensus_block_interval_seconds',
      help: 'Seconds between a block and the one before.',
      registers,
    });
    this.#missed = new Counter({
      name: 'cometbft_consensus_validator_missed_blocks',
      help: 'Blocks that this validator did not sign.',
      labelNames: ['validator_address'],
      registers,
    });
    this.#timeouts = new Counter({
      name: 'cometbft_consensus_timeouts',
      help: 'Steps that ended by their timeout.',
      labelNames: ['step'],
      registers,
    });
    this.#declare();
  }

  /** Shows these numbers too. */
  show(meters: readonly Meter[]): void {
    const registers = [this.#registry];
    for (const { kind, name, help, read } of meters) {
      if (kind === 'gauge') {
        const collect = (): void => gauge.set(read());
        const gauge: Gauge = new Gauge({ name, help, registers, collect });
      } else {
        const collect = (): void => {
          counter.reset();
          counter.inc(read());
        };
        const counter: Counter = new Counter({ name, help, registers, collect });
      }
    }
  }

  #gauge(name: string, help: string, read?: () => number): void {
    const gauge = new Gauge({
      name: `cometbft_${name}`,
      help,
      registers: [this.#registry],
      ...(read === undefined
        ? {}
        : {
            collect() {
              this.set(read());
            },
          }),
    });
    this.#gauges.set(name, gauge);
  }

  #declare(): void {
    const { chain, pool, consensus, net } = this.#ports;
    const set = (): ValidatorSet | undefined => chain.state()?.validators;
    this.#gauge('consensus_height', 'Height of the chain.', () => chain.height);
    this.#gauge('consensus_latest_block_height', 'Newest committed height.', () => chain.height);
    this.#gauge(
      'consensus_rounds',
      'Round that consensus is in.',
      () => consensus.round()?.round ?? 0,
    );
    this.#gauge(
      'consensus_validators',
      'Number of validators.',
      () => set()?.validators.length ?? 0,
    );
    this.#gauge('consensus_validators_power', 'Power of all validators.', () =>
      Number(set()?.totalPower ?? 0n),
    );
    this.#gauge('consensus_num_txs', 'Transactions of the newest block.');
    this.#gauge('consensus_total_txs', 'Transactions committed since the node started.');
    this.#gauge('consensus_block_size_bytes', 'Bytes of the newest block.');
    this.#gauge('consensus_missing_validators', 'Validators that did not sign the last block.');
    this.#gauge('consensus_missing_validators_power', 'Power of those that did not sign.');
    this.#gauge('consensus_byzantine_validators', 'Validators proven to have signed twice.');
    this.#gauge('consensus_validator_last_signed_height', 'Last height this validator signed.');
    this.#gauge('consensus_validator_power', 'Power of this validator.', () => {
      const now = set();
      const at = now === undefined ? -1 : indexOfValidator(now, this.#own);
      return Number(now?.validators[at]?.power ?? 0n);
    });
    this.#gauge('blocksync_syncing', '1 while the node fetches old blocks.', () =>
      Number(consensus.catchingUp),
    );
    this.#gauge('mempool_size', 'Pending transactions.', () => pool.size);
    this.#gauge('mempool_size_bytes', 'Bytes of pending transactions.', () => pool.byteSize);
    this.#gauge('p2p_peers', 'Connected peers.', () => net.peers().length);
  }

  #set(name: string, value: number): void {
    this.#gauges.get(name)?.set(value);
  }

  /** Counts what an event tells. */
  observe(event: ChainEvent): void {
    if (event.kind === 'committed') this.#committed(event.height);
    else if (event.kind === 'round' && event.name.startsWith('Timeout')) {
      this.#timeouts.inc({ step: event.step });
    }
  }

  #committed({ block, parts, seenCommit, state }: CommittedHeight): void {
    const { header, data } = block;
    this.#totalTxs += data.txs.length;
    this.#set('consensus_num_txs', data.txs.length);
    this.#set('consensus_total_txs', this.#totalTxs);
    this.#set('consensus_block_size_bytes', parts.byteSize);
    this.#set('consensus_byzantine_validators', block.evidence.evidence.length);
    if (this.#lastTime !== undefined) {
      this.#interval.observe(Number(header.time - this.#lastTime) / NANOS_PER_SECOND);
    }
    this.#lastTime = header.time;
    const set = state.lastValidators;
    if (set === undefined) return;
    let missing = 0;
    let power = 0n;
    for (const [i, { blockIdFlag }] of seenCommit.signatures.entries()) {
      if (blockIdFlag === BLOCK_ID_FLAG.commit) continue;
      missing++;
      power += set.validators[i]?.power ?? 0n;
    }
    this.#set('consensus_missing_validators', missing);
    this.#set('consensus_missing_validators_power', Number(power));
    this.#ownSignature(seenCommit.signatures[indexOfValidator(set, this.#own)], header.height);
  }

  #ownSignature(sig: { readonly blockIdFlag: number } | undefined, height: number): void {
    if (sig === undefined) return;
    if (sig.blockIdFlag !== BLOCK_ID_FLAG.absent) {
      this.#set('consensus_validator_last_signed_height', height);
    } else this.#missed.inc({ validator_address: hex(this.#own) });
  }

  /** The page's content type. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The page. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
