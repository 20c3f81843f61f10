/**
 * The event bus: what subscribers are told about the chain, chosen by their queries.
 *
 * Upholds: publishing returns at once; events are delivered in slices between other work, in order
 * of publication. An event that nobody subscribed to costs nothing, and the text of one that is
 * sent is built once for all. The backlog is bounded: when it overflows, every subscription ends
 * with a reason, and the node goes on.
 * Absent here: JSON (rpc/json-events.ts), connections and their buffers (rpc/websocket.ts).
 * Spec: CometBFT 0.38 types/event_bus.go, types/events.go.
 *
 * @module
 */
import { toUpperHex } from '../base/bytes.ts';
import { txHashes } from '../types/block.ts';
import type { ChainEvent } from '../types/chain-events.ts';
import type { CommittedHeight } from '../types/chain-state.ts';
import type { AbciEvent } from '../types/results.ts';
import { type Attributes, matches, type Query } from './query.ts';

/** What happened, under CometBFT's name for it (`tm.event`). */
export type BusPayload =
  | {
      readonly name: 'NewBlock' | 'NewBlockHeader' | 'NewBlockEvents' | 'ValidatorSetUpdates';
      readonly height: CommittedHeight;
    }
  | {
      readonly name: 'Tx' | 'NewEvidence';
      readonly height: CommittedHeight;
      /** Position in the block. */
      readonly index: number;
    }
  | { readonly name: 'round'; readonly event: Extract<ChainEvent, { kind: 'round' }> }
  | { readonly name: 'Vote'; readonly event: Extract<ChainEvent, { kind: 'vote' }> };

/** One event on the bus; attributes and text are made when first asked for. */
export class BusEvent {
  readonly payload: BusPayload;
  #attributes: Attributes | undefined;
  #text: string | undefined;

  constructor(payload: BusPayload) {
    this.payload = payload;
  }

  /** CometBFT's name of the event. */
  get name(): string {
    const { payload } = this;
    return payload.name === 'round' ? payload.event.name : payload.name;
  }

  /** The attributes queries see. */
  get attributes(): Attributes {
    this.#attributes ??= attributesOf(this.payload, this.name);
    return this.#attributes;
  }

  /** The event's text, built by `render` the first time. */
  text(render: (event: BusEvent) => string): string {
    this.#text ??= render(this);
    return this.#text;
  }
}

function collect(into: Map<string, string[]>, events: readonly AbciEvent[]): void {
  for (const { type, attributes } of events) {
    if (type === '') continue;
    for (const { key, value } of attributes) {
      if (key === '') continue;
      const tag = `${type}.${key}`;
      const values = into.get(tag);
      if (values === undefined) into.set(tag, [value]);
      else values.push(value);
    }
  }
}

function attributesOf(payload: BusPayload, name: string): Attributes {
  const out = new Map<string, string[]>();
  if (payload.name === 'Tx') {
    const { block, results } = payload.height;
    const hash = txHashes(block.data.txs)[payload.index];
    collect(out, results.txResults[payload.index]?.events ?? []);
    if (hash !== undefined) out.set('tx.hash', [toUpperHex(hash)]);
    out.set('tx.height', [String(block.header.height)]);
  } else if (payload.name === 'NewBlock' || payload.name === 'NewBlockEvents') {
    collect(out, payload.height.results.events);
    if (payload.name === 'NewBlockEvents') {
      out.set('block.height', [String(payload.height.block.header.height)]);
    }
  }
  out.set('tm.event', [name]);
  return out;
}

/** Ends a subscription from the bus's side; `reason` is for the client. */
export type Ended = (reason: string) => void;

/** One query a client follows. */
export type Subscription = {
  readonly query: Query;
  readonly deliver: (event: BusEvent) => void;
  readonly ended: Ended;
};

/** Events waiting for delivery, at most; one height of a full devnet block is about 10,000. */
export const MAX_BACKLOG = 100_000;
/** Events delivered in one turn of the event loop. */
const SLICE = 64;

/** Publishes chain events to subscriptions. */
export class EventBus {
  readonly #subscriptions: Set<Subscription> = new Set();
  /** How many subscriptions may want an event of this name; `*` may want any. */
  readonly #wanted: Map<string, number> = new Map();
  #backlog: BusEvent[] = [];
  #next = 0;
  #scheduled = false;

  /** Number of subscriptions. */
  get size(): number {
    return this.#subscriptions.size;
  }

  /** Starts delivering what matches. Ends with `unsubscribe`, or when the bus calls `ended`. */
  subscribe(subscription: Subscription): void {
    if (this.#subscriptions.has(subscription)) return;
    this.#subscriptions.add(subscription);
    this.#count(subscription, 1);
  }

  /** Stops delivering; does not call `ended`. */
  unsubscribe(subscription: Subscription): void {
    if (this.#subscriptions.delete(subscription)) this.#count(subscription, -1);
  }

  #count(subscription: Subscription, by: number): void {
    const name = wantedName(subscription.query);
    this.#wanted.set(name, (this.#wanted.get(name) ?? 0) + by);
  }

  #wants(name: string): boolean {
    return (this.#wanted.get(name) ?? 0) > 0 || (this.#wanted.get('*') ?? 0) > 0;
  }

  /** Queues an event for its subscribers. Never throws, never blocks. */
  publish(event: ChainEvent): void {
    if (this.#subscriptions.size === 0) return;
    if (event.kind === 'committed') this.#publishHeight(event.height);
    else if (event.kind === 'vote') this.#push('Vote', { name: 'Vote', event });
    else this.#push(event.name, { name: 'round', event });
  }

  #publishHeight(height: CommittedHeight): void {
    const { block, results } = height;
    for (const name of ['NewBlock', 'NewBlockHeader', 'NewBlockEvents'] as const) {
      this.#push(name, { name, height });
    }
    if (this.#wants('NewEvidence')) {
      for (const index of block.evidence.evidence.keys()) {
        this.#push('NewEvidence', { name: 'NewEvidence', height, index });
      }
    }
    if (this.#wants('Tx')) {
      for (const index of block.data.txs.keys()) this.#push('Tx', { name: 'Tx', height, index });
    }
    if (results.validatorUpdates.length > 0) {
      this.#push('ValidatorSetUpdates', { name: 'ValidatorSetUpdates', height });
    }
  }

  #push(name: string, payload: BusPayload): void {
    if (!this.#wants(name)) return;
    if (this.#backlog.length - this.#next >= MAX_BACKLOG) {
      this.#overflow();
      return;
    }
    this.#backlog.push(new BusEvent(payload));
    if (this.#scheduled) return;
    this.#scheduled = true;
    // The first slice goes before the next height's work: whoever waits for a commit hears at once.
    queueMicrotask(() => this.#drain());
  }

  #overflow(): void {
    this.#backlog = [];
    this.#next = 0;
    for (const subscription of [...this.#subscriptions]) {
      this.unsubscribe(subscription);
      subscription.ended('the node has too many events waiting');
    }
  }

  #drain(): void {
    const until = Math.min(this.#next + SLICE, this.#backlog.length);
    while (this.#next < until) {
      const event = this.#backlog[this.#next++];
      if (event !== undefined) this.#deliver(event);
    }
    if (this.#next < this.#backlog.length) {
      setImmediate(() => this.#drain());
      return;
    }
    this.#backlog = [];
    this.#next = 0;
    this.#scheduled = false;
  }

  #deliver(event: BusEvent): void {
    for (const subscription of this.#subscriptions) {
      const wanted = wantedName(subscription.query);
      if (wanted !== '*' && wanted !== event.name) continue;
      const alone = wanted !== '*' && subscription.query.conditions.length === 1;
      if (alone || matches(subscription.query, event.attributes)) subscription.deliver(event);
    }
  }
}

/** The event name a query asks for, or `*` if it does not fix one. */
function wantedName(query: Query): string {
  const [first] = query.conditions;
  const fixes = first?.tag === 'tm.event' && first.op === '=' && first.operand.kind === 'string';
  return fixes ? first.operand.text : '*';
}
