/**
 * What a run of the EVM tells whoever watches which accounts, slots and block hashes it meets.
 *
 * Upholds: an address is told before the run changes it; telling changes nothing.
 * Absent here: what is made of it (second-opinion/block-witness.ts).
 *
 * @module
 */
import type { AccountId } from '../addresses.ts';

/** An account at the time it is met. */
export type MetAccount = {
  /** The account behind the address. */
  readonly id: AccountId;
  readonly balance: bigint;
  readonly nonce: bigint;
  /** The record of its code: a hash, a delegation, or nothing. */
  readonly contract: Uint8Array | undefined;
};

/** Hears what one run after the other meets. */
export type EvmWitness = {
  /** An address; told again if it may have become another account's. */
  met(address: Uint8Array, account: MetAccount): void;
  /** A slot of a met account. @param slot - 64 digits of hex; `value` is that before the run */
  slot(id: AccountId, slot: string, value: bigint): void;
  /** Code asked for the hash of a block that there is. */
  askedBlockHash(): void;
  /** Code has ended: what is met from here on only gets the tip. */
  ended(): void;
};
