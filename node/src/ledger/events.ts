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

/** What asks for the index already under one `type.key`. */
type Seen = {
  readonly type: string;
  readonly key: string;
  readonly first: string;
  /** All values, from the second on. */
  values: Set<string> | undefined;
};

/** Collects the events of one transaction. */
export class EventLog {
  readonly #events: AbciEvent[] = [];
  /** A handful: types and keys come from the ledger's own words. */
  readonly #seen: Seen[] = [];
  #place: EventAttribute | undefined;

  /** How many events there are. */
  get size(): number {
    return this.#events.length;
  }

  /** From here on every event carries the place of message `index`. */
  enter(index: number): void {
    this.#place = PLACES[index] ?? shown('msg_index', String(index));
  }

  /** Adds an event. */
  readonly emit: Emit = (type, attributes, unique = 0) => {
    const place = this.#place;
    const count = attributes.length;
    const all = new Array<EventAttribute>(place === undefined ? count : count + 1);
    for (let i = 0; i < count; i++) {
      const attribute = attributes[i] as EventAttribute;
      const again = i >= unique && attribute.index && this.#repeats(type, attribute);
      all[i] = again ? shown(attribute.key, attribute.value) : attribute;
    }
    if (place !== undefined) all[count] = place;
    this.#events.push({ type, attributes: all });
  };

  /** Whether the same asked for the index before; it does from now on. */
  #repeats(type: string, { key, value }: EventAttribute): boolean {
    for (const seen of this.#seen) {
      if (seen.key !== key || seen.type !== type) continue;
      if (seen.first === value) return true;
      seen.values ??= new Set();
      const { size } = seen.values;
      return seen.values.add(value).size === size;
    }
    this.#seen.push({ type, key, first: value, values: undefined });
    return false;
  }

  /** Drops all events after the first `size`, and the place. */
  truncate(size: number): void {
    this.#events.length = size;
    this.#place = undefined;
  }

  /** The events, in order. */
  list(): readonly AbciEvent[] {
    return this.#events;
  }
}

/** Places of the first messages, made once. */
const PLACES: readonly EventAttribute[] = Array.from({ length: 64 }, (_, i) =>
  shown('msg_index', String(i)),
);
