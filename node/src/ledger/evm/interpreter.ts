/**
 * The interpreter: operations from a table until a frame ends or wants a message run.
 *
 * Upholds: results, gas, refunds and logs are those of the library's own interpreter (tested with
 * programs made at random).
 * Absent here: frames below (ledger-evm.ts runs the messages).
 *
 * @module
 */
import { type EVM, EVMError } from '@ethereumjs/evm';
import { isCall, payCall } from './calls.ts';
import { isCreate, payCreation, selfDestruct } from './creations.ts';
import { type Entry, type Frame, halt, MAX_STACK, type Operation } from './frame.ts';
import type { Message } from './message.ts';
import { STATE_OPERATIONS } from './state-operations.ts';
import { WORD_OPERATIONS } from './word-operations.ts';

/** The operations of a hardfork, but for those that have a message run. */
export type Table = {
  readonly operations: readonly (Operation | undefined)[];
  readonly prices: readonly number[];
  /** How many words an operation needs on the stack. */
  readonly least: readonly number[];
  /** And how many there may be for its answer to find room. */
  readonly most: readonly number[];
};

const SELF_DESTRUCT: Entry = [0xff, 1, 0, selfDestruct];

/** The table for the hardfork of `evm`. */
export function tableOf(evm: EVM): Table {
  const operations = new Array<Operation | undefined>(256).fill(undefined);
  const [prices, least, most] = [0, 0, 0].map(() => new Array<number>(256).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  for (const [op, pops, pushes, run] of [...WORD_OPERATIONS, ...STATE_OPERATIONS, SELF_DESTRUCT]) {
    const known = evm.opcodes.get(op);
    if (known === undefined || known.isInvalid) continue;
    operations[op] = run;
    prices[op] = known.fee;
    least[op] = pops;
    most[op] = MAX_STACK + pops - pushes;
  }
  return { operations, prices, least, most };
}

const END = -1;

/** Runs until an operation that is not in the table. @returns it, or END */
function runFree(f: Frame, { operations, prices, least, most }: Table): number {
  const { code } = f;
  while (f.pc < code.length) {
    const op = code[f.pc] as number;
    const operation = operations[op];
    if (operation === undefined) return op;
    f.gas -= prices[op] as number;
    if (f.gas < 0) f.refill();
    if (f.sp < (least[op] as number)) halt('STACK_UNDERFLOW');
    if (f.sp > (most[op] as number)) halt('STACK_OVERFLOW');
    f.pc++;
    operation(f);
  }
  return END;
}

/** Takes the operands of an operation that has a message run; nothing to run if it fails. */
function messageOf(f: Frame, op: number): Message | undefined {
  f.pc++;
  if (isCall(op)) return payCall(f, op);
  return isCreate(op) ? payCreation(f, op) : halt('INVALID_OPCODE');
}

/** Runs a frame. @returns the message that it waits for; none if it has ended */
export function advance(f: Frame, table: Table): Message | undefined {
  try {
    for (let op = runFree(f, table); op !== END; op = runFree(f, table)) {
      const message = messageOf(f, op);
      if (message !== undefined) return message;
    }
  } catch (thrown) {
    if (!(thrown instanceof EVMError)) throw thrown;
    f.error = thrown.error;
  }
  return undefined;
}
