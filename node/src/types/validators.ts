/**
 * Validator sets: order, hash, quorum, and CometBFT's proposer rotation.
 *
 * Upholds: sets are immutable values, in order of power (descending) then address (ascending);
 * every node computes the same proposer from the same history of sets. The proposer is part of the
 * set and is not derived from the priorities again once chosen.
 * Spec: CometBFT types/validator_set.go; spec/consensus/proposer-selection.md.
 *
 * @module
 */
import { compareBytes, equalBytes, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, invariant, LedgerError } from '../base/errors.ts';
import { ADDRESS_BYTES, MAX_TOTAL_POWER, MAX_VALIDATORS } from '../base/limits.ts';
import { merkleRoot } from '../base/merkle.ts';
import { always, bytes, type Codec, int64, list, message, optional } from '../base/proto.ts';
import { addressOf, type PublicKey, publicKeyCodec, wellFormedKey } from './keys.ts';

/** One validator; `power` and `priority` are int64. */
export type Validator = {
  readonly address: Uint8Array;
  readonly publicKey: PublicKey;
  readonly power: bigint;
  readonly priority: bigint;
};

/** A non-empty set of validators and the one whose turn it is. */
export type ValidatorSet = {
  readonly validators: readonly Validator[];
  readonly proposer: Validator;
  readonly totalPower: bigint;
};

/** A change of one validator; power 0 removes it. */
export type ValidatorUpdate = { readonly publicKey: PublicKey; readonly power: bigint };

/** Refusals of a change of the set. */
export const errors: {
  readonly BadUpdate: ErrorSpec<{ readonly reason: string }>;
} = {
  BadUpdate: errorSpec('validators', 1, 'client', (p) => `validator update: ${p.reason}`),
};

function refuse(reason: string): never {
  throw new LedgerError(errors.BadUpdate, { reason });
}

/** tendermint.types.Validator. */
export const validatorCodec: Codec<Validator> = message<Validator>('Validator', {
  address: bytes(1, ADDRESS_BYTES),
  publicKey: always(2, publicKeyCodec),
  power: int64(3),
  priority: int64(4),
});

/** A validator set as the wire has it, not yet checked. */
export type WireValidatorSet = {
  readonly validators: readonly Validator[];
  readonly proposer: Validator | undefined;
  readonly totalPower: bigint;
};

/** tendermint.types.ValidatorSet as it stands on the wire and in stores. */
export const validatorSetCodec: Codec<WireValidatorSet> = message<WireValidatorSet>(
  'ValidatorSet',
  {
    validators: list(1, validatorCodec, MAX_VALIDATORS),
    proposer: optional(2, validatorCodec),
    totalPower: int64(3),
  },
);

/** Turns a decoded set into a value of ours. @throws LedgerError validators/1 if it is not one */
export function validatorSetFromWire(wire: WireValidatorSet): ValidatorSet {
  const { validators, proposer } = wire;
  if (validators.length === 0 || proposer === undefined) return refuse('the set is empty');
  const addresses = new Set(validators.map((v) => toHex(v.address)));
  if (addresses.size < validators.length) refuse('an address appears twice');
  if (!addresses.has(toHex(proposer.address))) refuse('the proposer is not in the set');
  for (const v of validators) {
    // Headers commit to keys and powers only, so the address must follow from the key.
    if (!wellFormedKey(v.publicKey) || !equalBytes(addressOf(v.publicKey), v.address)) {
      refuse(`the address ${toHex(v.address)} is not that of its key`);
    }
    if (v.power <= 0n) refuse(`${toHex(v.address)} has no power`);
  }
  return { validators, proposer, totalPower: sumPower(validators) };
}

/** A set as the wire has it; like CometBFT, the total is left for the reader to add up. */
export function validatorSetToWire(set: ValidatorSet): WireValidatorSet {
  return { validators: set.validators, proposer: set.proposer, totalPower: 0n };
}

function sumPower(validators: readonly Validator[]): bigint {
  const total = validators.reduce((sum, v) => sum + v.power, 0n);
  return total <= MAX_TOTAL_POWER ? total : refuse(`total power ${total} is over the limit`);
}

/** The least power that is more than two thirds of `total`. */
export function quorum(total: bigint): bigint {
  return (total * 2n) / 3n + 1n;
}

/** Position of a validator, or −1. */
export function indexOfValidator(set: ValidatorSet, address: Uint8Array): number {
  return set.validators.findIndex((v) => equalBytes(v.address, address));
}

type SimpleValidator = { readonly publicKey: PublicKey; readonly power: bigint };

const simpleValidatorCodec: Codec<SimpleValidator> = message<SimpleValidator>('SimpleValidator', {
  publicKey: always(1, publicKeyCodec),
  power: int64(2),
});

/** The hash that headers carry: over keys and powers, not over priorities. */
export function validatorsHash(set: ValidatorSet): Uint8Array {
  return merkleRoot(set.validators.map((v) => simpleValidatorCodec.encode(v)));
}

const MAX_INT64 = (1n << 63n) - 1n;
const MIN_INT64 = -(1n << 63n);

function clip(value: bigint): bigint {
  if (value > MAX_INT64) return MAX_INT64;
  return value < MIN_INT64 ? MIN_INT64 : value;
}

function floorDiv(a: bigint, b: bigint): bigint {
  const q = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? q - 1n : q;
}

/** Priorities brought into a window of twice the total power, by whole division toward zero. */
function rescale(validators: readonly Validator[], total: bigint): readonly Validator[] {
  const priorities = validators.map((v) => v.priority);
  const max = priorities.reduce((a, b) => (a > b ? a : b));
  const min = priorities.reduce((a, b) => (a < b ? a : b));
  const window = 2n * total;
  const spread = clip(max - min);
  const ratio = (spread + window - 1n) / window;
  if (spread <= window) return validators;
  return validators.map((v) => ({ ...v, priority: v.priority / ratio }));
}

/** Priorities shifted so that their average is about zero. */
function centre(validators: readonly Validator[]): readonly Validator[] {
  const sum = validators.reduce((total, v) => total + v.priority, 0n);
  const average = floorDiv(sum, BigInt(validators.length));
  return validators.map((v) => ({ ...v, priority: clip(v.priority - average) }));
}

/** The validator with the highest priority; the lower address wins a tie. */
function foremost(validators: readonly Validator[]): number {
  let best = 0;
  for (let i = 1; i < validators.length; i++) {
    const a = validators[i] as Validator;
    const b = validators[best] as Validator;
    const tie = a.priority === b.priority && compareBytes(a.address, b.address) < 0;
    if (a.priority > b.priority || tie) best = i;
  }
  return best;
}

/** The set after `times` turns of the rotation. @param times - above zero */
export function rotate(set: ValidatorSet, times: number): ValidatorSet {
  invariant(times > 0, 'the rotation goes forward');
  const { totalPower } = set;
  const validators = centre(rescale(set.validators, totalPower)).map((v) => ({ ...v }));
  let chosen = 0;
  for (let turn = 0; turn < times; turn++) {
    for (const v of validators) v.priority = clip(v.priority + v.power);
    chosen = foremost(validators);
    const winner = validators[chosen] as { priority: bigint };
    winner.priority = clip(winner.priority - totalPower);
  }
  return { validators, proposer: validators[chosen] as Validator, totalPower };
}

/** The order of a set: more power first, then the lower address. */
export function byPower(a: Validator, b: Validator): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1;
  return compareBytes(a.address, b.address);
}

/** The set that `initial` makes at genesis, with the first proposer chosen. */
export function createValidatorSet(initial: readonly ValidatorUpdate[]): ValidatorSet {
  const validators = applyUpdates([], initial, false);
  const set = {
    validators,
    proposer: validators[0] as Validator,
    totalPower: sumPower(validators),
  };
  return rotate(set, 1);
}

/**
 * The set with `updates` applied; the proposer stays who it is, if it stays.
 *
 * @throws LedgerError validators/1 for duplicates, negative or too large powers, the removal of a
 *   stranger, or when nobody would be left
 */
export function updateValidatorSet(
  set: ValidatorSet,
  updates: readonly ValidatorUpdate[],
): ValidatorSet {
  if (updates.length === 0) return set;
  const validators = applyUpdates(set.validators, updates, true);
  return { validators, proposer: set.proposer, totalPower: sumPower(validators) };
}

function applyUpdates(
  current: readonly Validator[],
  updates: readonly ValidatorUpdate[],
  removals: boolean,
): readonly Validator[] {
  const byAddress = new Map(current.map((v) => [toHex(v.address), v]));
  const changes = new Map<string, ValidatorUpdate>();
  for (const update of updates) {
    const key = toHex(addressOf(update.publicKey));
    if (changes.has(key)) refuse(`${key} appears twice`);
    if (update.power < 0n) refuse(`${key} has negative power`);
    if (update.power > MAX_TOTAL_POWER) refuse(`${key} has too much power`);
    if (update.power === 0n && !(removals && byAddress.has(key))) {
      refuse(`${key} cannot be removed: it is not in the set`);
    }
    changes.set(key, update);
  }
  // A newcomer's priority counts the total before removals: leaving to rejoin gains nothing.
  const kept = current.filter((v) => !changes.has(toHex(v.address)));
  const removed = current.filter((v) => changes.get(toHex(v.address))?.power === 0n);
  const added = [...changes.values()].filter((u) => u.power > 0n);
  const before =
    kept.reduce((sum, v) => sum + v.power, 0n) +
    removed.reduce((sum, v) => sum + v.power, 0n) +
    added.reduce((sum, u) => sum + u.power, 0n);
  const entries = added.map((update) => {
    const address = addressOf(update.publicKey);
    const known = byAddress.get(toHex(address));
    const priority = known === undefined ? -(before + (before >> 3n)) : known.priority;
    return { address, publicKey: update.publicKey, power: update.power, priority };
  });
  const next = [...kept, ...entries];
  if (next.length === 0) refuse('nobody would be left in the set');
  if (next.length > MAX_VALIDATORS) refuse(`more than ${MAX_VALIDATORS} validators`);
  return [...centre(rescale(next, sumPower(next)))].sort(byPower);
}
