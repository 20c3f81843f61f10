/**
 * Events as the Cosmos SDK words them.
 *
 * Only what is searched for asks for the index: who (sender, recipient, spender, receiver), what
 * (action, acc_seq), and which entry (id, key). Amounts, fees and signatures are shown only; each
 * index entry costs as much as a tenth of a put.
 * Upholds: within one transaction the same `type.key = value` asks for the index once, since one
 * index entry finds the transaction already.
 * Spec: Cosmos SDK 0.50, baseapp and x/bank events.
 *
 * @module
 */
import type { AbciEvent, EventAttribute } from '../types/results.ts';
import type { Emit } from './module.ts';

/** An attribute that the index carries. */
export function indexed(key: string, value: string): EventAttribute {
  return { key, value, index: true };
}

/** An attribute that is only shown. */
export function shown(key: string, value: string): EventAttribute {
  return { key, value, index: false };
}

/** Collects the events of one transaction. */
export class EventLog {
  readonly #events: AbciEvent[] = [];
  readonly #seen = new Map<string, Map<string, Set<string>>>();

  /** How many events there are. */
  get size(): number {
    return this.#events.length;
  }

  /** Adds an event. */
  readonly emit: Emit = (type, attributes) => {
    this.#events.push({ type, attributes: attributes.map((a) => this.#once(type, a)) });
  };

  #once(type: string, attribute: EventAttribute): EventAttribute {
    if (!attribute.index) return attribute;
    const values = this.#values(type, attribute.key);
    const { size } = values;
    return values.add(attribute.value).size > size ? attribute : { ...attribute, index: false };
  }

  /** The values of `type.key` that ask for the index already. */
  #values(type: string, key: string): Set<string> {
    const keys = this.#seen.get(type) ?? new Map<string, Set<string>>();
    if (keys.size === 0) this.#seen.set(type, keys);
    const values = keys.get(key) ?? new Set<string>();
    if (values.size === 0) keys.set(key, values);
    return values;
  }

  /** Drops all events after the first `size`. */
  truncate(size: number): void {
    this.#events.length = size;
  }

  /** The events, in order. */
  list(): readonly AbciEvent[] {
    return this.#events;
  }
}

/** An emitter that adds the message's place to every event. */
export function withMessageIndex(emit: Emit, index: number): Emit {
  const place = shown('msg_index', String(index));
  return (type, attributes) => emit(type, [...attributes, place]);
}
