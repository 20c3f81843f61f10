/**
 * What one run remembers: addresses and slots that it touched (EIP-2929), created and destroyed,
 * its logs, refunds and transient storage (EIP-1153), with checkpoints.
 *
 * Upholds: what a reverted frame warmed is cold again; what was warm from the start stays warm.
 * Accounts that are touched and empty need no cleaning, as they have no record.
 *
 * @module
 */
import { fromHex, fromLatin1, latin1, toHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import type { FlatState } from './state.ts';
import type { EvmAccess, EvmLog } from './types.ts';

function bytesOfHex(hex: string): Uint8Array {
  return present(fromHex(hex), 'hex of an address or slot');
}

/** A set that can forget what was added last. */
class UndoSet {
  readonly #names = new Set<string>();
  readonly #added: string[] = [];

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** Adds a name. @returns whether it is new */
  add(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    this.#added.push(name);
    return true;
  }

  /** Adds a name that is not forgotten. */
  keep(name: string): void {
    this.#names.add(name);
  }

  /** What can be forgotten, in order. */
  get added(): readonly string[] {
    return this.#added;
  }

  get mark(): number {
    return this.#added.length;
  }

  back(mark: number): void {
    while (this.#added.length > mark) this.#names.delete(this.#added.pop() as string);
  }

  clear(): void {
    this.#names.clear();
    this.#added.length = 0;
  }
}

type Marks = {
  readonly warm: number;
  readonly created: number;
  readonly destroyed: number;
  readonly transient: number;
  readonly logs: number;
  readonly refund: bigint;
};
type Before = { readonly name: string; readonly value: bigint | undefined };

/** The journal. */
export class WarmJournal {
  readonly #state: FlatState;
  readonly #warm = new UndoSet();
  readonly #marks: Marks[] = [];
  readonly #created = new UndoSet();
  readonly #destroyed = new UndoSet();
  readonly #logs: EvmLog[] = [];
  #refund = 0n;
  /** Transient storage (EIP-1153): by account and slot. */
  readonly #transient = new Map<string, bigint>();
  readonly #transientUndo: Before[] = [];
  #accessed: Map<string, Set<string>> | undefined;
  #allWarm = false;

  constructor(state: FlatState) {
    this.#state = state;
  }

  /**
   * Starts a run.
   *
   * @param report - whether `accesses` is to be asked
   * @param allWarm - whether everything is warm from the start
   */
  begin(report: boolean, allWarm = false): void {
    for (const set of [this.#warm, this.#created, this.#destroyed]) set.clear();
    this.#marks.length = 0;
    this.#logs.length = 0;
    this.#refund = 0n;
    this.#transient.clear();
    this.#transientUndo.length = 0;
    this.#allWarm = allWarm;
    this.#accessed = report ? new Map() : undefined;
  }

  // Logs, refunds, creations

  /** The logs of frames that did not fail. */
  logs(): readonly EvmLog[] {
    return [...this.#logs];
  }

  log(log: EvmLog): void {
    this.#logs.push(log);
  }

  /** Gas to be given back at the end. */
  get refunded(): bigint {
    return this.#refund;
  }

  /** Gives back gas at the end, or takes that back. */
  refund(gas: bigint): void {
    this.#refund += gas;
  }

  /** Notes that this run makes a contract at an address. */
  create(address: Uint8Array): void {
    this.#created.add(latin1(address));
  }

  isCreated(address: Uint8Array): boolean {
    return this.#created.has(latin1(address));
  }

  /** Notes that a contract destroyed itself. */
  destroy(address: Uint8Array): void {
    this.#destroyed.add(latin1(address));
  }

  /** Addresses that this run created and that destroyed themselves (EIP-6780). */
  gone(): readonly Uint8Array[] {
    return this.#destroyed.added.filter((name) => this.#created.has(name)).map(fromLatin1);
  }

  // What is warm

  /** Everything that was touched, reverted or not, but for what was warm from the start. */
  accesses(): readonly EvmAccess[] {
    return [...(this.#accessed ?? [])].map(([address, slots]) => ({
      address: bytesOfHex(address),
      slots: [...slots].map(bytesOfHex),
    }));
  }

  isWarmedAddress(address: Uint8Array): boolean {
    return this.#allWarm || this.#warm.has(latin1(address));
  }

  /** Warms an address. @returns whether it was cold */
  warmAddress(address: Uint8Array): boolean {
    if (this.#allWarm) {
      if (this.#accessed !== undefined) this.#note(address);
      return false;
    }
    const cold = this.#warm.add(latin1(address));
    if (cold && this.#accessed !== undefined) this.#note(address);
    return cold;
  }

  /** Warms a slot. @returns whether it was cold */
  warmSlot(name: string, hex: string, address: Uint8Array): boolean {
    if (this.#accessed !== undefined) this.#note(address).add(hex);
    return !this.#allWarm && this.#warm.add(name + hex);
  }

  /** A transient slot's value. @param name - of account and slot */
  transient(name: string): bigint {
    return this.#transient.get(name) ?? 0n;
  }

  /** Sets a transient slot. */
  setTransient(name: string, value: bigint): void {
    this.#transientUndo.push({ name, value: this.#transient.get(name) });
    this.#transient.set(name, value);
  }

  #note(address: Uint8Array): Set<string> {
    const hex = toHex(address);
    const known = this.#accessed?.get(hex);
    if (known !== undefined) return known;
    const slots = new Set<string>();
    this.#accessed?.set(hex, slots);
    return slots;
  }

  /** Warms an address for the whole run. */
  always(address: Uint8Array): void {
    this.#warm.keep(latin1(address));
  }

  /** Warms a slot for the whole run. */
  alwaysSlot(address: Uint8Array, slot: Uint8Array): void {
    this.#warm.keep(latin1(address) + toHex(slot));
  }

  // Checkpoints

  /** Opens a checkpoint. */
  open(): void {
    this.#marks.push({
      warm: this.#warm.mark,
      created: this.#created.mark,
      destroyed: this.#destroyed.mark,
      transient: this.#transientUndo.length,
      logs: this.#logs.length,
      refund: this.#refund,
    });
    this.#state.open();
  }

  /** Closes the last checkpoint. */
  keep(): void {
    this.#marks.pop();
    this.#state.keep();
  }

  /** Goes back to the last checkpoint. */
  undo(): void {
    const marks = present(this.#marks.pop(), 'open checkpoint');
    while (this.#transientUndo.length > marks.transient) {
      const { name, value } = this.#transientUndo.pop() as Before;
      if (value === undefined) this.#transient.delete(name);
      else this.#transient.set(name, value);
    }
    this.#warm.back(marks.warm);
    this.#created.back(marks.created);
    this.#destroyed.back(marks.destroyed);
    this.#logs.length = marks.logs;
    this.#refund = marks.refund;
    this.#state.undo();
  }
}
