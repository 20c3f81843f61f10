/**
 * Blocks of transactions made at random, run on the ledger's EVM and told to a witness.
 *
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { concatBytes, EMPTY, toHex } from '../../../../node/src/base/bytes.ts';
import { encodeRlp, integerBytes } from '../../../../node/src/ledger/ethereum/rlp.ts';
import { Machine } from '../../../../node/src/ledger/evm/machine.ts';
import { codeRow, wordOf } from '../../../../node/src/ledger/evm/records.ts';
import { BlockWitness } from '../../../../node/src/ledger/evm/second-opinion/block-witness.ts';
import type {
  SeenAccount,
  SeenBlock,
  SeenRun,
} from '../../../../node/src/ledger/evm/second-opinion/port.ts';
import type {
  EvmAuthorization,
  EvmBlock,
  EvmPorts,
  EvmTracer,
  EvmTx,
} from '../../../../node/src/ledger/evm/types.ts';
import { faultOf, intrinsicGas } from '../../../../node/src/ledger/evm/validity.ts';
import { keccak256 } from '../../../../node/src/ledger/keccak.ts';
import { address, block, FlatWorld, ports, word } from '../world.ts';
import {
  initCode,
  PRECOMPILES,
  precompileAddress,
  precompileInput,
  program,
  Random,
  type Scene,
} from './programs.ts';

/** Chain id of the tests. */
export const CHAIN_ID = 777n;
const GAS_LIMIT = 30_000_000n;
const MOST_ADDRESSES = 60;

type Actor = { readonly secret: Uint8Array; readonly address: Uint8Array };

function actorOf(number: number): Actor {
  const secret = word(BigInt(number + 1));
  const key = secp256k1.getPublicKey(secret, false);
  return { secret, address: keccak256(key.subarray(1)).subarray(12) };
}

/** Counts what happened: frames by kind, their failures, what was made and unmade. */
class Tally {
  readonly counts = new Map<string, number>();
  readonly #created = new Set<string>();
  readonly #kinds: string[] = [];

  readonly tracer: EvmTracer = {
    enter: ({ kind, to, depth }) => {
      this.#kinds.push(kind);
      this.add(kind);
      if (depth > 0 && to !== undefined && wordOf(to) <= 0x100n) this.precompile(to);
    },
    leave: ({ error, created }) => {
      const kind = this.#kinds.pop() ?? '';
      if (error !== undefined) this.add(this.#kinds.length > 0 ? 'nested failure' : 'failure');
      if (error === 'out of gas') this.add('out of gas');
      if (created === undefined || error !== undefined) return;
      const name = toHex(created);
      if (this.#created.has(name)) this.add(`${kind} again`);
      this.#created.add(name);
    },
  };

  add(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  precompile(at: Uint8Array): void {
    this.add(`precompile ${wordOf(at)}`);
  }

  /** Counts what a block left. */
  block({ block: { baseFee }, runs, accounts }: SeenBlock): void {
    if (baseFee > 0n) this.add('base fee');
    for (const run of runs) this.#run(run);
    for (const account of accounts) this.#account(account);
  }

  #run({ unmirrored, outcome, call }: SeenRun): void {
    this.add(unmirrored ?? 'compared');
    if (unmirrored === undefined && outcome.status === 1) this.add('compared success');
    if (call.to !== undefined && wordOf(call.to) <= 0x100n) this.precompile(call.to);
  }

  #account({ address: at, before, after }: SeenAccount): void {
    if (after.contract?.length === 23 && before.contract === undefined) this.add('delegation');
    const gone = after.contract === undefined && after.nonce === 0n;
    if (gone && this.#created.has(toHex(at))) this.add('self-destruct');
  }
}

/** A chain whose blocks are made at random. */
export class RandomChain {
  readonly world: FlatWorld = new FlatWorld();
  readonly ports: EvmPorts;
  readonly random: Random;
  readonly actors: readonly Actor[];
  readonly #tally = new Tally();
  readonly #machine: Machine;
  readonly #addresses: Uint8Array[] = [];
  #height = 0;
  #time = 1_000_000n;

  private constructor(seed: number, machine: Machine, given: EvmPorts) {
    this.random = new Random(seed);
    this.ports = given;
    this.#machine = machine;
    this.actors = Array.from({ length: 8 }, (_, i) => actorOf(i));
  }

  /** A chain with funded actors and some contracts. */
  static async create(seed: number, more: Partial<EvmPorts> = {}): Promise<RandomChain> {
    const given = ports({ chainId: CHAIN_ID, ...more });
    const chain = new RandomChain(seed, await Machine.create(given), given);
    const { random, actors } = chain;
    const contracts = Array.from({ length: 6 }, (_, i) => address(`c0${i}0`));
    chain.#addresses.push(...actors.map((actor) => actor.address), ...contracts, address('dead'));
    const scene = chain.#scene();
    chain.world.begin([
      ...actors.map((actor) => [actor.address, { balance: 10n ** 20n }] as const),
      ...contracts.map(
        (at) => [at, { balance: 50n, nonce: 1n, code: program(random, scene) }] as const,
      ),
    ]);
    return chain;
  }

  /** What happened so far, and how often. */
  get tally(): ReadonlyMap<string, number> {
    return this.#tally.counts;
  }

  /** The code of a hash. */
  readonly code = (hash: Uint8Array): Uint8Array => this.world.state.row(codeRow(hash)) ?? EMPTY;

  /** Lets programs name an address. */
  know(at: Uint8Array): void {
    this.#addresses.push(at);
  }

  #scene(): Scene {
    return { addresses: this.#addresses, height: this.#height };
  }

  #nextBlock(): EvmBlock {
    const { random } = this;
    this.#height += random.chance(20) ? 1 + random.below(5) : 1;
    this.#time += BigInt(random.below(3));
    return block({
      height: this.#height,
      time: this.#time,
      proposer: random.chance(30) ? random.pick(this.actors).address : address('c0ffee'),
      baseFee: random.chance(30) ? 0n : BigInt(random.below(1_000)),
      gasLimit: GAS_LIMIT,
      prevRandao: random.bytes(32),
    });
  }

  #authorization(nonce: bigint): EvmAuthorization {
    const { random } = this;
    const { secret } = random.pick(this.actors);
    const chainId = random.pick([CHAIN_ID, CHAIN_ID, 0n, 5n]);
    const delegate = random.chance(20) ? new Uint8Array(20) : random.pick(this.#addresses);
    const list = encodeRlp([integerBytes(chainId), delegate, integerBytes(nonce)]);
    const digest = keccak256(concatBytes(Uint8Array.of(5), list));
    const signature = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' });
    return {
      chainId,
      address: delegate,
      nonce,
      yParity: BigInt(signature[0] ?? 0),
      r: wordOf(signature.subarray(1, 33)),
      s: wordOf(signature.subarray(33)),
    };
  }

  #nonceOf(at: Uint8Array): bigint {
    return this.world.accounts().get(Buffer.from(at).toString('hex'))?.nonce ?? 0n;
  }

  #authorizations(): readonly EvmAuthorization[] {
    const count = 1 + this.random.below(3);
    return Array.from({ length: count }, () => {
      const nonce = this.#nonceOf(this.random.pick(this.actors).address);
      return this.#authorization(nonce + BigInt(this.random.below(2)));
    });
  }

  #target(): Pick<EvmTx, 'to' | 'data'> {
    const { random } = this;
    const kind = random.below(100);
    if (kind < 15) return { to: undefined, data: initCode(random, this.#scene()) };
    if (kind < 35) {
      const at = 1 + random.below(PRECOMPILES);
      return { to: precompileAddress(at), data: precompileInput(random, at) };
    }
    return { to: random.pick(this.#addresses), data: random.bytes(random.below(100)) };
  }

  /** A transaction of some actor that may run. */
  transaction(at: EvmBlock): EvmTx {
    const { random } = this;
    const target = this.#target();
    const tip = BigInt(random.below(50));
    const { address: from } = random.pick(this.actors);
    const seven = target.to !== undefined && random.chance(12);
    const accessList = random.chance(20)
      ? [{ address: random.pick(this.#addresses), slots: [word(BigInt(random.below(6)))] }]
      : [];
    const draft = {
      ...target,
      from,
      value: random.chance(30) ? BigInt(random.below(1_000)) : 0n,
      nonce: this.#nonceOf(from),
      maxFeePerGas: at.baseFee + BigInt(random.below(100)) + tip,
      maxPriorityFeePerGas: tip,
      accessList,
      ...(seven ? { authorizations: this.#authorizations() } : {}),
    };
    const floor = intrinsicGas(draft) + BigInt(40 * target.data.length);
    const gasLimit = floor + BigInt(random.chance(30) ? random.below(60_000) : 1_000_000);
    return { ...draft, gasLimit };
  }

  /** Runs a block; what it did is in the world's records. */
  async block(most = 6): Promise<SeenBlock> {
    const at = this.#nextBlock();
    const { world, random } = this;
    const witness = new BlockWitness(this.ports, world.state);
    for (let i = 1 + random.below(most); i > 0; i--) {
      const tx = this.transaction(at);
      if (faultOf(this.ports, world.state, at, tx) !== undefined) continue;
      const outcome = await this.#machine.execute(world.state, at, tx, this.#tally.tracer, witness);
      const hash = keccak256(concatBytes(tx.from, integerBytes(tx.nonce)));
      witness.ran({ kind: 'transaction', hash, block: at, call: tx, outcome });
      if (outcome.created !== undefined && outcome.status === 1) {
        this.#addresses.push(outcome.created);
        if (this.#addresses.length > MOST_ADDRESSES)
          this.#addresses.splice(random.below(40) + 9, 1);
      }
    }
    const seen = witness.seen();
    world.settle();
    if (seen !== undefined) this.#tally.block(seen);
    return seen ?? this.block(most);
  }

  /** Everything there is, as a block that only met it. */
  everything(): SeenBlock {
    const accounts = [...this.world.accounts()].map(([name, { balance, nonce, code }]) => {
      const contract = code.length === 0 ? undefined : keccak256(code);
      const values = { balance, nonce, contract };
      return { address: Buffer.from(name, 'hex'), before: values, after: values, tainted: true };
    });
    return { chainId: CHAIN_ID, block: block({ height: 0 }), runs: [], accounts, slots: [] };
  }
}
