/**
 * What `dump_consensus_state` says of a peer, in CometBFT's shape.
 *
 * @module
 */
import { expect } from 'chai';
import { PeerState } from '../../node/src/engine/peer-state.ts';
import { peerRoundJson } from '../../node/src/rpc/json-consensus.ts';
import { VOTE_TYPE } from '../../node/src/types/vote.ts';

describe('the state of a peer', () => {
  it('is told with what the peer is known to have', () => {
    const peer = new PeerState('p', 0);
    const at = { height: 7, round: 1, step: 4, secondsSinceStart: 2, lastCommitRound: 0 };
    peer.applyStep(at, 10_000);
    expect(peer.startedAt).to.equal(8_000);
    peer.setProposal({ total: 3, hash: new Uint8Array(32).fill(0xab) }, -1);
    peer.setPart(7, 1);
    peer.setVote({ height: 7, round: 1, type: VOTE_TYPE.prevote }, 2, 4);
    peer.setVote({ height: 6, round: 0, type: VOTE_TYPE.precommit }, 0, 4);
    const json = peerRoundJson({
      height: peer.height,
      round: peer.round,
      step: peer.step,
      startTime: 1_000_000_000n,
      hasProposal: peer.hasProposal,
      partSetHeader: peer.partSetHeader,
      parts: peer.parts,
      polRound: peer.polRound,
      pol: peer.knownVotes(peer.polRound, VOTE_TYPE.prevote),
      prevotes: peer.knownVotes(1, VOTE_TYPE.prevote),
      precommits: peer.knownVotes(1, VOTE_TYPE.precommit),
      lastCommitRound: peer.lastCommitRound,
      lastCommit: peer.knownLastCommit,
      usefulVotes: 5,
      usefulParts: 2,
    });
    expect(json).to.deep.equal({
      round_state: {
        height: '7',
        round: 1,
        step: 4,
        start_time: '1970-01-01T00:00:01Z',
        proposal: true,
        proposal_block_part_set_header: { total: 3, hash: 'AB'.repeat(32) },
        proposal_block_parts: '_x_',
        proposal_pol_round: -1,
        proposal_pol: null,
        prevotes: '__x_',
        precommits: null,
        last_commit_round: 0,
        last_commit: 'x___',
        catchup_commit_round: -1,
        catchup_commit: null,
      },
      stats: { votes: '5', block_parts: '2' },
    });
  });

  it('has no bits before the peer told anything', () => {
    const json = peerRoundJson({
      height: 0,
      round: -1,
      step: 0,
      startTime: 0n,
      hasProposal: false,
      partSetHeader: undefined,
      parts: undefined,
      polRound: -1,
      pol: undefined,
      prevotes: undefined,
      precommits: undefined,
      lastCommitRound: -1,
      lastCommit: undefined,
      usefulVotes: 0,
      usefulParts: 0,
    });
    const header = { total: 0, hash: '' };
    expect(json).to.have.deep.nested.property('round_state.proposal_block_part_set_header', header);
    expect(json).to.have.nested.property('round_state.proposal_block_parts', null);
  });
});
