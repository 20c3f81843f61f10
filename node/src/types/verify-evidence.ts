/**
 * Evidence against the chain: did this misbehaviour happen here, by whom, and recently enough?
 *
 * Upholds: nobody is accused without two signatures of theirs that exclude each other, or one under
 * a header that this chain does not have; who is accused and with which power follows from the
 * chain alone.
 * Absent here: whether the evidence is pending or committed already (engine).
 * Spec: CometBFT 0.38.25 evidence/verify.go, types/evidence.go.
 *
 * @module
 */
import { compareBytes, equalBytes, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { afterwards, type CheckSignature, type Eventually } from './check-signature.ts';
import { BLOCK_ID_FLAG, type SignedHeader } from './commit.ts';
import {
  type DuplicateVote,
  type Evidence,
  evidenceHeight,
  type LightClientAttack,
} from './evidence.ts';
import { blockIdOrder, checkDuplicateVote, checkLightClientAttack } from './evidence-checks.ts';
import { type Header, headerHash } from './header.ts';
import { addressOf } from './keys.ts';
import type { LightBlock } from './light-block.ts';
import type { ConsensusParams } from './params.ts';
import type { Time } from './time.ts';
import { byPower, type Validator, type ValidatorSet } from './validators.ts';
import { verifyCommitLightAll, verifyCommitTrustingAll } from './verify-commit.ts';
import { verifyVote } from './verify-vote.ts';
import type { Vote } from './vote.ts';

/** Refusals of evidence against the chain; `evidence-checks.ts` has the first of this space. */
export const errors: {
  readonly UnknownHeight: ErrorSpec<{ readonly height: number }>;
  readonly WrongTime: ErrorSpec<{ readonly height: number }>;
  readonly Expired: ErrorSpec<{ readonly height: number }>;
  readonly NotAValidator: ErrorSpec<{ readonly address: string }>;
  readonly NotDuplicate: ErrorSpec<{ readonly reason: string }>;
  readonly WrongPower: ErrorSpec<{ readonly power: bigint; readonly expected: bigint }>;
  readonly NoAttack: ErrorSpec<{ readonly reason: string }>;
  readonly WrongAccused: ErrorSpec<{ readonly reason: string }>;
} = {
  UnknownHeight: errorSpec('evidence', 2, 'peer', (p) => `height ${p.height} is not known here`),
  WrongTime: errorSpec(
    'evidence',
    3,
    'peer',
    (p) => `the evidence has another time than block ${p.height}`,
  ),
  Expired: errorSpec('evidence', 4, 'peer', (p) => `evidence of height ${p.height} is too old`),
  NotAValidator: errorSpec('evidence', 5, 'peer', (p) => `${p.address} was not a validator`),
  NotDuplicate: errorSpec('evidence', 6, 'peer', (p) => `the two votes differ in ${p.reason}`),
  WrongPower: errorSpec(
    'evidence',
    7,
    'peer',
    (p) => `the evidence says power ${p.power}; it was ${p.expected}`,
  ),
  NoAttack: errorSpec('evidence', 8, 'peer', (p) => `no attack: ${p.reason}`),
  WrongAccused: errorSpec('evidence', 9, 'peer', (p) => `wrong list of the accused: ${p.reason}`),
};

/** What verifying evidence needs to know of the chain. */
export type EvidenceContext = {
  readonly chainId: string;
  readonly check: CheckSignature;
  readonly lastHeight: number;
  readonly lastTime: Time;
  readonly params: ConsensusParams['evidence'];
  /** Header and commit of a stored height. */
  signedHeader(height: number): SignedHeader | undefined;
  /** Who signed a stored height. */
  validators(height: number): ValidatorSet | undefined;
};

/** Whether evidence is too old by both its height and its time. */
export function isExpired(
  context: Pick<EvidenceContext, 'lastHeight' | 'lastTime' | 'params'>,
  height: number,
  time: Time,
): boolean {
  const { lastHeight, lastTime, params } = context;
  return lastTime - time > params.maxAgeDuration && lastHeight - height > params.maxAgeNumBlocks;
}

/** Evidence from two votes of one validator for different blocks, in the order that is allowed. */
export function duplicateVote(
  first: Vote,
  second: Vote,
  timestamp: Time,
  validators: ValidatorSet,
): DuplicateVote | undefined {
  const address = first.validatorAddress;
  const validator = validators.validators.find((v) => equalBytes(v.address, address));
  if (validator === undefined) return undefined;
  const order = compareBytes(blockIdOrder(first.blockId), blockIdOrder(second.blockId));
  const [voteA, voteB] = order < 0 ? [first, second] : [second, first];
  const { totalPower } = validators;
  return { voteA, voteB, totalPower, validatorPower: validator.power, timestamp };
}

/**
 * Checks evidence completely against the chain.
 *
 * @returns why it is refused, if it is; a promise only if a signature check gave one
 */
export function verifyEvidence(
  context: EvidenceContext,
  evidence: Evidence,
): Eventually<LedgerError | undefined> {
  try {
    const height = evidenceHeight(evidence);
    const common = headerAt(context, height);
    const validators = validatorsAt(context, height);
    if (evidence.value.timestamp !== common.header.time) {
      return new LedgerError(errors.WrongTime, { height });
    }
    if (isExpired(context, height, common.header.time)) {
      return new LedgerError(errors.Expired, { height });
    }
    return evidence.kind === 'duplicateVote'
      ? verifyDuplicateVote(context, evidence.value, validators)
      : verifyAttack(context, evidence.value, validators);
  } catch (thrown) {
    if (thrown instanceof LedgerError) return thrown;
    throw thrown;
  }
}

function headerAt(context: EvidenceContext, height: number): SignedHeader {
  const header = context.signedHeader(height);
  if (header === undefined) throw new LedgerError(errors.UnknownHeight, { height });
  return header;
}

function validatorsAt(context: EvidenceContext, height: number): ValidatorSet {
  const validators = context.validators(height);
  if (validators === undefined) throw new LedgerError(errors.UnknownHeight, { height });
  return validators;
}

function requirePower(power: bigint, expected: bigint): void {
  if (power !== expected) throw new LedgerError(errors.WrongPower, { power, expected });
}

function requireSameStep(a: Vote, b: Vote): void {
  const differences: readonly (readonly [same: boolean, reason: string])[] = [
    [a.height === b.height, 'height'],
    [a.round === b.round, 'round'],
    [a.type === b.type, 'type'],
    [equalBytes(a.validatorAddress, b.validatorAddress), 'validator'],
  ];
  const reason = differences.find(([same]) => !same)?.[1];
  if (reason !== undefined) throw new LedgerError(errors.NotDuplicate, { reason });
}

function verifyDuplicateVote(
  context: EvidenceContext,
  evidence: DuplicateVote,
  validators: ValidatorSet,
): Eventually<LedgerError | undefined> {
  const { voteA, voteB } = checkDuplicateVote(evidence);
  requireSameStep(voteA, voteB);
  const index = validators.validators.findIndex((v) =>
    equalBytes(v.address, voteA.validatorAddress),
  );
  const validator = validators.validators[index];
  if (validator === undefined) {
    throw new LedgerError(errors.NotAValidator, { address: toHex(voteA.validatorAddress) });
  }
  requirePower(evidence.validatorPower, validator.power);
  requirePower(evidence.totalPower, validators.totalPower);
  const signers = { chainId: context.chainId, validators, check: context.check };
  // CometBFT looks validators up by address here: the index is not part of what was signed.
  const verify = (vote: Vote): Eventually<LedgerError | undefined> =>
    afterwards(verifyVote(signers, { ...vote, validatorIndex: index }), (result) =>
      result instanceof LedgerError ? result : undefined,
    );
  const first = verify(voteA);
  const second = verify(voteB);
  if (first instanceof Promise || second instanceof Promise) {
    return Promise.all([first, second]).then(([a, b]) => a ?? b);
  }
  return first ?? second;
}

/** Whether a header says something about the state that this chain's header does not say. */
function contradicts(trusted: Header, conflicting: Header): boolean {
  const derived = [
    'validatorsHash',
    'nextValidatorsHash',
    'consensusHash',
    'appHash',
    'lastResultsHash',
  ] as const;
  return derived.some((name) => !equalBytes(trusted[name], conflicting[name]));
}

/** The header to compare with: of the same height, or the latest if the attack is ahead of us. */
function trustedHeader(context: EvidenceContext, conflicting: Header): SignedHeader {
  const same = context.signedHeader(conflicting.height);
  if (same !== undefined) return same;
  const latest = headerAt(context, context.lastHeight);
  if (latest.header.time < conflicting.time) {
    throw new LedgerError(errors.NoAttack, { reason: 'the block is ahead of us in time' });
  }
  return latest;
}

function verifyAttack(
  context: EvidenceContext,
  attack: LightClientAttack,
  common: ValidatorSet,
): Eventually<LedgerError | undefined> {
  const block = checkLightClientAttack(attack);
  const trusted = trustedHeader(context, block.header);
  const sameHeight = attack.commonHeight === block.header.height;
  if (sameHeight && contradicts(trusted.header, block.header)) {
    throw new LedgerError(errors.NoAttack, {
      reason: 'a block of the common height must be derived as ours',
    });
  }
  const ahead = block.header.height > trusted.header.height;
  if (ahead && block.header.time > trusted.header.time) {
    throw new LedgerError(errors.NoAttack, { reason: 'time goes forward' });
  }
  if (!ahead && equalBytes(headerHash(trusted.header), headerHash(block.header))) {
    throw new LedgerError(errors.NoAttack, { reason: 'the block is ours' });
  }
  requirePower(attack.totalPower, common.totalPower);
  requireAccused(attack.byzantineValidators, accused(block, trusted, common));
  const { chainId, check } = context;
  const byCommon = sameHeight
    ? undefined
    : verifyCommitTrustingAll({ chainId, check, validators: common }, block.commit);
  const own = { chainId, check, validators: block.validators };
  const { blockId, height } = block.commit;
  const byOwn = verifyCommitLightAll(own, blockId, height, block.commit);
  if (byCommon instanceof Promise || byOwn instanceof Promise) {
    return Promise.all([byCommon, byOwn]).then(([a, b]) => a ?? b);
  }
  return byCommon ?? byOwn;
}

/** Who is to blame for a conflicting block, by power and address; nobody for amnesia. */
export function accused(
  block: LightBlock,
  trusted: SignedHeader,
  common: ValidatorSet,
): readonly Validator[] {
  const lunatic = contradicts(trusted.header, block.header);
  if (!lunatic && trusted.commit.round !== block.commit.round) return [];
  const among = lunatic ? common : block.validators;
  const byAddress = new Map(among.validators.map((v) => [toHex(v.address), v]));
  return block.commit.signatures
    .filter((sig, index) => {
      const flags = lunatic ? [sig] : [sig, trusted.commit.signatures[index]];
      return flags.every((one) => one?.blockIdFlag === BLOCK_ID_FLAG.commit);
    })
    .map((sig) => byAddress.get(toHex(sig.validatorAddress)))
    .filter((validator) => validator !== undefined)
    .sort(byPower);
}

function requireAccused(named: readonly Validator[], expected: readonly Validator[]): void {
  const refuse = (reason: string): never => {
    throw new LedgerError(errors.WrongAccused, { reason });
  };
  if (named.length !== expected.length) refuse(`${named.length}, not ${expected.length}`);
  for (const [index, validator] of expected.entries()) {
    const claim = named[index] as Validator;
    if (!equalBytes(claim.address, validator.address)) refuse(`address ${index}`);
    if (!equalBytes(addressOf(claim.publicKey), claim.address)) refuse(`key ${index}`);
    if (claim.power !== validator.power) refuse(`power ${index}`);
  }
}
