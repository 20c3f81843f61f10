/**
 * Votes and proposals against the validators who may have sent them.
 *
 * Upholds: `verifyVote` and `verifyProposal` are the only makers of `Verified` values, for other
 * nodes' signatures, our own, and those read back from the write-ahead log alike. A signature that
 * nobody checked is neither: its refusal blames the node, not the peer it came from.
 * Spec: CometBFT types/vote_set.go (addVote), consensus/state.go (defaultSetProposal).
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import {
  afterwards,
  checkValidator,
  type Eventually,
  type LimitedCheck,
  type Signers,
} from './check-signature.ts';
import type { Validator } from './validators.ts';
import {
  type Proposal,
  proposalSignBytes,
  type Verified,
  type Vote,
  voteSignBytes,
  wellFormedProposal,
  wellFormedVote,
} from './vote.ts';

/** Refusals of votes and proposals. */
export const errors: {
  readonly Malformed: ErrorSpec<{ readonly what: 'vote' | 'proposal' }>;
  readonly UnknownValidator: ErrorSpec<{ readonly index: number; readonly size: number }>;
  readonly WrongAddress: ErrorSpec<{ readonly index: number }>;
  readonly BadSignature: ErrorSpec<{ readonly what: 'vote' | 'proposal' }>;
  readonly NotChecked: ErrorSpec<{ readonly what: 'vote' | 'proposal' }>;
} = {
  Malformed: errorSpec('vote', 1, 'peer', (p) => `the ${p.what} breaks the rules of its form`),
  UnknownValidator: errorSpec(
    'vote',
    2,
    'peer',
    (p) => `validator ${p.index} is not among the ${p.size} of this height`,
  ),
  WrongAddress: errorSpec(
    'vote',
    3,
    'peer',
    (p) => `the vote names another address than validator ${p.index} has`,
  ),
  BadSignature: errorSpec('vote', 4, 'peer', (p) => `the signature of the ${p.what} is not valid`),
  NotChecked: errorSpec(
    'vote',
    5,
    'node',
    (p) => `the signature of the ${p.what} was not checked: too many from this peer are slow ones`,
  ),
};

/** Why a signature with this answer is refused; undefined if it is valid. */
function refusal(
  answer: boolean | undefined,
  what: 'vote' | 'proposal',
): LedgerError<{ readonly what: string }> | undefined {
  if (answer === true) return undefined;
  return new LedgerError(answer === undefined ? errors.NotChecked : errors.BadSignature, { what });
}

/**
 * Checks a vote against the validators of its height; the caller has compared the height.
 *
 * @returns the vote as a verified one, or why it is refused; a promise only if `check` gave one
 */
export function verifyVote(
  signers: Signers<LimitedCheck>,
  vote: Vote,
): Eventually<Verified<Vote> | LedgerError> {
  if (!wellFormedVote(vote)) return new LedgerError(errors.Malformed, { what: 'vote' });
  const { validators } = signers.validators;
  const index = vote.validatorIndex;
  const validator = validators[index];
  if (validator === undefined) {
    return new LedgerError(errors.UnknownValidator, { index, size: validators.length });
  }
  if (!equalBytes(validator.address, vote.validatorAddress)) {
    return new LedgerError(errors.WrongAddress, { index });
  }
  const message = voteSignBytes(signers.chainId, vote);
  const valid = checkValidator(signers.check, validator, message, vote.signature);
  return afterwards(valid, (answer) => refusal(answer, 'vote') ?? (vote as Verified<Vote>));
}

/**
 * Checks a proposal against the proposer of its round, by default the one of `signers`.
 *
 * @returns the proposal as a verified one, or why it is refused; a promise only if `check` gave one
 */
export function verifyProposal(
  signers: Signers<LimitedCheck>,
  proposal: Proposal,
  proposer: Validator = signers.validators.proposer,
): Eventually<Verified<Proposal> | LedgerError> {
  if (!wellFormedProposal(proposal)) return new LedgerError(errors.Malformed, { what: 'proposal' });
  const message = proposalSignBytes(signers.chainId, proposal);
  const valid = checkValidator(signers.check, proposer, message, proposal.signature);
  return afterwards(
    valid,
    (answer) => refusal(answer, 'proposal') ?? (proposal as Verified<Proposal>),
  );
}
