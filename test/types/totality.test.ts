/**
 * Whatever decodes is judged: checks answer or refuse with a declared error, and never break.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import { checkBlock } from '../../node/src/types/block-checks.ts';
import { evidenceHash, evidenceHeight } from '../../node/src/types/evidence.ts';
import { lightBlockFromWire } from '../../node/src/types/light-block.ts';
import { medianTime } from '../../node/src/types/median-time.ts';
import {
  checkBlocksyncMessage,
  checkConsensusMessage,
  checkEvidenceMessage,
} from '../../node/src/types/message-checks.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { validatorSetFromWire } from '../../node/src/types/validators.ts';
import { verifyCommit, verifyCommitTrusting } from '../../node/src/types/verify-commit.ts';
import { verifyEvidence } from '../../node/src/types/verify-evidence.ts';
import { verifyProposal, verifyVote } from '../../node/src/types/verify-vote.ts';
import * as arbitrary from './arbitraries.ts';
import { CHAIN, checkNow, committee, lightBlock, START } from './chain-maker.ts';

const four = committee([10n, 10n, 10n, 10n]);
const signers = { chainId: CHAIN, validators: four.set, check: checkNow };

function judged(judge: () => unknown): void {
  try {
    judge();
  } catch (thrown) {
    expect(thrown).to.be.instanceOf(LedgerError);
  }
}

describe('every check', () => {
  it('judges any block, message and light block', () => {
    fc.assert(
      fc.property(
        arbitrary.blocks,
        arbitrary.consensusMessages,
        arbitrary.blocksyncMessages,
        arbitrary.wireValidatorSets,
        (block, message, sync, set) => {
          judged(() => checkBlock(block));
          judged(() => checkConsensusMessage(message, { initialHeight: 1, maxBlockBytes: 1000 }));
          judged(() => checkBlocksyncMessage(sync));
          judged(() => checkEvidenceMessage(block.evidence));
          judged(() => validatorSetFromWire(set));
          const { header, lastCommit: commit } = block;
          judged(() =>
            lightBlockFromWire({ signedHeader: { header, commit }, validatorSet: set }, CHAIN),
          );
        },
      ),
    );
  });

  it('judges any vote, proposal and commit, and refuses all that nobody signed', () => {
    fc.assert(
      fc.property(
        arbitrary.votes,
        arbitrary.proposals,
        arbitrary.commits,
        (vote, proposal, commit) => {
          expect(verifyVote(signers, vote)).to.be.instanceOf(LedgerError);
          expect(verifyProposal(signers, proposal)).to.be.instanceOf(LedgerError);
          const { blockId, height } = commit;
          expect(verifyCommit(signers, blockId, height, commit)).to.be.instanceOf(LedgerError);
          expect(verifyCommitTrusting(signers, commit)).to.be.instanceOf(LedgerError);
          judged(() => medianTime(commit, four.set));
        },
      ),
    );
  });

  it('judges any evidence, and never throws', () => {
    const known = lightBlock(four, 5);
    fc.assert(
      fc.property(arbitrary.evidences, fc.boolean(), (evidence, knows) => {
        const context = {
          chainId: CHAIN,
          check: checkNow,
          lastHeight: 10,
          lastTime: START,
          params: DEFAULT_PARAMS.evidence,
          signedHeader: () =>
            knows
              ? { ...known, header: { ...known.header, time: evidence.value.timestamp } }
              : undefined,
          validators: () => four.set,
        };
        expect(verifyEvidence(context, evidence)).to.be.instanceOf(LedgerError);
        expect(evidenceHash(evidence)).to.have.length(32);
        expect(evidenceHeight(evidence)).to.be.at.least(0);
      }),
      { numRuns: 200 },
    );
  });
});
