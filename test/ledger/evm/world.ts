/**
 * An EVM for tests: records in a map, accounts made by hand, the state read back as Ethereum's.
 *
 * @module
 */
import { concatBytes, EMPTY, fromHex, latin1, toHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { recoverSecp256k1 } from '../../../node/src/crypto/secp256k1.ts';
import { getAccount, setAccount } from '../../../node/src/ledger/auth/accounts.ts';
import {
  getBalance,
  getSupply,
  setBalance,
  setSupply,
} from '../../../node/src/ledger/bank/balances.ts';
import { encodeRlp, integerBytes } from '../../../node/src/ledger/ethereum/rlp.ts';
import {
  codeRow,
  contractKey,
  DELEGATION_BYTES,
  slotCodec,
  slotKey,
  wordOf,
} from '../../../node/src/ledger/evm/records.ts';
import type { EvmBlock, EvmPorts } from '../../../node/src/ledger/evm/types.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { Overlay } from '../../../node/src/ledger/overlay.ts';
import { trieRoot } from './mpt.ts';

/** Denomination of the tests. */
export const DENOM = 'aphi';

/** Bytes of hex with or without 0x, also of an odd number of digits. */
export function hex(text: string): Uint8Array {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  return present(fromHex(digits.length % 2 === 0 ? digits : `0${digits}`), 'hex');
}

/** Bytes at the end of a word of `size` bytes. */
export function left(bytes: Uint8Array, size = 32): Uint8Array {
  return concatBytes(new Uint8Array(size - bytes.length), bytes);
}

/** A number as a word. */
export function word(value: bigint): Uint8Array {
  return left(integerBytes(value));
}

/** An address that ends in these digits. */
export function address(digits: string): Uint8Array {
  return left(hex(digits), 20);
}

/** Ports onto bank and auth, without aliases. */
export function ports(more: Partial<EvmPorts> = {}): EvmPorts {
  return {
    chainId: 1n,
    bank: {
      balance: (state, id) => getBalance(state, id, DENOM),
      setBalance: (state, id, before, after) => setBalance(state, id, DENOM, before, after),
      changeSupply: (state, by) => setSupply(state, DENOM, getSupply(state, DENOM) + by),
    },
    resolve: (_, id) => id,
    sight: () => undefined,
    recover: recoverSecp256k1,
    ...more,
  };
}

/** A block, height 1 unless said otherwise. */
export function block(more: Partial<EvmBlock> = {}): EvmBlock {
  return {
    height: 1,
    time: 1_000n,
    proposer: address('c0ffee'),
    baseFee: 0n,
    gasLimit: 30_000_000n,
    prevRandao: new Uint8Array(32),
    blockHash: (height) => keccak256(Buffer.from(String(height))),
    ...more,
  };
}

/** An account before a test. */
export type Before = {
  readonly balance?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  readonly storage?: readonly (readonly [slot: Uint8Array, value: Uint8Array])[];
};

/** An account as Ethereum sees it. */
export type Seen = {
  nonce: bigint;
  balance: bigint;
  code: Uint8Array;
  readonly storage: Map<string, bigint>;
};

/** Records and rows in maps, and an overlay over them. */
export class FlatWorld {
  readonly #records = new Map<string, Uint8Array>();
  readonly #rows = new Map<string, Uint8Array>();
  state: Overlay = this.#over();

  #over(): Overlay {
    return new Overlay({
      get: (key) => this.#records.get(latin1(key)),
      row: (key) => this.#rows.get(latin1(key)),
    });
  }

  /** Takes the changes over, as a finalized block's. */
  settle(): void {
    for (const [key, value] of this.state.changes()) {
      if (value === undefined) this.#records.delete(latin1(key));
      else this.#records.set(latin1(key), value);
    }
    for (const [key, value] of this.state.rows()) this.#rows.set(latin1(key), value);
    this.state = this.#over();
  }

  /** Makes accounts; the supply becomes what they have. */
  begin(accounts: readonly (readonly [address: Uint8Array, account: Before])[]): this {
    let supply = getSupply(this.state, DENOM);
    for (const [number, [id, { balance = 0n, nonce = 0n, ...rest }]] of accounts.entries()) {
      const { code = EMPTY, storage = [] } = rest;
      const account = { publicKey: EMPTY, moduleName: '', permissions: [] };
      setAccount(this.state, id, { ...account, number, sequence: Number(nonce) });
      setBalance(this.state, id, DENOM, getBalance(this.state, id, DENOM), balance);
      supply += balance;
      if (code.length > 0) {
        this.state.set(contractKey(id).bytes, keccak256(code));
        this.#rows.set(latin1(codeRow(keccak256(code))), code);
      }
      for (const [slot, value] of storage) {
        if (wordOf(value) > 0n) this.state.write(slotKey(id, slot), slotCodec, wordOf(value));
      }
    }
    setSupply(this.state, DENOM, supply);
    this.settle();
    return this;
  }

  /** Every record, the changes among them. */
  records(): ReadonlyMap<string, Uint8Array> {
    const all = new Map(this.#records);
    for (const [key, value] of this.state.changes()) {
      if (value === undefined) all.delete(latin1(key));
      else all.set(latin1(key), value);
    }
    return all;
  }

  #code(id: Uint8Array): Uint8Array {
    const record = this.state.get(contractKey(id).bytes);
    if (record === undefined) return EMPTY;
    if (record.length === DELEGATION_BYTES) return record;
    const row = codeRow(record);
    const fresh = this.state.rows().find(([key]) => latin1(key) === latin1(row))?.[1];
    return present(fresh ?? this.#rows.get(latin1(row)), 'row of a code');
  }

  /** All accounts that are not empty, by the hex of their address. */
  accounts(): ReadonlyMap<string, Seen> {
    const seen = new Map<string, Seen>();
    const at = (id: Uint8Array): Seen => {
      const name = toHex(id);
      const known = seen.get(name);
      if (known !== undefined) return known;
      const balance = getBalance(this.state, id, DENOM);
      const nonce = BigInt(getAccount(this.state, id)?.sequence ?? 0);
      const fresh = { nonce, balance, code: this.#code(id), storage: new Map<string, bigint>() };
      seen.set(name, fresh);
      return fresh;
    };
    for (const [name, value] of this.records()) {
      const key = Buffer.from(name, 'latin1');
      if (key[0] === 0x10 || key[0] === 0x18 || key[0] === 0x30) at(key.subarray(1, 21));
      if (key[0] === 0x31) {
        at(key.subarray(1, 21)).storage.set(toHex(key.subarray(21)), wordOf(value));
      }
    }
    for (const [name, { nonce, balance, code }] of seen) {
      if (nonce === 0n && balance === 0n && code.length === 0) seen.delete(name);
    }
    return seen;
  }

  /** The root of Ethereum's state trie over these accounts. */
  mptRoot(): Uint8Array {
    return trieRoot(
      [...this.accounts()].map(([name, { nonce, balance, code, storage }]) => {
        const slots = [...storage].map(
          ([slot, value]) => [hex(slot), encodeRlp(integerBytes(value))] as const,
        );
        const root = trieRoot(slots);
        const body = [integerBytes(nonce), integerBytes(balance), root, keccak256(code)];
        return [hex(name), encodeRlp(body)] as const;
      }),
    );
  }

  /** What all accounts have together. */
  total(): bigint {
    return [...this.accounts().values()].reduce((sum, { balance }) => sum + balance, 0n);
  }

  get supply(): bigint {
    return getSupply(this.state, DENOM);
  }
}
