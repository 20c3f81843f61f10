/**
 * Evidence: the forms, the facts of the chain, and every way in which it does not fit.
 *
 * @module
 */
import { expect } from 'chai';
import { toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import type { CommitSig } from '../../node/src/types/commit.ts';
import type { DuplicateVote, Evidence, LightClientAttack } from '../../node/src/types/evidence.ts';
import { evidenceHash } from '../../node/src/types/evidence.ts';
import type { LightBlock } from '../../node/src/types/light-block.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { validatorSetToWire } from '../../node/src/types/validators.ts';
import {
  accused,
  duplicateVote,
  type EvidenceContext,
  isExpired,
  verifyEvidence,
} from '../../node/src/types/verify-evidence.ts';
import {
  blockId,
  CHAIN,
  checkLater,
  checkNow,
  committee,
  lightBlock,
  SECOND,
  START,
  signVote,
} from './chain-maker.ts';

const four = committee([10n, 10n, 10n, 10n]);
const chain = new Map<number, LightBlock>(
  Array.from({ length: 10 }, (_, i) => [i + 1, lightBlock(four, i + 1)] as const),
);
const context: EvidenceContext = {
  chainId: CHAIN,
  check: checkNow,
  lastHeight: 10,
  lastTime: START + 10n * SECOND,
  params: DEFAULT_PARAMS.evidence,
  signedHeader: (height) => chain.get(height),
  validators: (height) => (chain.has(height) ? four.set : undefined),
};

const timeOf = (height: number): bigint => START + BigInt(height) * SECOND;

function pair(fields: object = {}, other: object = {}): Evidence {
  const first = signVote(four, 1, { blockId: blockId('a'), ...fields });
  const second = signVote(four, 1, { blockId: blockId('b'), ...other });
  const value = duplicateVote(first, second, timeOf(5), four.set);
  return { kind: 'duplicateVote', value: value as DuplicateVote };
}

function changed(evidence: Evidence, fields: object): Evidence {
  return { ...evidence, value: { ...evidence.value, ...fields } } as Evidence;
}

const codeOf = async (evidence: Evidence, check = checkNow): Promise<string> => {
  const refusal = await verifyEvidence({ ...context, check }, evidence);
  return refusal === undefined ? 'accepted' : `${refusal.space}/${refusal.code}`;
};

describe('evidence of two votes', () => {
  const good = pair();

  it('is accepted in either order of its making, at once or later', async () => {
    expect(verifyEvidence(context, good)).to.equal(undefined);
    expect(await codeOf(good, checkLater)).to.equal('accepted');
    const a = signVote(four, 1, { blockId: blockId('a') });
    const b = signVote(four, 1, { blockId: blockId('b') });
    expect(duplicateVote(a, b, 0n, four.set)).to.deep.equal(duplicateVote(b, a, 0n, four.set));
  });

  it('may set a block against nil', async () => {
    const none = { hash: new Uint8Array(0), partSetHeader: { total: 0, hash: new Uint8Array(0) } };
    expect(await codeOf(pair({ blockId: none }))).to.equal('accepted');
  });

  const value = good.value as DuplicateVote;
  const cases: readonly (readonly [what: string, evidence: Evidence, code: string])[] = [
    ['a missing vote', changed(good, { voteB: undefined }), 'evidence/1'],
    ['the wrong order', changed(good, { voteA: value.voteB, voteB: value.voteA }), 'evidence/1'],
    ['the same vote twice', changed(good, { voteB: value.voteA }), 'evidence/1'],
    ['an unknown height', pair({ height: 77 }, { height: 77 }), 'evidence/2'],
    ['another time', changed(good, { timestamp: 1n }), 'evidence/3'],
    ['another round', pair({ round: 1 }), 'evidence/6'],
    ['another type', pair({}, { type: 1 }), 'evidence/6'],
    ['another power', changed(good, { validatorPower: 11n }), 'evidence/7'],
    ['another total', changed(good, { totalPower: 41n }), 'evidence/7'],
    ['a bad signature', changed(good, { voteB: { ...value.voteB, timestamp: 3n } }), 'vote/4'],
  ];
  for (const [what, evidence, code] of cases) {
    it(`is refused with ${what}`, async () => {
      expect(await codeOf(evidence)).to.equal(code);
      expect(await codeOf(evidence, checkLater)).to.equal(code);
    });
  }

  it('is refused about a stranger', async () => {
    const strangers = committee([10n, 10n], 30);
    const votes = ['a', 'b'].map((name) => signVote(strangers, 0, { blockId: blockId(name) }));
    const [first, second] = votes;
    if (first === undefined || second === undefined) throw new TypeError('two votes');
    const made = duplicateVote(first, second, timeOf(5), strangers.set);
    const evidence = { kind: 'duplicateVote', value: made } as Evidence;
    expect(await codeOf(evidence)).to.equal('evidence/5');
    expect(duplicateVote(first, second, 0n, four.set)).to.equal(undefined);
  });

  it('expires only by height and time together', () => {
    const old = { ...context, lastHeight: 200_005, lastTime: START };
    expect(isExpired(old, 5, START)).to.equal(false);
    const late = { ...context, lastTime: START + 200_000n * SECOND };
    expect(isExpired(late, 5, START)).to.equal(false);
    expect(isExpired({ ...late, lastHeight: 200_005 }, 5, START)).to.equal(true);
    const edge = { ...context, lastHeight: 100_005, lastTime: START + 172_800n * SECOND };
    expect(isExpired(edge, 5, START)).to.equal(false);
  });
});

function attack(block: LightBlock, commonHeight: number): Evidence {
  const trusted = chain.get(block.header.height) ?? (chain.get(10) as LightBlock);
  const { header, commit, validators } = block;
  const value: LightClientAttack = {
    conflictingBlock: {
      signedHeader: { header, commit },
      validatorSet: validatorSetToWire(validators),
    },
    commonHeight,
    byzantineValidators: accused(block, trusted, four.set),
    totalPower: four.set.totalPower,
    timestamp: timeOf(commonHeight),
  };
  return { kind: 'lightClientAttack', value };
}

describe('evidence of an attack on light clients', () => {
  const lunatic = lightBlock(four, 7, { appHash: new Uint8Array(32).fill(9) });
  const equivocation = lightBlock(four, 7, { dataHash: new Uint8Array(32).fill(9) });
  const amnesia = lightBlock(four, 7, { dataHash: new Uint8Array(32).fill(9) }, { round: 1 });
  const forward = lightBlock(four, 12, { time: START, appHash: new Uint8Array(32).fill(9) });

  it('is accepted for a lunatic, an equivocation, amnesia, and a block ahead', async () => {
    for (const evidence of [
      attack(lunatic, 5),
      attack(equivocation, 7),
      attack(amnesia, 7),
      attack(forward, 5),
    ]) {
      expect(await codeOf(evidence)).to.equal('accepted');
      expect(await codeOf(evidence, checkLater)).to.equal('accepted');
    }
    expect(accused(lunatic, chain.get(7) as LightBlock, four.set)).to.have.length(4);
    expect(accused(amnesia, chain.get(7) as LightBlock, four.set)).to.have.length(0);
  });

  const badSig = (block: LightBlock, at: number): LightBlock => {
    const signatures = block.commit.signatures.map(
      (sig, i): CommitSig => (i === at ? { ...sig, signature: new Uint8Array(64) } : sig),
    );
    return { ...block, commit: { ...block.commit, signatures } };
  };
  const value = attack(lunatic, 5).value as LightClientAttack;
  const [first, ...others] = value.byzantineValidators;
  const byzantine = (list: unknown): Evidence =>
    changed(attack(lunatic, 5), { byzantineValidators: list });
  const foreign = lightBlock(committee([10n, 10n, 10n, 10n], 40), 7, {});
  const cases: readonly (readonly [what: string, evidence: Evidence, code: string])[] = [
    ['no block', changed(attack(lunatic, 5), { conflictingBlock: undefined }), 'evidence/1'],
    ['no power', changed(attack(lunatic, 5), { totalPower: 0n }), 'evidence/1'],
    ['a common height above the block', attack(lunatic, 8), 'evidence/1'],
    ['our own block', attack(chain.get(7) as LightBlock, 7), 'evidence/8'],
    ['a lunatic at the common height', attack(lunatic, 7), 'evidence/8'],
    ['a block ahead of us in time', attack(lightBlock(four, 12), 5), 'evidence/8'],
    ['another total', changed(attack(lunatic, 5), { totalPower: 7n }), 'evidence/7'],
    ['one accused missing', byzantine(others), 'evidence/9'],
    ['the accused out of order', byzantine([...others, first]), 'evidence/9'],
    ['an accused of another power', byzantine([{ ...first, power: 9n }, ...others]), 'evidence/9'],
    ['a bad signature', attack(badSig(lunatic, 3), 5), 'commit/5'],
    ['a committee of strangers', attack(foreign, 5), 'commit/6'],
  ];
  for (const [what, evidence, code] of cases) {
    it(`is refused with ${what}`, async () => {
      expect(await codeOf(evidence)).to.equal(code);
      expect(await codeOf(evidence, checkLater)).to.equal(code);
    });
  }

  it('has a name even without its header, and one name for all sets of signatures', () => {
    const without = changed(attack(lunatic, 5), { conflictingBlock: undefined });
    expect(evidenceHash(without)).to.have.length(32);
    const fewer = lightBlock(
      four,
      7,
      { appHash: new Uint8Array(32).fill(9) },
      { ballots: ['block', 'block', 'block', 'absent'] },
    );
    expect(toHex(evidenceHash(attack(fewer, 5)))).to.equal(toHex(evidenceHash(attack(lunatic, 5))));
  });

  it('never throws for what a peer sent', () => {
    expect(verifyEvidence(context, pair({ height: 99 }))).to.be.instanceOf(LedgerError);
  });
});
