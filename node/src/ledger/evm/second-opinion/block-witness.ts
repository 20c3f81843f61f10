/**
 * Watches one execution of a block and tells which of its runs another EVM can be held to.
 *
 * The other EVM gives every address an account of its own, has its own block hashes, checks a
 * sender's funds and nonce when the block begins, and knows nothing of what happens between runs.
 * A run that depends on any of these is named with its reason; what it met is tainted, and so is
 * every later run that meets the same.
 * Upholds: tips are sums, so paying one to a tainted proposer taints nothing. What an account or
 * slot is said to have after the block is what it had after the last of these runs that met it:
 * what comes later is not theirs.
 *
 * @module
 */
import { equalBytes, latin1 } from '../../../base/bytes.ts';
import { invariant, present } from '../../../base/errors.ts';
import type { AccountId } from '../../addresses.ts';
import { getAccount } from '../../auth/accounts.ts';
import type { Overlay } from '../../overlay.ts';
import { contractKey, slotCodec, slotKey, wordBytes } from '../records.ts';
import type { EvmBlock, EvmPorts } from '../types.ts';
import type { MetAccount } from '../witness.ts';
import type {
  BlockObserver,
  RanRun,
  SeenAccount,
  SeenBlock,
  SeenRun,
  SeenSlot,
  Unmirrored,
} from './port.ts';
import { isTx } from './requests.ts';

type Address = {
  readonly place: number;
  readonly address: Uint8Array;
  readonly before: MetAccount;
  /** What it had after the last run that met it. */
  last: MetAccount;
};
type Slot = {
  readonly place: number;
  readonly id: AccountId;
  readonly slot: string;
  readonly before: bigint;
  /** What it had when runs began of which nothing is told; nothing if it was met since. */
  paused: bigint | undefined;
};

/** What values are read with. */
type Reading = Pick<EvmPorts, 'bank' | 'resolve' | 'chainId'>;

/** What the run that goes on has met. */
class Meetings {
  readonly addresses = new Map<string, string>();
  readonly slots = new Set<string>();
  /** The address that is only tipped. */
  tipped: readonly [name: string, id: string] | undefined;
  blockHash = false;
  /** Whether an account or slot was changed by something else than a run that was told of. */
  changed = false;
  ended = false;

  /** Addresses and accounts, the tipped one among them. */
  all(): readonly (readonly [name: string, id: string])[] {
    return [...this.addresses, ...(this.tipped === undefined ? [] : [this.tipped])];
  }
}

/** Whether two records name the same code. */
export function sameRecord(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === undefined || b === undefined ? a === b : equalBytes(a, b);
}

function isSame(a: MetAccount, b: MetAccount): boolean {
  const numbers = a.balance === b.balance && a.nonce === b.nonce;
  return numbers && equalBytes(a.id, b.id) && sameRecord(a.contract, b.contract);
}

/** Watches the runs of one block. */
export class BlockWitness implements BlockObserver {
  readonly #reading: Reading;
  readonly #state: Overlay;
  readonly #addresses = new Map<string, Address>();
  readonly #slots = new Map<string, Slot>();
  readonly #runs: SeenRun[] = [];
  /** Accounts and the address by which each was met first. */
  readonly #faces = new Map<string, string>();
  /** Accounts and slots whose values the other EVM does not have. */
  readonly #tainted = new Set<string>();
  readonly #sent = new Map<string, bigint>();
  #block: EvmBlock | undefined;
  #now = new Meetings();
  #previous = new Meetings();

  /** @param state - what the block is executed on */
  constructor(reading: Reading, state: Overlay) {
    this.#reading = reading;
    this.#state = state;
  }

  met(address: Uint8Array, account: MetAccount): void {
    const name = latin1(address);
    const id = latin1(account.id);
    const known = this.#addresses.get(name);
    if (known === undefined) {
      const place = this.#addresses.size;
      this.#addresses.set(name, { place, address, before: account, last: account });
    } else if (!this.#now.addresses.has(name) && !isSame(known.last, account)) {
      this.#now.changed = true;
    }
    if (!this.#now.ended) this.#now.addresses.set(name, id);
    else if (!this.#now.addresses.has(name)) this.#now.tipped = [name, id];
  }

  slot(id: AccountId, slot: string, value: bigint): void {
    const name = latin1(id) + slot;
    this.#now.slots.add(name);
    const known = this.#slots.get(name);
    if (known === undefined) {
      const place = this.#slots.size;
      this.#slots.set(name, { place, id, slot, before: value, paused: undefined });
    } else if (known.paused !== undefined) {
      if (known.paused !== value) this.#now.changed = true;
      known.paused = undefined;
    }
  }

  askedBlockHash(): void {
    this.#now.blockHash = true;
  }

  ended(): void {
    this.#now.ended = true;
  }

  ran(run: RanRun): void {
    const now = this.#now;
    this.#now = new Meetings();
    this.#previous = now;
    this.#block = run.block;
    const unmirrored = this.#faceFault(now) ?? this.#limitOf(now, run);
    if (unmirrored === undefined) {
      const sender = latin1(run.call.from);
      this.#sent.set(sender, (this.#sent.get(sender) ?? 0n) + 1n);
    } else {
      this.#taint(now);
    }
    this.#remember(now);
    const accounts = [...now.addresses.keys()].map((name) => this.#at(name).place);
    const slots = [...now.slots].map((name) => present(this.#slots.get(name), 'met slot').place);
    const { kind, hash, call, outcome } = run;
    this.#runs.push({ kind, hash, call, outcome, unmirrored, accounts, slots });
  }

  pause(): void {
    for (const slot of this.#slots.values()) slot.paused ??= this.#valueOf(slot);
  }

  takenBack(): void {
    const run = present(this.#runs.pop(), 'run to take back');
    this.#runs.push({ ...run, unmirrored: run.unmirrored ?? 'takenBack' });
    this.#taint(this.#previous);
    this.#remember(this.#previous);
  }

  #at(name: string): Address {
    return present(this.#addresses.get(name), 'met address');
  }

  #taint(met: Meetings): void {
    for (const [, id] of met.all()) this.#tainted.add(id);
    for (const name of met.slots) this.#tainted.add(name);
  }

  /** Notes what the accounts have now. */
  #remember(met: Meetings): void {
    for (const [name] of met.all()) {
      const known = this.#at(name);
      known.last = this.#read(known.address);
    }
  }

  #read(address: Uint8Array): MetAccount {
    const id = this.#reading.resolve(this.#state, address);
    return {
      id,
      balance: this.#reading.bank.balance(this.#state, id),
      nonce: BigInt(getAccount(this.#state, id)?.sequence ?? 0),
      contract: this.#state.get(contractKey(id).bytes),
    };
  }

  #valueOf({ id, slot }: Slot): bigint {
    return this.#state.read(slotKey(id, wordBytes(slot)), slotCodec) ?? 0n;
  }

  /** Whether the run meets an account by another address than the block did before. */
  #faceFault(now: Meetings): Unmirrored | undefined {
    let fault = false;
    for (const [name, id] of now.all()) {
      const face = this.#faces.get(id);
      if (face === undefined) this.#faces.set(id, name);
      else if (face !== name) fault = true;
    }
    return fault ? 'twoFaces' : undefined;
  }

  #limitOf(now: Meetings, { call, outcome, block }: RanRun): Unmirrored | undefined {
    if (now.blockHash) return 'blockHash';
    if (now.changed) return 'between';
    const met = [...now.addresses.values(), ...now.slots];
    if (met.some((name) => this.#tainted.has(name))) return 'afterUnmirrored';
    const name = latin1(call.from);
    if (!isTx(call)) {
      invariant(outcome.gasPrice === block.baseFee, 'a call of the ledger names the base fee');
      const own = [name, call.to && latin1(call.to)];
      const isAlone = [...now.addresses.keys()].every((met) => own.includes(met));
      return block.baseFee === 0n || isAlone ? undefined : 'callerFunds';
    }
    const { before } = this.#at(name);
    if (before.balance < call.gasLimit * call.maxFeePerGas + call.value) return 'funded';
    const sent = this.#sent.get(name) ?? 0n;
    return call.nonce === before.nonce + sent ? undefined : 'nonceMoved';
  }

  /** All that was seen, with the values that the runs leave; nothing if nothing ran. */
  seen(): SeenBlock | undefined {
    const block = this.#block;
    if (block === undefined) return undefined;
    const faces = new Map<string, Uint8Array>();
    const accounts: SeenAccount[] = [];
    for (const { address, before, last: after } of this.#addresses.values()) {
      const ids = [latin1(before.id), latin1(after.id)];
      const tainted = ids.some((id) => this.#tainted.has(id)) || ids[0] !== ids[1];
      accounts.push({ address, before, after, tainted });
      for (const id of ids) if (!faces.has(id)) faces.set(id, address);
    }
    const slots: SeenSlot[] = [];
    for (const [name, known] of this.#slots) {
      const { id, slot, before } = known;
      const after = known.paused ?? this.#valueOf(known);
      const address = present(faces.get(latin1(id)), 'address of an account');
      slots.push({ address, slot, before, after, tainted: this.#tainted.has(name) });
    }
    return { chainId: this.#reading.chainId, block, runs: this.#runs, accounts, slots };
  }
}
