/**
 * Where two EVMs differ on a block: run by run, then what each account and slot has after it.
 *
 * Upholds: a difference names the first run that can have made it.
 *
 * @module
 */
import { EMPTY } from '../../../base/bytes.ts';
import type { EvmLog } from '../types.ts';
import { floorGas } from '../validity.ts';
import { sameRecord } from './block-witness.ts';
import type { EdrRequest } from './edr.ts';
import type { AccountValues, SeenAccount, SeenBlock, SeenRun, SeenSlot } from './port.ts';
import { type CallTerms, dataOf, quantity } from './requests.ts';

/** A fifth of the gas at most comes back (EIP-3529). */
const MAX_REFUND_QUOTIENT = 5n;
/** More than the floor of EIP-7623 asks per byte of input and a thousand more. */
const FLOOR_BOUND = 50n;

/** Something that the two do not agree on. */
export type Difference = {
  readonly height: number;
  /** Its place among the EVM's runs of the block. */
  readonly run: number;
  /** Hash of the transaction; `system call` for one of the ledger's own. */
  readonly transaction: string;
  readonly field:
    | 'execution'
    | 'status'
    | 'gasUsed'
    | 'created'
    | 'logs'
    | 'balance'
    | 'nonce'
    | 'code'
    | 'slot';
  /** The account or slot, if it is about one. */
  readonly where?: string;
  readonly ledger: string;
  readonly edr: string;
};

/** The part of a receipt that is compared. */
export type Receipt = {
  readonly status: string;
  readonly gasUsed: string;
  readonly contractAddress: string | null;
  readonly logs: readonly {
    readonly address: string;
    readonly topics: readonly string[];
    readonly data: string;
  }[];
};

type Place = Pick<Difference, 'height' | 'run' | 'transaction'>;
type Values = Pick<Difference, 'ledger' | 'edr'>;

/** Names a run. */
export function whereOf(seen: SeenBlock, run: SeenRun | undefined): Place {
  const transaction = run === undefined || run.hash.length === 0 ? 'system call' : dataOf(run.hash);
  return {
    height: seen.block.height,
    run: run === undefined ? 0 : seen.runs.indexOf(run),
    transaction,
  };
}

/** Two numbers as a report shows them. */
export function textOf(ledger: bigint, edr: bigint): Values {
  return { ledger: quantity(ledger), edr: quantity(edr) };
}

function logText(logs: readonly { address: string; topics: readonly string[]; data: string }[]) {
  return JSON.stringify(logs.map(({ address, topics, data }) => [address, topics, data]));
}

function logsOf(logs: readonly EvmLog[]): string {
  return logText(
    logs.map(({ address, topics, data }) => ({
      address: dataOf(address),
      topics: topics.map(dataOf),
      data: dataOf(data),
    })),
  );
}

/** The gas that a run may have used there, least and most. */
function gasOf(
  { call: { data }, outcome }: SeenRun,
  terms: CallTerms | undefined,
): readonly [bigint, bigint] {
  if (terms === undefined) return [outcome.gasUsed, outcome.gasUsed];
  // The ledger's own call pays no intrinsic gas and tells nothing of its refund.
  const spent = terms.intrinsic + outcome.gasUsed;
  const [least, most] = [spent - spent / MAX_REFUND_QUOTIENT, spent];
  if (least > FLOOR_BOUND * BigInt(data.length + 1_000)) return [least, most];
  const floor = floorGas(data);
  return [least > floor ? least : floor, most > floor ? most : floor];
}

function differenceOfRun(
  seen: SeenBlock,
  run: SeenRun,
  receipt: Receipt | null,
  terms: CallTerms | undefined,
): Difference | undefined {
  const place = whereOf(seen, run);
  const { outcome, call } = run;
  if (receipt === null) {
    return { ...place, field: 'execution', ledger: 'ran', edr: 'left out of the block' };
  }
  const status = BigInt(receipt.status);
  if (status !== BigInt(outcome.status)) {
    const ledger = outcome.error ?? 'success';
    return { ...place, field: 'status', ledger, edr: status === 1n ? 'success' : 'failure' };
  }
  const gasUsed = BigInt(receipt.gasUsed);
  const [least, most] = gasOf(run, terms);
  if (gasUsed < least || gasUsed > most) {
    return { ...place, field: 'gasUsed', ...textOf(most, gasUsed) };
  }
  const [ledger, edr] = [logsOf(outcome.logs), logText(receipt.logs)];
  if (ledger !== edr) return { ...place, field: 'logs', ledger, edr };
  if (call.to !== undefined || outcome.status === 0) return undefined;
  const created = outcome.created === undefined ? '' : dataOf(outcome.created);
  if (created === receipt.contractAddress) return undefined;
  return { ...place, field: 'created', ledger: created, edr: receipt.contractAddress ?? '' };
}

/**
 * What each run did differently, at most one thing per run.
 *
 * @param terms - by which each was asked for
 */
export function differencesOfRuns(
  seen: SeenBlock,
  runs: readonly SeenRun[],
  receipts: readonly (Receipt | null)[],
  terms: readonly (CallTerms | undefined)[],
): readonly Difference[] {
  return runs.flatMap((run, i) => {
    const found = differenceOfRun(seen, run, receipts[i] ?? null, terms[i]);
    return found === undefined ? [] : [found];
  });
}

/** What to ask about an account: its code only if the block changed it. */
export function questionsOf({ address, before, after }: SeenAccount): readonly EdrRequest[] {
  const at = dataOf(address);
  const numbers: readonly EdrRequest[] = [
    ['eth_getBalance', at, 'latest'],
    ['eth_getTransactionCount', at, 'latest'],
  ];
  if (sameRecord(before.contract, after.contract)) return numbers;
  return [...numbers, ['eth_getCode', at, 'latest']];
}

function firstRun(seen: SeenBlock, places: 'accounts' | 'slots', place: number): Place {
  const mirrored = seen.runs.filter(({ unmirrored }) => unmirrored === undefined);
  return whereOf(seen, mirrored.find((run) => run[places].includes(place)) ?? mirrored[0]);
}

/** What an account has differently. */
export function accountDifferences(
  seen: SeenBlock,
  account: SeenAccount,
  found: AccountValues,
): readonly Difference[] {
  const { after, address } = account;
  const differences: (Values & { readonly field: Difference['field'] })[] = [];
  if (after.balance !== found.balance) {
    differences.push({ field: 'balance', ...textOf(after.balance, found.balance) });
  }
  if (after.nonce !== found.nonce) {
    differences.push({ field: 'nonce', ...textOf(after.nonce, found.nonce) });
  }
  if (!sameRecord(after.contract, found.contract)) {
    const [ledger, edr] = [dataOf(after.contract ?? EMPTY), dataOf(found.contract ?? EMPTY)];
    differences.push({ field: 'code', ledger, edr });
  }
  if (differences.length === 0) return [];
  const place = firstRun(seen, 'accounts', seen.accounts.indexOf(account));
  return differences.map((one) => ({ ...place, where: dataOf(address), ...one }));
}

/** What a slot has differently. */
export function slotDifference(seen: SeenBlock, slot: SeenSlot, found: bigint): Difference {
  const place = firstRun(seen, 'slots', seen.slots.indexOf(slot));
  const where = `${dataOf(slot.address)} slot 0x${slot.slot}`;
  return { ...place, where, field: 'slot', ...textOf(slot.after, found) };
}
