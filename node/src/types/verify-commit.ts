/**
 * Commits against validator sets: the four checks CometBFT knows.
 *
 * Upholds: a signature counts only for the validator whose address stands beside it (the fix of
 * CSA-2026-001); every check counts only signatures for the commit's own block.
 * Absent here: the form of a commit on its own (`checkCommit` in block-checks.ts).
 * Spec: CometBFT 0.38.25 types/validation.go.
 *
 * | check               | signatures checked | stops at the threshold | validators found by |
 * |---------------------|--------------------|------------------------|---------------------|
 * | full                | block and nil      | no                     | index               |
 * | light               | block              | yes                    | index               |
 * | lightAll            | block              | no                     | index               |
 * | trusting            | block              | yes                    | address             |
 * | trustingAll         | block              | no                     | address             |
 *
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type BlockId, equalBlockIds, NIL_BLOCK_ID } from './block-id.ts';
import {
  afterwards,
  checkValidator,
  type Eventually,
  firstFalse,
  type Signers,
} from './check-signature.ts';
import { BLOCK_ID_FLAG, type Commit, type CommitSig } from './commit.ts';
import type { Validator } from './validators.ts';
import { VOTE_TYPE, voteSignBytes } from './vote.ts';

/** Refusals of commits. */
export const errors: {
  readonly WrongSize: ErrorSpec<{ readonly size: number; readonly expected: number }>;
  readonly WrongHeight: ErrorSpec<{ readonly height: number; readonly expected: number }>;
  readonly WrongBlock: ErrorSpec<Record<never, never>>;
  readonly WrongAddress: ErrorSpec<{ readonly index: number }>;
  readonly BadSignature: ErrorSpec<{ readonly index: number }>;
  readonly TooLittlePower: ErrorSpec<{ readonly power: bigint; readonly needed: bigint }>;
  readonly Repeated: ErrorSpec<{ readonly index: number }>;
} = {
  WrongSize: errorSpec(
    'commit',
    1,
    'peer',
    (p) => `the commit has ${p.size} signatures, not ${p.expected}`,
  ),
  WrongHeight: errorSpec(
    'commit',
    2,
    'peer',
    (p) => `the commit is for height ${p.height}, not ${p.expected}`,
  ),
  WrongBlock: errorSpec('commit', 3, 'peer', () => 'the commit is for another block'),
  WrongAddress: errorSpec(
    'commit',
    4,
    'peer',
    (p) => `signature ${p.index} names another address than that validator has`,
  ),
  BadSignature: errorSpec('commit', 5, 'peer', (p) => `signature ${p.index} is not valid`),
  TooLittlePower: errorSpec(
    'commit',
    6,
    'peer',
    (p) => `power ${p.power} signed, less than the needed ${p.needed}`,
  ),
  Repeated: errorSpec(
    'commit',
    7,
    'peer',
    (p) => `signature ${p.index} is of a validator who already signed`,
  ),
};

/** A fraction of the voting power; above 0 and at most 1. */
export type TrustLevel = { readonly numerator: bigint; readonly denominator: bigint };

/** One third: enough that one signer is honest, as long as fewer than a third are not. */
export const ONE_THIRD: TrustLevel = { numerator: 1n, denominator: 3n };

/** Why a commit is refused, if it is; a promise only if a signature check gave one. */
export type CommitVerdict = Eventually<LedgerError | undefined>;

type Entry = {
  readonly index: number;
  readonly sig: CommitSig;
  readonly validator: Validator;
};

/** The bytes that entry `index` of a commit signs; the same as those of the precommit itself. */
export function commitSignBytes(chainId: string, commit: Commit, index: number): Uint8Array {
  const { height, round, signatures } = commit;
  const sig = signatures[index] as CommitSig;
  const blockId = sig.blockIdFlag === BLOCK_ID_FLAG.commit ? commit.blockId : NIL_BLOCK_ID;
  const { timestamp } = sig;
  return voteSignBytes(chainId, { type: VOTE_TYPE.precommit, height, round, blockId, timestamp });
}

function checkEntries(signers: Signers, commit: Commit, entries: readonly Entry[]): CommitVerdict {
  const results = entries.map(({ index, sig, validator }) => {
    const message = commitSignBytes(signers.chainId, commit, index);
    return checkValidator(signers.check, validator, message, sig.signature);
  });
  return afterwards(firstFalse(results), (at) => {
    const bad = entries[at];
    return bad && new LedgerError(errors.BadSignature, { index: bad.index });
  });
}

function forBlock(sig: CommitSig): boolean {
  return sig.blockIdFlag === BLOCK_ID_FLAG.commit;
}

/** Everything but an absent entry: flags that do not exist are checked too, and fail. */
function notAbsent(sig: CommitSig): boolean {
  return sig.blockIdFlag !== BLOCK_ID_FLAG.absent;
}

type Rule = {
  readonly checks: (sig: CommitSig) => boolean;
  readonly threshold: bigint;
  readonly stopsEarly: boolean;
};

/** Chooses the entries to check and adds up the power for the block. */
function judge(
  signers: Signers,
  commit: Commit,
  rule: Rule,
  find: (sig: CommitSig, index: number) => Validator | LedgerError | undefined,
): CommitVerdict {
  const entries: Entry[] = [];
  let power = 0n;
  for (const [index, sig] of commit.signatures.entries()) {
    if (!rule.checks(sig)) continue;
    const validator = find(sig, index);
    if (validator instanceof LedgerError) return validator;
    if (validator === undefined) continue;
    entries.push({ index, sig, validator });
    if (forBlock(sig)) power += validator.power;
    if (rule.stopsEarly && power > rule.threshold) break;
  }
  if (power <= rule.threshold) {
    return new LedgerError(errors.TooLittlePower, { power, needed: rule.threshold + 1n });
  }
  return checkEntries(signers, commit, entries);
}

/** Finds each entry's validator at its own position; the address beside it must be that one's. */
function byIndex(signers: Signers): (sig: CommitSig, index: number) => Validator | LedgerError {
  return (sig, index) => {
    const validator = signers.validators.validators[index];
    return validator !== undefined && equalBytes(validator.address, sig.validatorAddress)
      ? validator
      : new LedgerError(errors.WrongAddress, { index });
  };
}

function judgeByIndex(
  signers: Signers,
  blockId: BlockId,
  height: number,
  commit: Commit,
  rule: Pick<Rule, 'checks' | 'stopsEarly'>,
): CommitVerdict {
  const expected = signers.validators.validators.length;
  const size = commit.signatures.length;
  if (size !== expected) return new LedgerError(errors.WrongSize, { size, expected });
  if (commit.height !== height) {
    return new LedgerError(errors.WrongHeight, { height: commit.height, expected: height });
  }
  if (!equalBlockIds(commit.blockId, blockId)) return new LedgerError(errors.WrongBlock, {});
  const threshold = (signers.validators.totalPower * 2n) / 3n;
  return judge(signers, commit, { ...rule, threshold }, byIndex(signers));
}

/** Checks every signature, of votes for nil too: what a block's `lastCommit` must pass. */
export function verifyCommit(
  signers: Signers,
  blockId: BlockId,
  height: number,
  commit: Commit,
): CommitVerdict {
  return judgeByIndex(signers, blockId, height, commit, { checks: notAbsent, stopsEarly: false });
}

/** Checks signatures for the block until more than two thirds signed. */
export function verifyCommitLight(
  signers: Signers,
  blockId: BlockId,
  height: number,
  commit: Commit,
): CommitVerdict {
  return judgeByIndex(signers, blockId, height, commit, { checks: forBlock, stopsEarly: true });
}

/** Checks all signatures for the block: what evidence must pass. */
export function verifyCommitLightAll(
  signers: Signers,
  blockId: BlockId,
  height: number,
  commit: Commit,
): CommitVerdict {
  return judgeByIndex(signers, blockId, height, commit, { checks: forBlock, stopsEarly: false });
}

function judgeByAddress(
  signers: Signers,
  commit: Commit,
  level: TrustLevel,
  stopsEarly: boolean,
): CommitVerdict {
  const known = new Map(signers.validators.validators.map((v) => [toHex(v.address), v]));
  const seen = new Set<string>();
  const find = (sig: CommitSig, index: number): Validator | LedgerError | undefined => {
    const address = toHex(sig.validatorAddress);
    const validator = known.get(address);
    if (validator !== undefined && seen.has(address)) {
      return new LedgerError(errors.Repeated, { index });
    }
    seen.add(address);
    return validator;
  };
  const threshold = (signers.validators.totalPower * level.numerator) / level.denominator;
  return judge(signers, commit, { checks: forBlock, threshold, stopsEarly }, find);
}

/** Checks signatures of known validators until more than `level` of their set signed. */
export function verifyCommitTrusting(
  signers: Signers,
  commit: Commit,
  level: TrustLevel = ONE_THIRD,
): CommitVerdict {
  return judgeByAddress(signers, commit, level, true);
}

/** Checks all signatures of known validators, of whom more than `level` must have signed. */
export function verifyCommitTrustingAll(
  signers: Signers,
  commit: Commit,
  level: TrustLevel = ONE_THIRD,
): CommitVerdict {
  return judgeByAddress(signers, commit, level, false);
}
