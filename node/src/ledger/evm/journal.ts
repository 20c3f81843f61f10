/**
 * What one run remembers: addresses and slots that it touched (EIP-2929), created and destroyed,
 * and its transient storage (EIP-1153), with checkpoints.
 *
 * Upholds: what a reverted frame warmed is cold again; what was warm from the start stays warm.
 * It takes the place of the library's journal, which makes six collections per frame and hex text
 * of each address; accounts that are touched and empty need no cleaning, as they have no record.
 *
 * @module
 */
import type { Account, Address } from '@ethereumjs/util';
import { fromHex, latin1, toHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import type { FlatState } from './state.ts';
import type { EvmAccess } from './types.ts';

function bytesOfHex(hex: string): Uint8Array {
  return present(fromHex(hex.startsWith('0x') ? hex.slice(2) : hex), 'hex of an address or slot');
}

type Hex = `0x${string}`;

/** A set that can forget what was added last. */
class UndoSet extends Set<Hex> {
  readonly #added: Hex[] = [];

  override add(value: Hex): this {
    if (!this.has(value)) this.#added.push(value);
    return super.add(value);
  }

  get mark(): number {
    return this.#added.length;
  }

  back(mark: number): void {
    for (const value of this.#added.splice(mark)) this.delete(value);
  }
}

/** A map that can forget what was added last; what a key meant first it keeps. */
class UndoMap extends Map<Hex, Hex> {
  readonly #added: Hex[] = [];

  override set(key: Hex, value: Hex): this {
    if (this.has(key)) return this;
    this.#added.push(key);
    return super.set(key, value);
  }

  get mark(): number {
    return this.#added.length;
  }

  back(mark: number): void {
    for (const key of this.#added.splice(mark)) this.delete(key);
  }
}

type Marks = {
  readonly warm: number;
  readonly created: number;
  readonly destroyed: number;
  readonly transient: number;
};
type Before = { readonly name: string; readonly value: bigint | undefined };

/** The journal. */
export class WarmJournal {
  readonly #state: FlatState;
  readonly #warm = new Set<string>();
  readonly #undo: string[] = [];
  readonly #marks: Marks[] = [];
  /** Addresses that this run created and did not take back. */
  readonly created: UndoSet = new UndoSet();
  /** Addresses that destroyed themselves, and who got their funds. */
  readonly destroyed: UndoMap = new UndoMap();
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
    this.cleanJournal();
    this.#allWarm = allWarm;
    this.#accessed = report ? new Map() : undefined;
  }

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

  addWarmedAddress(address: Uint8Array): void {
    this.#add(latin1(address));
    if (this.#accessed !== undefined) this.#note(address);
  }

  /** Warms an address. @returns whether it was cold */
  warmAddress(address: Uint8Array): boolean {
    const cold = !this.isWarmedAddress(address);
    if (this.#allWarm && this.#accessed !== undefined) this.#note(address);
    if (cold) this.addWarmedAddress(address);
    return cold;
  }

  isWarmedStorage(address: Uint8Array, slot: Uint8Array): boolean {
    return this.#allWarm || this.#warm.has(latin1(address) + toHex(slot));
  }

  addWarmedStorage(address: Uint8Array, slot: Uint8Array): void {
    this.warmSlot(latin1(address), toHex(slot), address);
  }

  /** Warms a slot. @returns whether it was cold */
  warmSlot(name: string, hex: string, address: Uint8Array): boolean {
    const slot = name + hex;
    if (this.#accessed !== undefined) this.#note(address).add(hex);
    if (this.#allWarm || this.#warm.has(slot)) return false;
    this.#add(slot);
    return true;
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

  #add(name: string): void {
    if (this.#warm.has(name)) return;
    this.#warm.add(name);
    this.#undo.push(name);
  }

  #note(address: Uint8Array): Set<string> {
    const hex = toHex(address);
    const known = this.#accessed?.get(hex);
    if (known !== undefined) return known;
    const slots = new Set<string>();
    this.#accessed?.set(hex, slots);
    return slots;
  }

  addAlwaysWarmAddress(address: string): void {
    this.#warm.add(latin1(bytesOfHex(address)));
  }

  addAlwaysWarmSlot(address: string, slot: string): void {
    this.#warm.add(latin1(bytesOfHex(address)) + slot);
  }

  /** Warms an address for the whole run. */
  always(address: Uint8Array): void {
    this.#warm.add(latin1(address));
  }

  /** Warms a slot for the whole run. */
  alwaysSlot(address: Uint8Array, slot: Uint8Array): void {
    this.#warm.add(latin1(address) + toHex(slot));
  }

  putAccount(address: Address, account: Account | undefined): Promise<void> {
    return this.#state.putAccount(address, account);
  }

  deleteAccount(address: Address): Promise<void> {
    return this.#state.deleteAccount(address);
  }

  /** Opens a checkpoint. */
  open(): void {
    const { created, destroyed } = this;
    this.#marks.push({
      warm: this.#undo.length,
      created: created.mark,
      destroyed: destroyed.mark,
      transient: this.#transientUndo.length,
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
    const { warm, created, destroyed, transient } = marks;
    for (const { name, value } of this.#transientUndo.splice(transient).reverse()) {
      if (value === undefined) this.#transient.delete(name);
      else this.#transient.set(name, value);
    }
    for (const name of this.#undo.splice(warm)) this.#warm.delete(name);
    this.created.back(created);
    this.destroyed.back(destroyed);
    this.#state.undo();
  }

  checkpoint(): Promise<void> {
    this.open();
    return Promise.resolve();
  }

  commit(): Promise<void> {
    this.keep();
    return Promise.resolve();
  }

  revert(): Promise<void> {
    this.undo();
    return Promise.resolve();
  }

  cleanJournal(): void {
    this.#warm.clear();
    this.#undo.length = 0;
    this.#marks.length = 0;
    this.#transient.clear();
    this.#transientUndo.length = 0;
    this.created.back(0);
    this.destroyed.back(0);
  }

  cleanup(): Promise<void> {
    this.cleanJournal();
    return Promise.resolve();
  }
}
