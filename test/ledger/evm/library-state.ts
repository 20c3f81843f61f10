/**
 * The flat state as the library's own EVM takes it, to run the same programs there.
 *
 * @module
 */
import type { AccountFields, StateManagerInterface } from '@ethereumjs/common';
import { Account, type Address } from '@ethereumjs/util';
import { toHex } from '../../../node/src/base/bytes.ts';
import { InvariantViolation } from '../../../node/src/base/errors.ts';
import { integerBytes } from '../../../node/src/ledger/ethereum/rlp.ts';
import { wordOf } from '../../../node/src/ledger/evm/records.ts';
import type { FlatState } from '../../../node/src/ledger/evm/state.ts';

function notHere(): never {
  throw new InvariantViolation('the flat state has no root of its own and is not copied');
}

/** The library's state manager over a flat state. */
export class LibraryState implements StateManagerInterface {
  readonly #flat: FlatState;

  constructor(flat: FlatState) {
    this.#flat = flat;
  }

  getAccount({ bytes }: Address): Promise<Account | undefined> {
    const known = this.#flat.account(bytes);
    const hash = this.#flat.codeHash(bytes);
    const account = known && new Account(known.nonce, known.balance, undefined, hash);
    return Promise.resolve(account);
  }

  putAccount({ bytes }: Address, account?: Account): Promise<void> {
    if (account === undefined) this.#flat.remove(bytes);
    else this.#flat.setAccount(bytes, account.balance, account.nonce);
    return Promise.resolve();
  }

  deleteAccount({ bytes }: Address): Promise<void> {
    this.#flat.remove(bytes);
    return Promise.resolve();
  }

  modifyAccountFields({ bytes }: Address, fields: AccountFields): Promise<void> {
    const { balance, nonce } = this.#flat.account(bytes) ?? { balance: 0n, nonce: 0n };
    this.#flat.setAccount(bytes, fields.balance ?? balance, fields.nonce ?? nonce);
    return Promise.resolve();
  }

  putCode({ bytes }: Address, value: Uint8Array): Promise<void> {
    this.#flat.setCode(bytes, value);
    return Promise.resolve();
  }

  getCode({ bytes }: Address): Promise<Uint8Array> {
    return Promise.resolve(this.#flat.code(bytes));
  }

  getCodeSize({ bytes }: Address): Promise<number> {
    return Promise.resolve(this.#flat.code(bytes).length);
  }

  getStorage({ bytes }: Address, key: Uint8Array): Promise<Uint8Array> {
    return Promise.resolve(integerBytes(this.#flat.load(this.#flat.holder(bytes), toHex(key))));
  }

  putStorage({ bytes }: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#flat.store(this.#flat.holder(bytes), toHex(key), wordOf(value));
    return Promise.resolve();
  }

  clearStorage({ bytes }: Address): Promise<void> {
    this.#flat.clear(this.#flat.holder(bytes));
    return Promise.resolve();
  }

  readonly originalStorageCache = {
    get: ({ bytes }: Address, key: Uint8Array): Promise<Uint8Array> =>
      Promise.resolve(integerBytes(this.#flat.original(this.#flat.holder(bytes), toHex(key)))),
    clear: (): void => undefined,
  };

  checkpoint(): Promise<void> {
    this.#flat.open();
    return Promise.resolve();
  }

  commit(): Promise<void> {
    this.#flat.keep();
    return Promise.resolve();
  }

  revert(): Promise<void> {
    this.#flat.undo();
    return Promise.resolve();
  }

  getStateRoot(): Promise<Uint8Array> {
    return notHere();
  }

  setStateRoot(): Promise<void> {
    return notHere();
  }

  hasStateRoot(): Promise<boolean> {
    return notHere();
  }

  clearCaches(): void {
    notHere();
  }

  shallowCopy(): StateManagerInterface {
    return notHere();
  }
}
