/**
 * Light blocks by their form, and the light client's steps between them.
 *
 * @module
 */
import { expect } from 'chai';
import type { LedgerError } from '../../node/src/base/errors.ts';
import type { WireLightBlock } from '../../node/src/types/evidence.ts';
import { lightPolicy, type Trusted, verifyLightStep } from '../../node/src/types/light.ts';
import { type LightBlock, lightBlockFromWire } from '../../node/src/types/light-block.ts';
import { validatorSetToWire, validatorsHash } from '../../node/src/types/validators.ts';
import {
  CHAIN,
  checkLater,
  checkNow,
  committee,
  lightBlock,
  SECOND,
  START,
} from './chain-maker.ts';

const four = committee([10n, 10n, 10n, 10n]);
const others = committee([10n, 10n, 10n, 10n], 60);
const now = START + 100n * SECOND;
const policy = lightPolicy({ chainId: CHAIN, check: checkNow, now });
const first = lightBlock(four, 1);
const trusted: Trusted = { header: first.header, nextValidators: four.set };

const outcome = async (step: ReturnType<typeof verifyLightStep>): Promise<string> => {
  const refusal = await step;
  return refusal === undefined ? 'trusted' : `${refusal.space}/${refusal.code}`;
};

function wire(block: LightBlock, fields: Partial<WireLightBlock> = {}): WireLightBlock {
  const { header, commit, validators } = block;
  return {
    signedHeader: { header, commit },
    validatorSet: validatorSetToWire(validators),
    ...fields,
  };
}

describe('a light step', () => {
  const cases: readonly (readonly [what: string, next: LightBlock, outcome: string])[] = [
    ['the next block', lightBlock(four, 2), 'trusted'],
    ['a later block', lightBlock(four, 50), 'trusted'],
    ['the same height', lightBlock(four, 1), 'light/6'],
    ['a time that stands still', lightBlock(four, 2, { time: first.header.time }), 'light/6'],
    ['a block from the future', lightBlock(four, 2, { time: now + 10n * SECOND }), 'light/7'],
    ['a next block of others', lightBlock(others, 2), 'light/8'],
    ['a later block of others', lightBlock(others, 50), 'light/9'],
    ['another chain', lightBlock(four, 2, { chainId: 'other' }), 'light/2'],
    [
      'a next block that too few signed',
      lightBlock(four, 2, {}, { ballots: ['block', 'block', 'nil', 'absent'] }),
      'commit/6',
    ],
    [
      'a later block that a trusted third signed, but too few in all',
      lightBlock(four, 50, {}, { ballots: ['block', 'block', 'nil', 'absent'] }),
      'commit/6',
    ],
  ];
  for (const [what, next, expected] of cases) {
    it(`${expected === 'trusted' ? 'takes' : 'refuses'} ${what}`, async () => {
      expect(await outcome(verifyLightStep(policy, trusted, next))).to.equal(expected);
      const later = { ...policy, check: checkLater };
      expect(await outcome(verifyLightStep(later, trusted, next))).to.equal(expected);
    });
  }

  it('starts only from a header that has not expired', async () => {
    const late = { ...policy, now: first.header.time + policy.trustingPeriod };
    expect(await outcome(verifyLightStep(late, trusted, lightBlock(four, 2)))).to.equal('light/5');
    const just = { ...late, now: late.now - 1n };
    expect(await outcome(verifyLightStep(just, trusted, lightBlock(four, 2)))).to.equal('trusted');
  });

  it('wants a trust level of a third to all', async () => {
    const level = { numerator: 1n, denominator: 4n };
    const weak = { ...policy, trustLevel: level };
    expect(await outcome(verifyLightStep(weak, trusted, lightBlock(four, 2)))).to.equal('light/10');
    const strict = { ...policy, trustLevel: { numerator: 1n, denominator: 1n } };
    expect(await outcome(verifyLightStep(strict, trusted, lightBlock(four, 9)))).to.equal(
      'light/9',
    );
  });
});

describe('a light block from the wire', () => {
  const good = lightBlock(four, 3);
  const header = { ...good.header, height: 4 };
  const cases: readonly (readonly [what: string, value: WireLightBlock, code: string])[] = [
    ['no header', wire(good, { signedHeader: undefined }), 'light/1'],
    ['no validators', wire(good, { validatorSet: undefined }), 'light/1'],
    [
      'no commit',
      wire(good, { signedHeader: { header: good.header, commit: undefined } }),
      'light/1',
    ],
    ['another height', wire(good, { signedHeader: { header, commit: good.commit } }), 'light/3'],
    [
      'another header',
      wire(good, {
        signedHeader: { header: { ...good.header, time: 1n }, commit: good.commit },
      }),
      'light/3',
    ],
    ['other validators', wire(good, { validatorSet: validatorSetToWire(others.set) }), 'light/4'],
  ];
  it('is taken when its parts fit', () => {
    expect(lightBlockFromWire(wire(good), CHAIN)).to.deep.equal(good);
    expect(validatorsHash(four.set)).to.deep.equal(good.header.validatorsHash);
  });
  for (const [what, value, code] of cases) {
    it(`is refused with ${what}`, () => {
      try {
        lightBlockFromWire(value, CHAIN);
        expect.fail('accepted');
      } catch (thrown) {
        const { space, code: number } = thrown as LedgerError;
        expect(`${space}/${number}`).to.equal(code);
      }
    });
  }
});
