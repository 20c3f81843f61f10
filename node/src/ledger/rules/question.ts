/**
 * What one transaction asks the rules contract: its operations, gathered by author and space.
 *
 * Upholds: a step has all operations of one author on one space since the last action, with their
 * totals, so that grants and quotas are decided once for all of them. It lists them where the space
 * has a policy, or may have got one by an action before: nobody else looks at them.
 *
 * @module
 */
import { equalBytes } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import type { AccountId } from '../addresses.ts';
import type { EvmLog } from '../evm/types.ts';
import type { RecordKey } from '../keys.ts';
import type { Asked, Operation, OperationStep, Step } from './call.ts';

/** A log that a contract left. */
export type ContractLog = EvmLog;

/** A space, as the ledger handles it: its id, the name of its log, its hex. */
export type SpaceRef = {
  readonly id: Uint8Array;
  readonly log: RecordKey;
  readonly hex: string;
};

/** A step that more operations may join. */
export type OpenStep = OperationStep & {
  readonly of: SpaceRef;
  /** Whether a policy may be asked: the space has one, or may have got one by an action before. */
  mayAsk: boolean;
};

/** Gathers what a transaction asks. */
export class Question {
  readonly #addressOf: (account: AccountId) => Uint8Array;
  readonly #steps: Step[] = [];
  /** Steps that later operations may join, by the hex of their space. */
  readonly #open = new Map<string, OpenStep[]>();
  /** The step of the operation before: that of the next, as a rule. */
  #latest: OpenStep | undefined;
  readonly #writes = new Map<string, number>();
  #hasActions = false;
  #last = false;

  /** @param addressOf - an account as the EVM knows it */
  constructor(addressOf: (account: AccountId) => Uint8Array) {
    this.#addressOf = addressOf;
  }

  /** The step that an operation of an author on a space is part of; a new one has no entries. */
  stepOf(of: SpaceRef, by: AccountId): OpenStep {
    const open = this.#openStep(of, by);
    if (open !== undefined) return open;
    const step: OpenStep = {
      of,
      space: of.id,
      author: this.#addressOf(by),
      account: by,
      kinds: 0,
      entries: 0,
      size: 0,
      operations: [],
      mayAsk: this.#hasActions,
    };
    const here = this.#open.get(of.hex);
    if (here === undefined) this.#open.set(of.hex, [step]);
    else here.push(step);
    this.#steps.push(step);
    this.#latest = step;
    return step;
  }

  /**
   * Adds an operation to a step.
   *
   * @param operation - what a policy is told of it; only asked for where there may be one
   */
  add(step: OpenStep, kind: number, size: number, operation: () => Operation): void {
    step.kinds |= 2 ** kind;
    step.entries++;
    step.size += size;
    if (step.mayAsk) step.operations.push(operation());
  }

  #openStep(of: SpaceRef, by: AccountId): OpenStep | undefined {
    const latest = this.#latest;
    if (latest !== undefined && latest.of === of && latest.account === by) return latest;
    return this.#open.get(of.hex)?.find((step) => equalBytes(step.account, by));
  }

  /** Adds a change of the rules by their own functions. */
  action(by: AccountId, action: Uint8Array): void {
    this.#steps.push({ author: this.#addressOf(by), account: by, action });
    this.#open.clear();
    this.#latest = undefined;
    this.#hasActions = true;
    this.endBatch();
  }

  /** Notes that the answer may depend on more than the rules' own state, or change it at large. */
  endBatch(): void {
    this.#last = true;
  }

  /** Whether no other transaction may follow in one call. */
  get endsBatch(): boolean {
    return this.#last;
  }

  /** Notes that a record will be written that other plans may read. */
  write(name: string): void {
    this.#writes.set(name, this.written(name) + 1);
  }

  /** How often a record will be written by this transaction. */
  written(name: string): number {
    return this.#writes.get(name) ?? 0;
  }

  /** Names of the records that will be written and that other plans may read. */
  get writes(): Iterable<string> {
    return this.#writes.keys();
  }

  /** What is asked. */
  asked(policyGas: number, signers: readonly AccountId[]): Asked {
    return { policyGas, steps: this.#steps, signers: signers.map(this.#addressOf) };
  }
}

/** What an allowed transaction is carried out with: the logs of its actions, in order. */
export class Allowed {
  readonly #logs: readonly EvmLog[];
  #next = 0;

  constructor(logs: readonly EvmLog[]) {
    this.#logs = logs;
  }

  /** The log of the next action. */
  next(): EvmLog {
    const log = this.#logs[this.#next++];
    invariant(log !== undefined, 'an action leaves a log');
    return log;
  }
}
