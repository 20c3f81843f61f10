/**
 * What the rules contract's storage says of spaces and grants, read without running it.
 *
 * Upholds: what is read here is what the contract itself would read: its storage layout is fixed
 * and compared by a test. Nothing is written here.
 * Layout: contracts/memory/MemorySpaces.sol, SpaceRecord and GrantRecord.
 *
 * @module
 */
import { concatBytes, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { address as ledgerAddress } from '../../gen/contracts/ledger.ts';
import { address as rulesAddress } from '../../gen/contracts/memory-rules.ts';
import { slotCodec, slotKey } from '../evm/records.ts';
import { keccak256 } from '../keccak.ts';
import type { RecordKey } from '../keys.ts';
import { once } from '../once.ts';
import { type Records, readRecord } from '../record.ts';

/** The bytes of an address in a generated file. */
export function addressBytes(text: string): Uint8Array {
  return present(fromHex(text.slice(2)), 'address of a contract');
}

/** Addresses of the contracts whose logs the ledger hears. */
export const RULES: Uint8Array = addressBytes(rulesAddress);
export const DOOR: Uint8Array = addressBytes(ledgerAddress);

const WORD = 32;
/** Slots of the mappings `_spaces` and `_grants`. */
export const SPACES_SLOT = 1;
export const GRANTS_SLOT = 2;
/** Bits of a space's flags. */
const FROZEN = 1n;
const FROZEN_BY_GOVERNORS = 2n;
const HAS_POLICY = 4n;
const PERSONAL = 8n;

const MASK_32 = 0xffff_ffffn;
const MASK_40 = 0xff_ffff_ffffn;
const MASK_64 = 0xffff_ffff_ffff_ffffn;
const MASK_160 = (1n << 160n) - 1n;

function small(value: number): Uint8Array {
  const word = new Uint8Array(WORD);
  word[WORD - 1] = value;
  return word;
}

function padded(address: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(WORD - address.length), address);
}

const spaceSlot = once((space) => keccak256(concatBytes(space, small(SPACES_SLOT))));

/** The slot `more` after `slot`. */
function after(slot: Uint8Array, more: number): Uint8Array {
  const next = slot.slice();
  for (let i = WORD - 1, carry = more; carry > 0 && i >= 0; i--) {
    const sum = (next[i] as number) + carry;
    next[i] = sum & 0xff;
    carry = sum >> 8;
  }
  return next;
}

const headKey = once((space): RecordKey => slotKey(RULES, spaceSlot(space)));

function word(state: Records, key: RecordKey): bigint {
  return readRecord(state, key, slotCodec) ?? 0n;
}

function addressOf(value: bigint): Uint8Array {
  const hex = (value & MASK_160).toString(16).padStart(40, '0');
  return present(fromHex(hex), 'address');
}

/** Whether a space has a policy contract. */
export function hasPolicy(state: Records, space: Uint8Array): boolean {
  return ((word(state, headKey(space)) >> 240n) & HAS_POLICY) !== 0n;
}

/** A space as the contract holds it. */
export type SpaceRules = {
  /** 20 bytes. */
  readonly owner: Uint8Array;
  readonly createdHeight: bigint;
  readonly epoch: bigint;
  readonly mode: number;
  readonly personal: boolean;
  readonly frozen: boolean;
  readonly frozenByGovernors: boolean;
  readonly policy: Uint8Array | undefined;
  readonly maxEntries: bigint;
  readonly maxBytes: bigint;
  readonly entries: bigint;
  readonly bytes: bigint;
};

/** A space as the contract holds it, if it does. */
export function spaceRules(state: Records, space: Uint8Array): SpaceRules | undefined {
  const head = word(state, headKey(space));
  if (head === 0n) return undefined;
  const slot = spaceSlot(space);
  const usage = word(state, slotKey(RULES, after(slot, 1)));
  const flags = head >> 240n;
  return {
    owner: addressOf(head),
    createdHeight: (head >> 160n) & MASK_40,
    epoch: (head >> 200n) & MASK_32,
    mode: Number((head >> 232n) & 0xffn),
    personal: (flags & PERSONAL) !== 0n,
    frozen: (flags & FROZEN) !== 0n,
    frozenByGovernors: (flags & FROZEN_BY_GOVERNORS) !== 0n,
    policy:
      (flags & HAS_POLICY) === 0n
        ? undefined
        : addressOf(word(state, slotKey(RULES, after(slot, 2)))),
    maxEntries: usage & MASK_64,
    maxBytes: (usage >> 64n) & MASK_64,
    entries: (usage >> 128n) & MASK_64,
    bytes: usage >> 192n,
  };
}

/** A grant as the contract holds it. */
export type GrantRules = {
  readonly by: Uint8Array;
  /** Seconds since 1970; 0 is never. */
  readonly expiry: bigint;
  readonly rights: number;
};

/** A subject's grant in a space, expired or not, if the contract holds one that is not void. */
export function grantRules(
  state: Records,
  space: Uint8Array,
  subject: Uint8Array,
): GrantRules | undefined {
  const outer = keccak256(concatBytes(space, small(GRANTS_SLOT)));
  const grant = word(state, slotKey(RULES, keccak256(concatBytes(padded(subject), outer))));
  const rights = Number((grant >> 232n) & 0xffn);
  const epoch = (word(state, headKey(space)) >> 200n) & MASK_32;
  if (rights === 0 || ((grant >> 200n) & MASK_32) !== epoch) return undefined;
  return { by: addressOf(grant), expiry: (grant >> 160n) & MASK_40, rights };
}
