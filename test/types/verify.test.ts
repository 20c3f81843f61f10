/**
 * Votes, proposals and commits against validators with real signatures, now and later.
 *
 * @module
 */
import { expect } from 'chai';
import { LedgerError } from '../../node/src/base/errors.ts';
import { MAX_TOTAL_POWER } from '../../node/src/base/limits.ts';
import type { CheckSignature, Signers } from '../../node/src/types/check-signature.ts';
import { BLOCK_ID_FLAG, type Commit } from '../../node/src/types/commit.ts';
import { medianTime, errors as timeErrors } from '../../node/src/types/median-time.ts';
import {
  errors as commitErrors,
  verifyCommit,
  verifyCommitLight,
  verifyCommitLightAll,
  verifyCommitTrusting,
  verifyCommitTrustingAll,
} from '../../node/src/types/verify-commit.ts';
import {
  verifyProposal,
  verifyVote,
  errors as voteErrors,
} from '../../node/src/types/verify-vote.ts';
import { proposalSignBytes } from '../../node/src/types/vote.ts';
import {
  type Ballot,
  blockId,
  CHAIN,
  checkLater,
  checkNow,
  committee,
  makeCommit,
  START,
  signVote,
} from './chain-maker.ts';

const four = committee([10n, 10n, 10n, 10n]);
const signers: Signers = { chainId: CHAIN, validators: four.set, check: checkNow };
const id = blockId('block');

function broken(commit: Commit, index: number): Commit {
  const signatures = commit.signatures.map((sig, i) =>
    i === index ? { ...sig, signature: new Uint8Array(64).fill(1) } : sig,
  );
  return { ...commit, signatures };
}

const ballots = (...list: Ballot[]): { readonly ballots: readonly Ballot[] } => ({ ballots: list });

describe('verifyVote', () => {
  it('makes a verified vote of a good one, at once or later', async () => {
    const vote = signVote(four, 2);
    expect(verifyVote(signers, vote)).to.equal(vote);
    expect(await verifyVote({ ...signers, check: checkLater }, vote)).to.equal(vote);
  });

  it('names what is wrong with a bad one', async () => {
    const vote = signVote(four, 2);
    const cases = [
      [{ ...vote, height: 0 }, voteErrors.Malformed],
      [{ ...vote, validatorIndex: 4 }, voteErrors.UnknownValidator],
      [{ ...vote, validatorIndex: 1 }, voteErrors.WrongAddress],
      [{ ...vote, round: 1 }, voteErrors.BadSignature],
      [signVote(four, 2, {}, 'other-chain'), voteErrors.BadSignature],
    ] as const;
    for (const [bad, spec] of cases) {
      for (const check of [checkNow, checkLater]) {
        const result = await verifyVote({ ...signers, check }, bad);
        expect(result).to.be.instanceOf(LedgerError);
        expect((result as LedgerError).code).to.equal(spec.code);
      }
    }
  });

  it('blames nobody for a signature that was not checked', async () => {
    const vote = signVote(four, 2);
    for (const check of [() => undefined, () => Promise.resolve(undefined)]) {
      const result = await verifyVote({ ...signers, check }, vote);
      expect(LedgerError.is(result, voteErrors.NotChecked), String(result)).to.equal(true);
      expect((result as LedgerError).blame).to.equal('node');
    }
  });

  it('checks a proposal against the proposer', () => {
    const { proposer } = four.set;
    const index = four.set.validators.findIndex((v) => v.address === proposer.address);
    const unsigned = {
      type: 32,
      height: 5,
      round: 0,
      polRound: -1,
      blockId: id,
      timestamp: START,
    };
    const sign = (by: number): Uint8Array =>
      four.keys[by]?.sign(proposalSignBytes(CHAIN, unsigned)) ?? new Uint8Array(0);
    const good = { ...unsigned, signature: sign(index) };
    expect(verifyProposal(signers, good)).to.equal(good);
    const other = { ...unsigned, signature: sign((index + 1) % 4) };
    expect(LedgerError.is(verifyProposal(signers, other), voteErrors.BadSignature)).to.equal(true);
    const malformed = { ...good, polRound: 0 };
    expect(LedgerError.is(verifyProposal(signers, malformed), voteErrors.Malformed)).to.equal(true);
  });
});

type Verdict = ReturnType<typeof verifyCommit>;
const checks = {
  full: (with_: Signers, commit: Commit): Verdict => verifyCommit(with_, id, 5, commit),
  light: (with_: Signers, commit: Commit): Verdict => verifyCommitLight(with_, id, 5, commit),
  lightAll: (with_: Signers, commit: Commit): Verdict => verifyCommitLightAll(with_, id, 5, commit),
  trusting: (with_: Signers, commit: Commit): Verdict => verifyCommitTrusting(with_, commit),
  trustingAll: (with_: Signers, commit: Commit): Verdict => verifyCommitTrustingAll(with_, commit),
};
type Check = keyof typeof checks;

async function codes(commit: Commit, check: CheckSignature): Promise<Record<Check, number>> {
  const entries = await Promise.all(
    Object.entries(checks).map(async ([name, verify]) => {
      const refusal = await verify({ ...signers, check }, commit);
      return [name, refusal?.code ?? 0] as const;
    }),
  );
  return Object.fromEntries(entries) as Record<Check, number>;
}

describe('the commit checks', () => {
  const good = makeCommit(four, id, 5);
  const ok = { full: 0, light: 0, lightAll: 0, trusting: 0, trustingAll: 0 };
  const power = commitErrors.TooLittlePower.code;
  const bad = commitErrors.BadSignature.code;
  const rows: readonly (readonly [what: string, commit: Commit, codes: Record<Check, number>])[] = [
    ['all signed', good, ok],
    ['one absent', makeCommit(four, id, 5, ballots('block', 'absent', 'block', 'block')), ok],
    ['one for nil', makeCommit(four, id, 5, ballots('nil', 'block', 'block', 'block')), ok],
    [
      'half is enough for those that want a third',
      makeCommit(four, id, 5, ballots('block', 'block', 'nil', 'absent')),
      { ...ok, full: power, light: power, lightAll: power },
    ],
    [
      'one quarter is too little for all',
      makeCommit(four, id, 5, ballots('block', 'nil', 'nil', 'nil')),
      { full: power, light: power, lightAll: power, trusting: power, trustingAll: power },
    ],
    [
      'a bad signature after the threshold escapes those that stop early',
      broken(good, 3),
      { ...ok, full: bad, lightAll: bad, trustingAll: bad },
    ],
    [
      'a bad signature before it does not',
      broken(good, 0),
      { full: bad, light: bad, lightAll: bad, trusting: bad, trustingAll: bad },
    ],
    [
      'a bad signature for nil concerns the full check only',
      broken(makeCommit(four, id, 5, ballots('nil', 'block', 'block', 'block')), 0),
      { ...ok, full: bad },
    ],
  ];
  for (const [what, commit, expected] of rows) {
    it(what, async () => {
      expect(await codes(commit, checkNow)).to.deep.equal(expected);
      expect(await codes(commit, checkLater)).to.deep.equal(expected);
    });
  }

  it('are synchronous when the signature checks are', () => {
    expect(checks.full(signers, good)).to.equal(undefined);
    expect(checks.full({ ...signers, check: checkLater }, good)).to.be.instanceOf(Promise);
  });

  it('want the size, height and block they were asked about', () => {
    const codeOf = (verdict: Verdict): number => (verdict as LedgerError).code;
    const small = committee([10n, 10n, 10n]);
    expect(codeOf(verifyCommit({ ...signers, validators: small.set }, id, 5, good))).to.equal(1);
    expect(codeOf(verifyCommit(signers, id, 6, good))).to.equal(2);
    expect(codeOf(verifyCommit(signers, blockId('other'), 5, good))).to.equal(3);
  });

  it('bind each signature to the address beside it', () => {
    const [a, b, ...rest] = good.signatures;
    if (a === undefined || b === undefined) throw new TypeError('two signatures');
    const swapped = { ...good, signatures: [b, a, ...rest] };
    expect((checks.full(signers, swapped) as LedgerError).code).to.equal(
      commitErrors.WrongAddress.code,
    );
    const repeated = { ...good, signatures: [a, a, ...rest] };
    expect((checks.trustingAll(signers, repeated) as LedgerError).code).to.equal(
      commitErrors.Repeated.code,
    );
  });

  it('skip strangers when they trust by address', () => {
    const mixed = committee([10n, 10n, 10n, 10n, 10n, 10n]);
    const commit = makeCommit(mixed, id, 5);
    expect(verifyCommitTrusting(signers, commit)).to.equal(undefined);
    const strangers = makeCommit(committee([10n, 10n], 50), id, 5);
    expect((verifyCommitTrusting(signers, strangers) as LedgerError).code).to.equal(power);
  });

  it('count the largest powers exactly', () => {
    const half = MAX_TOTAL_POWER / 2n;
    const two = committee([half, half]);
    const commit = makeCommit(two, id, 5);
    const both = { ...signers, validators: two.set };
    expect(verifyCommit(both, id, 5, commit)).to.equal(undefined);
    const one = makeCommit(two, id, 5, ballots('block', 'nil'));
    expect((verifyCommit(both, id, 5, one) as LedgerError).code).to.equal(power);
  });
});

describe('medianTime', () => {
  const timed = (times: readonly (readonly [flag: Ballot, time: bigint])[]): Commit => {
    const commit = makeCommit(four, id, 5, { ballots: times.map(([ballot]) => ballot) });
    const signatures = commit.signatures.map((sig, i) =>
      sig.blockIdFlag === BLOCK_ID_FLAG.absent ? sig : { ...sig, timestamp: times[i]?.[1] ?? 0n },
    );
    return { ...commit, signatures };
  };

  it('is the weighted median, with votes for nil and without absent ones', () => {
    const all = timed([
      ['block', 40n],
      ['nil', 10n],
      ['block', 30n],
      ['block', 20n],
    ]);
    expect(medianTime(all, four.set)).to.equal(20n);
    const three = timed([
      ['block', 40n],
      ['absent', 0n],
      ['block', 30n],
      ['nil', 20n],
    ]);
    expect(medianTime(three, four.set)).to.equal(30n);
  });

  it('follows power, not heads', () => {
    const heavy = committee([100n, 1n, 1n, 1n]);
    const commit = makeCommit(heavy, id, 5);
    const signatures = commit.signatures.map((sig, i) => ({ ...sig, timestamp: BigInt(i) }));
    expect(medianTime({ ...commit, signatures }, heavy.set)).to.equal(0n);
  });

  it('refuses strangers and commits without signatures', () => {
    const strangers = makeCommit(committee([10n], 90), id, 5);
    const absent = makeCommit(four, id, 5, ballots('absent', 'absent', 'absent', 'absent'));
    for (const [commit, spec] of [
      [strangers, timeErrors.UnknownSigner],
      [absent, timeErrors.NoSignatures],
    ] as const) {
      try {
        medianTime(commit, four.set);
        expect.fail('accepted');
      } catch (thrown) {
        expect((thrown as LedgerError).code).to.equal(spec.code);
      }
    }
  });
});
