/**
 * What the rules contract is asked, and what it answers, as bytes of the contract ABI.
 *
 * Upholds: the lists fit together, as `decide` demands: they are made from whole transactions.
 * Absent here: running the call (system.ts); what refusals mean (errors.ts).
 * Spec: docs/contracts.md, "MemoryRules.decide"; Solidity ABI specification, formal encoding.
 *
 * @module
 */
import { putU64be, readU64be, utf8 } from '../../base/bytes.ts';
import { invariant } from '../../base/errors.ts';
import { keccak256 } from '../keccak.ts';

/** Kinds of operations on a space's content. */
export const KIND = { put: 1 } as const;

/** One operation, as a policy is told of it. */
export type Operation = {
  readonly kind: number;
  /** Bytes that are kept for good. */
  readonly size: number;
  /** SHA-256 of the key; empty without one. */
  readonly keyHash: Uint8Array;
  readonly contentHash: Uint8Array;
};

/** The operations of one author on one space in a transaction. */
export type OperationStep = {
  readonly space: Uint8Array;
  /** The author as the EVM knows it, and by its account id: 20 bytes each. */
  readonly author: Uint8Array;
  readonly account: Uint8Array;
  /** One bit for each kind in it. */
  kinds: number;
  entries: number;
  size: number;
  readonly operations: Operation[];
};

/** A call of the rules' own functions, for an author. */
export type ActionStep = Pick<OperationStep, 'author' | 'account'> & {
  readonly action: Uint8Array;
};

/** One thing that is decided. */
export type Step = OperationStep | ActionStep;

/** What is decided as a whole: all of it, or nothing. */
export type Asked = {
  /** Gas that policies may use. */
  readonly policyGas: number;
  readonly steps: readonly Step[];
  /** Who signed, as the EVM knows them. */
  readonly signers: readonly Uint8Array[];
};

/** What was decided of one transaction. */
export type Verdict = {
  /** Gas that policies used. */
  readonly policyGas: number;
  /** Data of the error if it was refused. */
  readonly reason: Uint8Array | undefined;
};

const WORD = 32;
const SELECTOR = 4;
const ADDRESS_AT = 12;
const TRANSACTION_WORDS = 4;
const STEP_WORDS = 7;
const OPERATION_WORDS = 4;
const LISTS = 5;

/** The first four bytes of a call of a function, by its signature. */
export function selectorOf(signature: string): Uint8Array {
  return keccak256(utf8(signature)).slice(0, SELECTOR);
}

const DECIDE = selectorOf(
  'decide((uint256,uint256,uint256,uint256)[],' +
    '(bytes32,address,address,uint256,uint256,uint256,uint256)[],' +
    '(uint256,uint256,bytes32,bytes32)[],address[],bytes[])',
);

function padded(size: number): number {
  return Math.ceil(size / WORD) * WORD;
}

/** Writes words one after the other. */
class Writer {
  readonly bytes: Uint8Array;
  #at: number;

  constructor(size: number, at: number) {
    this.bytes = new Uint8Array(size);
    this.#at = at;
  }

  number(value: number): void {
    putU64be(this.bytes, this.#at + WORD - 8, value);
    this.#at += WORD;
  }

  /** 32 bytes, or none for zero. */
  word(value: Uint8Array): void {
    this.bytes.set(value, this.#at);
    this.#at += WORD;
  }

  address(value: Uint8Array): void {
    this.bytes.set(value, this.#at + ADDRESS_AT);
    this.#at += WORD;
  }

  data(value: Uint8Array): void {
    this.number(value.length);
    this.bytes.set(value, this.#at);
    this.#at += padded(value.length);
  }
}

type Counts = { steps: number; operations: number; signers: number; actions: number };

function countsOf(asked: readonly Asked[]): Counts & { readonly actionBytes: number } {
  const counts = { steps: 0, operations: 0, signers: 0, actions: 0, actionBytes: 0 };
  for (const { steps, signers } of asked) {
    counts.steps += steps.length;
    counts.signers += signers.length;
    for (const step of steps) {
      if ('action' in step) {
        counts.actions++;
        counts.actionBytes += 2 * WORD + padded(step.action.length);
      } else counts.operations += step.operations.length;
    }
  }
  return counts;
}

const NONE: readonly Operation[] = [];
const NO_SPACE = new Uint8Array(WORD);

function writeStep(out: Writer, step: Step): void {
  const action = 'action' in step;
  out.word(action ? NO_SPACE : step.space);
  out.address(step.author);
  out.address(step.account);
  out.number(action ? 0 : step.kinds);
  out.number(action ? 0 : step.entries);
  out.number(action ? 0 : step.size);
  out.number(action ? 0 : step.operations.length);
}

/** The input of `decide`. */
export function encodeDecide(asked: readonly Asked[]): Uint8Array {
  const { steps, operations, signers, actions, actionBytes } = countsOf(asked);
  const sizes = [
    asked.length * TRANSACTION_WORDS,
    steps * STEP_WORDS,
    operations * OPERATION_WORDS,
    signers,
  ].map((words) => (words + 1) * WORD);
  const total = LISTS * WORD + sizes.reduce((sum, size) => sum + size, 0) + WORD + actionBytes;
  const out = new Writer(SELECTOR + total, SELECTOR);
  out.bytes.set(DECIDE);
  let offset = LISTS * WORD;
  out.number(offset);
  for (const size of sizes) {
    offset += size;
    out.number(offset);
  }
  out.number(asked.length);
  for (const one of asked) {
    out.number(one.policyGas);
    out.number(one.steps.length);
    out.number(one.signers.length);
    out.number(one.steps.reduce((sum, step) => ('action' in step ? sum + 1 : sum), 0));
  }
  out.number(steps);
  for (const one of asked) for (const step of one.steps) writeStep(out, step);
  out.number(operations);
  for (const one of asked) for (const step of one.steps) writeOperations(out, step);
  out.number(signers);
  for (const one of asked) for (const signer of one.signers) out.address(signer);
  writeActions(out, asked, actions);
  return out.bytes;
}

function writeOperations(out: Writer, step: Step): void {
  for (const operation of 'action' in step ? NONE : step.operations) {
    out.number(operation.kind);
    out.number(operation.size);
    out.word(operation.keyHash);
    out.word(operation.contentHash);
  }
}

function writeActions(out: Writer, asked: readonly Asked[], count: number): void {
  out.number(count);
  if (count === 0) return;
  const actions = asked.flatMap(({ steps }) =>
    steps.flatMap((step) => ('action' in step ? [step.action] : [])),
  );
  let offset = count * WORD;
  for (const action of actions) {
    out.number(offset);
    offset += WORD + padded(action.length);
  }
  for (const action of actions) out.data(action);
}

/** A word that is known to be a small number. */
export function numberAt(data: Uint8Array, at: number): number {
  invariant(at + WORD <= data.length, 'a word lies within the data');
  return readU64be(data, at + WORD - 8);
}

/** A value in a call: 32 bytes, an address of 20 bytes, or a number. */
export type Argument = Uint8Array | number | bigint;

const ADDRESS_BYTES = WORD - ADDRESS_AT;

function bigWord(value: bigint): Uint8Array {
  const word = new Uint8Array(WORD);
  let rest = value;
  for (let i = WORD - 1; rest > 0n; i--, rest >>= 8n) word[i] = Number(rest & 0xffn);
  return word;
}

/** The input of a function by its words. @param selector - empty for a constructor's arguments */
export function encodeCall(selector: Uint8Array, values: readonly Argument[]): Uint8Array {
  const out = new Writer(selector.length + values.length * WORD, selector.length);
  out.bytes.set(selector);
  for (const value of values) {
    if (typeof value === 'number') out.number(value);
    else if (typeof value === 'bigint') out.word(bigWord(value));
    else if (value.length === ADDRESS_BYTES) out.address(value);
    else out.word(value);
  }
  return out.bytes;
}

/** What `decide` answered about as many transactions. */
export function decodeVerdicts(returned: Uint8Array, count: number): readonly Verdict[] {
  const words = numberAt(returned, 0) + WORD;
  const reasons = numberAt(returned, WORD) + WORD;
  invariant(numberAt(returned, words - WORD) === count, 'there is a verdict for each transaction');
  const verdicts: Verdict[] = [];
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const at = words + i * WORD;
    const policyGas = numberAt(returned, at);
    // Bits 64 to 95: 0, or 1 and the place of the refused step.
    const allowed = returned.subarray(at + WORD - 12, at + WORD - 8).every((byte) => byte === 0);
    if (allowed) {
      verdicts.push({ policyGas, reason: undefined });
      continue;
    }
    const start = reasons + numberAt(returned, reasons + refused++ * WORD);
    const size = numberAt(returned, start);
    invariant(start + WORD + size <= returned.length, 'a reason lies within the answer');
    verdicts.push({ policyGas, reason: returned.slice(start + WORD, start + WORD + size) });
  }
  return verdicts;
}
