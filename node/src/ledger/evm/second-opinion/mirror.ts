/**
 * One chain of the other EVM that follows the ledger's blocks.
 *
 * It holds what blocks have met since it was opened, and no more: before a block is run, each
 * account and slot that the block met gets the value that the ledger had, unless it has it already
 * from running the blocks before.
 * Upholds: what it compares is its own work: status, gas, logs and created address of every run,
 * and after the block the balance, nonce, code and slots of everything the block met. Whatever is
 * tainted gets the ledger's values instead.
 * Bounds: see `isFull`; its state lives in memory, so a fresh one follows it.
 *
 * @module
 */
import { EMPTY, fromHex, latin1 } from '../../../base/bytes.ts';
import { present } from '../../../base/errors.ts';
import { keccak256 } from '../../keccak.ts';
import { DELEGATION_BYTES } from '../records.ts';
import { sameRecord } from './block-witness.ts';
import {
  accountDifferences,
  type Difference,
  differencesOfRuns,
  questionsOf,
  type Receipt,
  slotDifference,
  whereOf,
} from './compare.ts';
import { EdrChain, EdrRefusal, type EdrRequest } from './edr.ts';
import type { AccountValues, SeenAccount, SeenBlock, SeenRun, SeenSlot } from './port.ts';
import {
  type CallTerms,
  dataOf,
  quantity,
  receiptRequest,
  requestOf,
  termsOf,
} from './requests.ts';

/** Most transactions one chain runs: each costs it 8 KiB, */
const MAX_RUNS = 5_000;
/** and most bytes of their input: each byte costs it some four, as it keeps every transaction. */
const MAX_INPUT_BYTES = 16_777_216;
/** From so many on a fresh one is noticeably smaller: 8 MB. */
const GROWN_RUNS = 1_000;
/** Most accounts and slots one chain holds, some 600 bytes each. */
const MAX_HELD = 100_000;
/** What the system caller has there while it calls: gas is not free where there is a base fee. */
const CALLER_FUNDS = 2n ** 200n;

const NOTHING: AccountValues = { balance: 0n, nonce: 0n, contract: undefined };

/** What a mirror is made with. */
export type MirrorOptions = {
  readonly chainId: bigint;
  readonly gasLimit: bigint;
  /** The code of a hash that an account carries. */
  readonly code: (hash: Uint8Array) => Uint8Array;
};

type Held = { values: AccountValues; readonly slots: Map<string, bigint> };

/** What was thrown, if it is a refusal. */
function refusal(thrown: unknown): EdrRefusal {
  if (thrown instanceof EdrRefusal) return thrown;
  throw thrown;
}

function notRun(seen: SeenBlock, run: SeenRun | undefined, { message }: EdrRefusal): Difference {
  return { ...whereOf(seen, run), field: 'execution', ledger: 'ran', edr: message };
}

/** A chain that follows. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #chain: EdrChain;
  readonly #held = new Map<string, Held>();
  readonly #callers = new Map<string, bigint>();
  readonly #impersonated = new Set<string>();
  #height = 0;
  #runs = 0;
  #inputBytes = 0;
  #slots = 0;

  private constructor(options: MirrorOptions, chain: EdrChain) {
    this.#options = options;
    this.#chain = chain;
  }

  /** A mirror that holds nothing yet. */
  static async open(options: MirrorOptions): Promise<Mirror> {
    return new Mirror(options, await EdrChain.open(options));
  }

  /** Whether it has grown so far that a fresh one should follow. */
  get isFull(): boolean {
    if (this.#runs >= MAX_RUNS || this.#inputBytes >= MAX_INPUT_BYTES) return true;
    return this.#held.size + this.#slots >= MAX_HELD;
  }

  /** Whether it holds so much that a fresh one would be smaller. */
  get hasGrown(): boolean {
    return this.#runs >= GROWN_RUNS;
  }

  /** The root of its state trie, for tests. */
  async stateRoot(): Promise<string> {
    const [block] = await this.#chain.ask([['eth_getBlockByNumber', 'pending', false]]);
    return (block as { stateRoot: string }).stateRoot;
  }

  /**
   * Runs a block again.
   *
   * @returns what differs, the first run first
   * @throws EdrRefusal if the other EVM would not take it
   */
  async run(seen: SeenBlock): Promise<readonly Difference[]> {
    const runs = seen.runs.filter(({ unmirrored }) => unmirrored === undefined);
    const callers = new Set(
      seen.runs.filter(({ kind }) => kind === 'call').map(({ call }) => latin1(call.from)),
    );
    const accounts = seen.accounts.filter(({ address }) => !callers.has(latin1(address)));
    if (runs.length === 0) {
      await this.#chain.ask(this.#push(accounts, seen.slots, 'after'));
      return [];
    }
    this.#runs += runs.length;
    for (const { call } of runs) this.#inputBytes += call.data.length;
    const pushed = this.#push(accounts, seen.slots, 'before');
    const { baseFee } = seen.block;
    await this.#chain.ask([...this.#begin(seen), ...pushed, ...this.#impersonate(runs, baseFee)]);
    const differences = await this.#execute(seen, runs);
    if (differences.some(({ field }) => field === 'execution')) return differences;
    return [...differences, ...(await this.#compare(seen, accounts, seen.slots))];
  }

  /** Empty blocks up to the one before, and the block's own numbers. */
  #begin({ block }: SeenBlock): readonly EdrRequest[] {
    const requests: EdrRequest[] = [];
    const time: EdrRequest = ['evm_setNextBlockTimestamp', quantity(block.time)];
    const gap = block.height - 1 - this.#height;
    if (gap > 0) requests.push(time, ['hardhat_mine', quantity(gap), '0x0']);
    requests.push(time, ['hardhat_setPrevRandao', dataOf(block.prevRandao)]);
    requests.push(['hardhat_setCoinbase', dataOf(block.proposer)]);
    requests.push(['hardhat_setNextBlockBaseFeePerGas', quantity(block.baseFee)]);
    return requests;
  }

  #holding(address: Uint8Array): Held {
    const name = latin1(address);
    let held = this.#held.get(name);
    if (held === undefined) {
      held = { values: NOTHING, slots: new Map() };
      this.#held.set(name, held);
    }
    return held;
  }

  /** Sets what the ledger had before or after the block, where it is not so already. */
  #push(
    accounts: readonly SeenAccount[],
    slots: readonly SeenSlot[],
    when: 'before' | 'after',
  ): readonly EdrRequest[] {
    return [
      ...accounts.flatMap((account) => this.#set(account.address, account[when])),
      ...slots.flatMap((one) => this.#setSlot(one.address, one.slot, one[when])),
    ];
  }

  #set(address: Uint8Array, values: AccountValues): readonly EdrRequest[] {
    const held = this.#holding(address);
    const at = dataOf(address);
    const requests: EdrRequest[] = [];
    const { balance, nonce, contract } = held.values;
    if (!sameRecord(contract, values.contract)) {
      requests.push(['hardhat_setCode', at, dataOf(this.#code(values.contract))]);
    }
    if (nonce !== values.nonce) requests.push(['hardhat_setNonce', at, quantity(values.nonce)]);
    if (balance !== values.balance) {
      requests.push(['hardhat_setBalance', at, quantity(values.balance)]);
    }
    held.values = values;
    return requests;
  }

  #setSlot(address: Uint8Array, slot: string, value: bigint): readonly EdrRequest[] {
    const { slots } = this.#holding(address);
    if ((slots.get(slot) ?? 0n) === value) return [];
    this.#hold(slots, slot, value);
    const word = `0x${value.toString(16).padStart(64, '0')}`;
    return [['hardhat_setStorageAt', dataOf(address), quantity(BigInt(`0x${slot}`)), word]];
  }

  #hold(slots: Map<string, bigint>, slot: string, value: bigint): void {
    if (!slots.has(slot)) this.#slots++;
    slots.set(slot, value);
  }

  #code(record: Uint8Array | undefined): Uint8Array {
    if (record === undefined) return EMPTY;
    return record.length === DELEGATION_BYTES ? record : this.#options.code(record);
  }

  #impersonate(runs: readonly SeenRun[], baseFee: bigint): readonly EdrRequest[] {
    const requests: EdrRequest[] = [];
    const seen = new Set<string>();
    for (const { kind, call } of runs) {
      const name = latin1(call.from);
      if (seen.has(name)) continue;
      seen.add(name);
      const at = dataOf(call.from);
      if (!this.#impersonated.has(name)) requests.push(['hardhat_impersonateAccount', at]);
      this.#impersonated.add(name);
      if (kind === 'transaction') continue;
      if (!this.#callers.has(name)) this.#callers.set(name, 0n);
      requests.push(['hardhat_setBalance', at, quantity(baseFee === 0n ? 0n : CALLER_FUNDS)]);
    }
    return requests;
  }

  /** Sends the runs, makes the block and compares what each did. */
  async #execute(seen: SeenBlock, runs: readonly SeenRun[]): Promise<readonly Difference[]> {
    const { block } = seen;
    const terms = runs.map((run) => termsOf(seen, run));
    const sent = await this.#send(seen, runs, terms);
    if ('field' in sent) return [sent];
    const mined = await this.#chain
      .ask([['hardhat_mine', '0x1'], ...sent.map(receiptRequest)])
      .catch(refusal);
    if (mined instanceof EdrRefusal) return [notRun(seen, runs[0], mined)];
    this.#height = block.height;
    return differencesOfRuns(seen, runs, mined.slice(1) as readonly (Receipt | null)[], terms);
  }

  async #send(
    seen: SeenBlock,
    runs: readonly SeenRun[],
    terms: readonly (CallTerms | undefined)[],
  ): Promise<readonly string[] | Difference> {
    const requests = runs.map((run, i): EdrRequest => {
      const caller = this.#callers.get(latin1(run.call.from));
      if (run.kind === 'call' && caller !== undefined) {
        this.#callers.set(latin1(run.call.from), caller + 1n);
      }
      return ['eth_sendTransaction', requestOf(seen, run, terms[i], caller ?? 0n)];
    });
    try {
      return (await this.#chain.ask(requests)) as readonly string[];
    } catch (thrown) {
      const refused = refusal(thrown);
      const [pool] = await this.#chain.ask([['eth_pendingTransactions']]);
      return notRun(seen, runs[(pool as readonly unknown[]).length], refused);
    }
  }

  /** Compares what everything the block met has now; sets what is tainted. */
  async #compare(
    seen: SeenBlock,
    accounts: readonly SeenAccount[],
    slots: readonly SeenSlot[],
  ): Promise<readonly Difference[]> {
    const differences: Difference[] = [];
    const patches: EdrRequest[] = [];
    const answers = await this.#chain.ask([
      ...accounts.flatMap(questionsOf),
      ...slots.map(({ address, slot }): EdrRequest => {
        return ['eth_getStorageAt', dataOf(address), `0x${slot}`, 'latest'];
      }),
    ]);
    let at = 0;
    for (const account of accounts) {
      const count = questionsOf(account).length;
      const found = this.#found(account, answers.slice(at, at + count) as readonly string[]);
      at += count;
      this.#holding(account.address).values = found;
      if (account.tainted) patches.push(...this.#set(account.address, account.after));
      else differences.push(...accountDifferences(seen, account, found));
    }
    for (const one of slots) {
      const found = BigInt(answers[at++] as string);
      this.#hold(this.#holding(one.address).slots, one.slot, found);
      if (one.tainted) patches.push(...this.#setSlot(one.address, one.slot, one.after));
      else if (found !== one.after) differences.push(slotDifference(seen, one, found));
    }
    await this.#chain.ask(patches);
    return differences;
  }

  /** The values of an account there; code that the block left alone is taken to be the same. */
  #found(account: SeenAccount, answers: readonly string[]): AccountValues {
    const [balance, nonce, code] = answers;
    const numbers = { balance: BigInt(balance ?? '0x0'), nonce: BigInt(nonce ?? '0x0') };
    if (code === undefined) return { ...numbers, contract: account.after.contract };
    const bytes = present(fromHex(code.slice(2)), 'code in hex');
    if (bytes.length === 0) return { ...numbers, contract: undefined };
    const delegation = bytes.length === DELEGATION_BYTES && bytes[0] === 0xef;
    return { ...numbers, contract: delegation ? bytes : keccak256(bytes) };
  }
}
