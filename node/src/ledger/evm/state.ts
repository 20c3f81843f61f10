/**
 * The EVM's view of the ledger's records: accounts, code and storage of one run on an overlay.
 *
 * Upholds: balance and nonce of an address are those of the account behind it; an account that is
 * empty to the EVM leaves no record, but one that was there stays; a checkpoint is a mark of the
 * overlay; the sum of all balances changes by exactly what is told to bank.
 * Absent here: a state root, which the ledger's tree gives; clearing storage of earlier blocks,
 * which no rule since Cancun asks for: only what the run itself created is ever deleted.
 *
 * @module
 */
import { KECCAK256_NULL } from '@ethereumjs/util';
import { EMPTY, latin1, toHex } from '../../base/bytes.ts';
import { invariant, present } from '../../base/errors.ts';
import type { AccountId } from '../addresses.ts';
import { accountKey, createAccount, getAccount, setAccount } from '../auth/accounts.ts';
import { keccak256 } from '../keccak.ts';
import type { RecordKey } from '../keys.ts';
import { once } from '../once.ts';
import type { Mark, Overlay } from '../overlay.ts';
import type { CodeStore } from './code.ts';
import {
  contractCodec,
  contractKey,
  DELEGATION_BYTES,
  slotCodec,
  slotKey,
  wordBytes,
  wordOf,
} from './records.ts';
import type { EvmPorts } from './types.ts';
import type { EvmWitness } from './witness.ts';

/** A slot of one account as this run knows it. */
type Slot = { readonly key: RecordKey; readonly original: bigint; written: boolean };

/** An account as this run knows it. */
export type Holder = {
  readonly id: AccountId;
  readonly contract: RecordKey;
  readonly slots: Map<string, Slot>;
  /** Whether this run gave it its record. */
  born: boolean;
};

/** What the EVM knows of an account beside its code. */
export type FlatAccount = { readonly balance: bigint; readonly nonce: bigint };

type Checkpoint = { readonly mark: Mark; readonly minted: bigint };

const delegationHash = once(keccak256);

/** The code hash that a contract's record stands for. */
function hashOf(record: Uint8Array | undefined): Uint8Array {
  if (record === undefined) return KECCAK256_NULL;
  return record.length === DELEGATION_BYTES ? delegationHash(record) : record;
}

/** Accounts, code and storage over an overlay. */
export class FlatState {
  readonly #ports: EvmPorts;
  readonly #codes: CodeStore;
  readonly #holders = new Map<string, Holder>();
  readonly #byId = new Map<string, Holder>();
  readonly #checkpoints: Checkpoint[] = [];
  #minted = 0n;
  #overlay: Overlay | undefined;
  #witness: EvmWitness | undefined;

  constructor(ports: EvmPorts, codes: CodeStore) {
    this.#ports = ports;
    this.#codes = codes;
  }

  /** Starts a run. */
  begin(overlay: Overlay, witness?: EvmWitness): void {
    this.#overlay = overlay;
    this.#witness = witness;
    this.#codes.begin(overlay);
    this.#checkpoints.length = 0;
    this.#minted = 0n;
    this.#holders.clear();
    this.#byId.clear();
  }

  /** Ends a run, whether or not its changes stay. */
  end(): void {
    this.#codes.end();
    this.#holders.clear();
    this.#byId.clear();
  }

  /** Has the changes of a run stay: the supply follows the balances, new code gets its row. */
  finish(): void {
    invariant(this.#checkpoints.length === 0, 'no checkpoint is open when a run ends');
    invariant(this.#minted <= 0n, 'the EVM makes no money');
    if (this.#minted < 0n) this.#ports.bank.changeSupply(this.overlay, this.#minted);
    this.#codes.finish();
  }

  /** The overlay of this run. */
  get overlay(): Overlay {
    return present(this.#overlay, 'overlay of a run');
  }

  /** Which account an address is; asked for once in a run. */
  holder(address: Uint8Array): Holder {
    const name = latin1(address);
    const known = this.#holders.get(name);
    if (known !== undefined) return known;
    const id = this.#ports.resolve(this.overlay, address);
    const idName = latin1(id);
    let holder = this.#byId.get(idName);
    if (holder === undefined) {
      holder = { id, contract: contractKey(id), slots: new Map(), born: false };
      this.#byId.set(idName, holder);
    }
    this.#holders.set(name, holder);
    if (this.#witness !== undefined) this.#tell(this.#witness, address, holder);
    return holder;
  }

  #tell(witness: EvmWitness, address: Uint8Array, { id, contract }: Holder): void {
    witness.met(address.slice(), {
      id,
      balance: this.#ports.bank.balance(this.overlay, id),
      nonce: BigInt(getAccount(this.overlay, id)?.sequence ?? 0),
      contract: this.overlay.get(contract.bytes),
    });
  }

  /** Has the addresses resolved anew: an alias was made. */
  forgetAliases(): void {
    this.#holders.clear();
  }

  // Accounts

  /** The account of an address; `undefined` if it is empty. */
  account(address: Uint8Array): FlatAccount | undefined {
    const holder = this.holder(address);
    const { id } = holder;
    const balance = this.#ports.bank.balance(this.overlay, id);
    const nonce = getAccount(this.overlay, id)?.sequence ?? 0;
    if (balance === 0n && nonce === 0 && this.#contract(holder) === undefined) return undefined;
    return { balance, nonce: BigInt(nonce) };
  }

  /** What an address has. */
  balance(address: Uint8Array): bigint {
    return this.#ports.bank.balance(this.overlay, this.holder(address).id);
  }

  /** The hash of the code of an address; `undefined` if the account is empty. */
  codeHash(address: Uint8Array): Uint8Array | undefined {
    const record = this.#contract(this.holder(address));
    if (record !== undefined) return hashOf(record);
    return this.account(address) === undefined ? undefined : KECCAK256_NULL;
  }

  /** Changes balance and nonce of an address. */
  setAccount(address: Uint8Array, balance: bigint, nonce: bigint): void {
    const holder = this.holder(address);
    this.#setBalance(holder, balance);
    const account = getAccount(this.overlay, holder.id);
    const sequence = Number(nonce);
    if (account?.sequence === sequence) return;
    if (account === undefined && nonce === 0n && balance === 0n) return;
    const record = account ?? this.#create(holder);
    if (record.sequence !== sequence) {
      setAccount(this.overlay, holder.id, { ...record, sequence });
    }
  }

  #setBalance({ id }: Holder, after: bigint): void {
    const before = this.#ports.bank.balance(this.overlay, id);
    if (before === after) return;
    this.#ports.bank.setBalance(this.overlay, id, before, after);
    this.#minted += after - before;
  }

  #create(holder: Holder): ReturnType<typeof createAccount> {
    holder.born = true;
    return createAccount(this.overlay, holder.id);
  }

  /** Deletes what this run created at an address; its funds are gone. */
  remove(address: Uint8Array): void {
    const holder = this.holder(address);
    this.#setBalance(holder, 0n);
    this.clear(holder);
    if (this.#contract(holder) !== undefined) {
      this.overlay.set(holder.contract.bytes, undefined);
    }
    const account = getAccount(this.overlay, holder.id);
    if (account === undefined) return;
    if (holder.born) this.overlay.set(accountKey(holder.id).bytes, undefined);
    else if (account.sequence !== 0) {
      setAccount(this.overlay, holder.id, { ...account, sequence: 0 });
    }
  }

  // Code

  #contract({ contract }: Holder): Uint8Array | undefined {
    return this.overlay.read(contract, contractCodec);
  }

  /** Whether an address has code. */
  hasCode(address: Uint8Array): boolean {
    return this.#contract(this.holder(address)) !== undefined;
  }

  /** The code of an address, empty if it has none. */
  code(address: Uint8Array): Uint8Array {
    const record = this.#contract(this.holder(address));
    if (record === undefined) return EMPTY;
    return record.length === DELEGATION_BYTES ? record : this.#codes.get(record);
  }

  /** Sets or, if it is empty, removes the code of an address. */
  setCode(address: Uint8Array, code: Uint8Array): void {
    const { contract, id } = this.holder(address);
    if (code.length === 0) {
      if (this.overlay.get(contract.bytes) !== undefined)
        this.overlay.set(contract.bytes, undefined);
      return;
    }
    // Code that begins with ef is refused but for a delegation, so 23 bytes that do are one.
    const delegation = code.length === DELEGATION_BYTES && code[0] === 0xef;
    const record = delegation ? code : this.#codes.put(code, contract);
    this.overlay.set(contract.bytes, record);
    if (getAccount(this.overlay, id) === undefined) this.#create(this.holder(address));
  }

  // Storage

  #slot(holder: Holder, hex: string): Slot {
    const known = holder.slots.get(hex);
    if (known !== undefined) return known;
    const key = slotKey(holder.id, wordBytes(hex));
    const original = this.overlay.read(key, slotCodec) ?? 0n;
    const slot = { key, original, written: false };
    holder.slots.set(hex, slot);
    this.#witness?.slot(holder.id, hex, original);
    return slot;
  }

  /** The value of a slot. @param hex - 64 digits */
  load(holder: Holder, hex: string): bigint {
    return this.overlay.read(this.#slot(holder, hex).key, slotCodec) ?? 0n;
  }

  /** The value it had when the run began. */
  original(holder: Holder, hex: string): bigint {
    return this.#slot(holder, hex).original;
  }

  /** Changes a slot; zero deletes it. */
  store(holder: Holder, hex: string, value: bigint): void {
    const slot = this.#slot(holder, hex);
    if ((this.overlay.read(slot.key, slotCodec) ?? 0n) === value) return;
    slot.written = true;
    if (value === 0n) this.overlay.set(slot.key.bytes, undefined);
    else this.overlay.write(slot.key, slotCodec, value);
  }

  /** Changes a slot as though it had had that value before the run. */
  overrideSlot(address: Uint8Array, slot: Uint8Array, value: Uint8Array): void {
    const { slots, id } = this.holder(address);
    const key = slotKey(id, slot);
    const word = wordOf(value);
    if (word === 0n) this.overlay.set(key.bytes, undefined);
    else this.overlay.write(key, slotCodec, word);
    slots.delete(toHex(slot));
  }

  /** Deletes the slots that this run wrote. */
  clear({ slots }: Holder): void {
    for (const { key, written } of slots.values()) {
      if (written && this.overlay.read(key, slotCodec) !== undefined) {
        this.overlay.set(key.bytes, undefined);
      }
    }
  }

  // Checkpoints

  /** Opens a checkpoint. */
  open(): void {
    this.#checkpoints.push({ mark: this.overlay.mark(), minted: this.#minted });
  }

  /** Closes the last checkpoint. */
  keep(): void {
    present(this.#checkpoints.pop(), 'open checkpoint');
  }

  /** Goes back to the last checkpoint. */
  undo(): void {
    const { mark, minted } = present(this.#checkpoints.pop(), 'open checkpoint');
    this.overlay.revert(mark);
    this.#minted = minted;
  }
}
