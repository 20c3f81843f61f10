/**
 * Watches one execution of a block and tells which of its runs another EVM can be held to.
 *
 * The other EVM gives every address an account of its own, has its own block hashes, and checks a
 * sender's funds and nonce when the block begins. A run that depends on any of these is named with
 * its reason; what it met is tainted, and so is every later run that meets the same.
 * Upholds: tips are sums, so paying one to a tainted proposer taints nothing.
 *
 * @module
 */
import { latin1 } from '../../../base/bytes.ts';
import { present } from '../../../base/errors.ts';
import type { AccountId } from '../../addresses.ts';
import { getAccount } from '../../auth/accounts.ts';
import type { Overlay } from '../../overlay.ts';
import { contractKey, slotCodec, slotKey, wordBytes } from '../records.ts';
import type { EvmBlock, EvmPorts } from '../types.ts';
import type { MetAccount } from '../witness.ts';
import type {
  AccountValues,
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
};
type Slot = {
  readonly place: number;
  readonly id: AccountId;
  readonly slot: string;
  before: bigint;
};

/** What values are read with. */
type SeenPorts = Pick<EvmPorts, 'bank' | 'resolve' | 'chainId'>;

/** What the run that goes on has met. */
class Meetings {
  readonly addresses = new Map<string, string>();
  readonly slots = new Set<string>();
  /** The address that is only tipped. */
  tipped: readonly [name: string, id: string] | undefined;
  blockHash = false;
  moved = false;
  ended = false;
}

/** Watches the runs of one block. */
export class BlockWitness implements BlockObserver {
  readonly #addresses = new Map<string, Address>();
  readonly #slots = new Map<string, Slot>();
  readonly #runs: SeenRun[] = [];
  /** Accounts and the address by which each was met first. */
  readonly #faces = new Map<string, string>();
  /** Accounts and slots whose values the other EVM does not have. */
  readonly #tainted = new Set<string>();
  readonly #sent = new Map<string, bigint>();
  #now = new Meetings();

  /** How many runs it watched. */
  get size(): number {
    return this.#runs.length;
  }

  met(address: Uint8Array, account: MetAccount): void {
    const name = latin1(address);
    const id = latin1(account.id);
    const known = this.#addresses.get(name);
    if (known === undefined) {
      this.#addresses.set(name, { place: this.#addresses.size, address, before: account });
    } else if (latin1(known.before.id) !== id) {
      this.#now.moved = true;
    }
    if (!this.#now.ended) this.#now.addresses.set(name, id);
    else if (!this.#now.addresses.has(name)) this.#now.tipped = [name, id];
  }

  slot(id: AccountId, slot: string, value: bigint): void {
    const name = latin1(id) + slot;
    this.#now.slots.add(name);
    if (this.#slots.has(name)) return;
    this.#slots.set(name, { place: this.#slots.size, id, slot, before: value });
  }

  askedBlockHash(): void {
    this.#now.blockHash = true;
  }

  ended(): void {
    this.#now.ended = true;
  }

  ran(run: RanRun): void {
    const { call } = run;
    const now = this.#now;
    this.#now = new Meetings();
    const unmirrored = this.#faceFault(now) ?? this.#limitOf(now, run);
    if (unmirrored === undefined) {
      const sender = latin1(call.from);
      this.#sent.set(sender, (this.#sent.get(sender) ?? 0n) + 1n);
    } else {
      for (const id of now.addresses.values()) this.#tainted.add(id);
      for (const name of now.slots) this.#tainted.add(name);
      if (now.tipped !== undefined) this.#tainted.add(now.tipped[1]);
    }
    const accounts = [...now.addresses.keys()].map((name) => this.#addresses.get(name)?.place ?? 0);
    const slots = [...now.slots].map((name) => this.#slots.get(name)?.place ?? 0);
    const { kind, hash, outcome } = run;
    this.#runs.push({ kind, hash, call, outcome, unmirrored, accounts, slots });
  }

  /** Whether the run meets an account by another address than the block did before. */
  #faceFault(now: Meetings): Unmirrored | undefined {
    const met = [...now.addresses, ...(now.tipped === undefined ? [] : [now.tipped])];
    let fault = now.moved;
    for (const [name, id] of met) {
      const face = this.#faces.get(id);
      if (face === undefined) this.#faces.set(id, name);
      else if (face !== name) fault = true;
    }
    return fault ? 'twoFaces' : undefined;
  }

  #limitOf(now: Meetings, { call, outcome, block }: RanRun): Unmirrored | undefined {
    if (now.blockHash) return 'blockHash';
    for (const id of now.addresses.values()) if (this.#tainted.has(id)) return 'afterUnmirrored';
    for (const name of now.slots) if (this.#tainted.has(name)) return 'afterUnmirrored';
    if (!isTx(call)) return outcome.gasPrice === block.baseFee ? undefined : 'gasPrice';
    const name = latin1(call.from);
    const { before } = present(this.#addresses.get(name), 'sender that was met');
    if (before.balance < call.gasLimit * call.maxFeePerGas + call.value) return 'funded';
    const sent = this.#sent.get(name) ?? 0n;
    return call.nonce === before.nonce + sent ? undefined : 'nonceMoved';
  }

  /** All that was seen, with the values after the block's last run. */
  seen(block: EvmBlock, ports: SeenPorts, state: Overlay): SeenBlock {
    const faces = new Map<string, Uint8Array[]>();
    const accounts: SeenAccount[] = [];
    for (const { address, before } of this.#addresses.values()) {
      const id = ports.resolve(state, address);
      const name = latin1(id);
      const tainted = this.#tainted.has(name) || this.#tainted.has(latin1(before.id));
      accounts.push({ address, before, after: valuesOf(ports, state, id), tainted });
      for (const of of new Set([name, latin1(before.id)])) {
        faces.set(of, [...(faces.get(of) ?? []), address]);
      }
    }
    const slots: SeenSlot[] = [];
    for (const [name, { id, slot, before }] of this.#slots) {
      const after = state.read(slotKey(id, wordBytes(slot)), slotCodec) ?? 0n;
      const [address] = present(faces.get(latin1(id)), 'address of an account');
      const tainted = this.#tainted.has(name);
      slots.push({ address: present(address, 'address'), slot, before, after, tainted });
    }
    return { chainId: ports.chainId, block, runs: this.#runs, accounts, slots };
  }
}

function valuesOf(ports: SeenPorts, state: Overlay, id: AccountId): AccountValues {
  return {
    balance: ports.bank.balance(state, id),
    nonce: BigInt(getAccount(state, id)?.sequence ?? 0),
    contract: state.get(contractKey(id).bytes),
  };
}
