/**
 * The state that a reader's call runs on: that of a kept height, with what the caller replaces.
 *
 * Upholds: what is replaced looks as though it had always been so, also to the price of storage;
 * the state beneath is not touched.
 *
 * @module
 */
import { equalBytes, latin1 } from '../../base/bytes.ts';
import type { AccountId } from '../addresses.ts';
import { createAccount, getAccount, setAccount } from '../auth/accounts.ts';
import { codeRow, contractKey, DELEGATION_BYTES, slotKey, wordOf } from '../evm/records.ts';
import type { EvmPorts } from '../evm/types.ts';
import { keccak256 } from '../keccak.ts';
import { KEY, key } from '../keys.ts';
import { type Base, Overlay } from '../overlay.ts';
import type { CallOverride } from './call-request.ts';
import { integerBytes } from './rlp.ts';

/** A state with some records and rows replaced. */
class ReplacedBase implements Base {
  readonly #base: Base;
  readonly #records = new Map<string, Uint8Array | undefined>();
  readonly #rows = new Map<string, Uint8Array>();
  /** Prefixes of slots that are gone. */
  readonly #cleared: Uint8Array[] = [];

  constructor(base: Base) {
    this.#base = base;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const name = latin1(key);
    if (this.#records.has(name)) return this.#records.get(name);
    for (const prefix of this.#cleared) {
      if (equalBytes(key.subarray(0, prefix.length), prefix)) return undefined;
    }
    return this.#base.get(key);
  }

  row(key: Uint8Array): Uint8Array | undefined {
    return this.#rows.get(latin1(key)) ?? this.#base.row(key);
  }

  set(key: Uint8Array, value: Uint8Array | undefined): void {
    this.#records.set(latin1(key), value);
  }

  putRow(key: Uint8Array, value: Uint8Array): void {
    this.#rows.set(latin1(key), value);
  }

  clear(prefix: Uint8Array): void {
    this.#cleared.push(prefix);
  }
}

function replaceAccount(
  base: ReplacedBase,
  ports: Pick<EvmPorts, 'bank'>,
  id: AccountId,
  { balance, nonce }: CallOverride,
): void {
  const scratch = new Overlay(base);
  if (balance !== undefined) {
    ports.bank.setBalance(scratch, id, ports.bank.balance(scratch, id), balance);
  }
  if (nonce !== undefined) {
    const account = getAccount(scratch, id) ?? createAccount(scratch, id);
    setAccount(scratch, id, { ...account, sequence: Number(nonce) });
  }
  for (const [name, value] of scratch.changes()) base.set(name, value);
}

function replaceCode(base: ReplacedBase, id: AccountId, code: Uint8Array): void {
  const { bytes } = contractKey(id);
  if (code.length === 0) {
    base.set(bytes, undefined);
    return;
  }
  if (code.length === DELEGATION_BYTES && code[0] === 0xef) {
    base.set(bytes, code);
    return;
  }
  const hash = keccak256(code);
  base.set(bytes, hash);
  base.putRow(codeRow(hash), code);
}

function replace(
  base: ReplacedBase,
  ports: Pick<EvmPorts, 'bank' | 'resolve'>,
  change: CallOverride,
): void {
  const id = ports.resolve(base, change.address);
  replaceAccount(base, ports, id, change);
  if (change.code !== undefined) replaceCode(base, id, change.code);
  if (change.whole === true) base.clear(key(KEY.slot, id));
  for (const [slot, value] of change.slots ?? []) {
    const bytes = integerBytes(wordOf(value));
    base.set(slotKey(id, slot).bytes, bytes.length === 0 ? undefined : bytes);
  }
}

/** The state with the changes. */
export function withOverrides(
  base: Base,
  ports: Pick<EvmPorts, 'bank' | 'resolve'>,
  overrides: readonly CallOverride[],
): Base {
  if (overrides.length === 0) return base;
  const replaced = new ReplacedBase(base);
  for (const change of overrides) replace(replaced, ports, change);
  return replaced;
}
