/**
 * Spaces for tests: people with both faces, their transactions, and policies that misbehave.
 *
 * @module
 */
import secp from 'secp256k1';
import { concatBytes, EMPTY, utf8 } from '../../../node/src/base/bytes.ts';
import { wrapEthereumTx } from '../../../node/src/ledger/ethereum/wrapper.ts';
import type { LedgerOptions } from '../../../node/src/ledger/ledger.ts';
import type { Any, Coin } from '../../../node/src/ledger/tx/wire.ts';
import {
  createSpaceMessage,
  grantMessage,
  updateSpaceMessage,
} from '../../../node/src/ops/space-messages.ts';
import { putMessage, signTransaction } from '../../../node/src/ops/transaction.ts';
import { sharedSpaceId } from '../../../node/src/types/memory.ts';
import type { ExecTxResult } from '../../../node/src/types/results.ts';
import { ethereumTx, fundedState, type Person, person } from '../ethereum/support.ts';
import { MemoryStore } from '../memory-store.ts';
import { CHAIN_ID, DENOM, World } from '../world.ts';

/** Quotas that nothing reaches. */
export const AMPLE = { maxEntries: 1_000n, maxBytes: 1_000_000n };

/** A salt that ends in this number. */
export function salt(number: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes[31] = number;
  return bytes;
}

/** Runtime code by which a contract answers as a policy. */
export const POLICY_CODE: Readonly<Record<string, string>> = {
  // JUMPDEST, jump to it.
  loops: '5b600056',
  // Returns 2^20 bytes.
  megabyte: '621000006000f3',
  // Returns 2^17 bytes, which its gas still pays for.
  verbose: '620200006000f3',
  // Reverts with 2^17 bytes.
  shouts: '620200006000fd',
  // Reverts with a custom error of its own: TooLate(7).
  ownError: '63691e568260e01b6000526007600452602460'.concat('00fd'),
};

/** Init code that leaves this runtime code. */
export function initCode(runtime: string): string {
  const size = (runtime.length / 2).toString(16).padStart(2, '0');
  return `0x60${size}8060093d393df3${runtime}`;
}

/** An amount as a list of coins. */
export function coins(amount: bigint): readonly Coin[] {
  return amount === 0n ? [] : [{ denom: DENOM, amount: String(amount) }];
}

/** A chain of people who have coins. */
export class SpaceWorld {
  readonly world: World;
  readonly store: MemoryStore = new MemoryStore();
  readonly people: readonly Person[];
  readonly #sequences = new Map<string, number>();

  constructor(count = 4, more: Partial<LedgerOptions> = {}) {
    this.world = new World(this.store, '', more);
    this.people = Array.from({ length: count }, (_, i) => person(i));
  }

  /** Starts the chain. */
  async start(contracts: object = {}): Promise<this> {
    const balances = this.people.map(({ address }) => [address, 10n ** 20n] as const);
    const accounts = this.people.map(({ address }, i) => ({
      '@type': '/cosmos.auth.v1beta1.BaseAccount',
      address,
      pub_key: null,
      account_number: String(i),
      sequence: '0',
    }));
    await this.world.start({ ...fundedState(balances), auth: { accounts }, contracts });
    return this;
  }

  /** Person `index`. */
  who(index: number): Person {
    return this.people[index] as Person;
  }

  #next(from: Person): number {
    const sequence = this.#sequences.get(from.address) ?? 0;
    this.#sequences.set(from.address, sequence + 1);
    return sequence;
  }

  /** A signed transaction with the sender's next sequence. */
  tx(from: Person, messages: readonly Any[], gas = 1_000_000n, fee = 0n): Uint8Array {
    const signing = {
      secret: from.secret,
      publicKey: from.publicKey,
      chainId: CHAIN_ID,
      accountNumber: BigInt(this.people.indexOf(from)),
      sequence: BigInt(this.#next(from)),
    };
    const terms = { gasLimit: gas, fee: coins(fee), memo: '' };
    return signTransaction(
      messages,
      signing,
      terms,
      (hash, secret) => secp.ecdsaSign(hash, secret).signature,
    );
  }

  /** A signed Ethereum transaction with the sender's next nonce. */
  async evm(from: Person, to: string | null, data: string, chainId: bigint): Promise<Uint8Array> {
    const nonce = this.#next(from);
    const tx = { to, data, nonce, chainId, type: 2, gasLimit: 3_000_000n };
    return wrapEthereumTx(await ethereumTx(from, tx));
  }

  /** Executes a block. @returns the results */
  async block(...txs: readonly Uint8Array[]): Promise<readonly ExecTxResult[]> {
    return (await this.world.block(...txs)).txResults;
  }
}

/** Creates a space of the author's. */
export function create(author: Person, number: number, more: object = {}): Any {
  const { address } = author;
  return createSpaceMessage({
    author: address,
    salt: salt(number),
    mode: 0,
    policy: EMPTY,
    ...AMPLE,
    ...more,
  });
}

/** Changes a space. */
export function update(author: Person, space: Uint8Array, more: object = {}): Any {
  const { address } = author;
  return updateSpaceMessage({ author: address, space, mode: 0, policy: EMPTY, ...AMPLE, ...more });
}

/** Its id. */
export function spaceOf(owner: Person, number: number): Uint8Array {
  return sharedSpaceId(owner.face, salt(number));
}

/** Lets a subject in. */
export function grant(
  author: Person,
  space: Uint8Array,
  subject: string,
  rights: number,
  expiry = 0n,
): Any {
  return grantMessage({ author: author.address, space, subject, rights, expiry });
}

/** Writes a memory. */
export function put(author: Person, text: string, space?: Uint8Array, key = ''): Any {
  return putMessage(author.address, { content: utf8(text), key, space });
}

/** Bytes one after the other. */
export const join: typeof concatBytes = concatBytes;
