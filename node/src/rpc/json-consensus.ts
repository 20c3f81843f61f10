/**
 * CometBFT's JSON of where consensus stands, and of peers.
 *
 * Spec: CometBFT 0.38 consensus/types/round_state.go, types/vote.go (String), p2p/conn.
 *
 * @module
 */

import type { BitArray } from '../types/bit-array.ts';
import { formatTime } from '../types/time.ts';
import { indexOfValidator, type ValidatorSet } from '../types/validators.ts';
import { VOTE_TYPE, type Vote } from '../types/vote.ts';
import { hex, type JsonObject, proposalJson, validatorSetJson } from './json.ts';
import type { PeerRoundView, PeerView, RoundView } from './ports.ts';

/** Bytes of a hash or signature that a vote's text shows. */
const FINGERPRINT_BYTES = 6;

function fingerprint(bytes: Uint8Array): string {
  const out = new Uint8Array(FINGERPRINT_BYTES);
  out.set(bytes.subarray(0, FINGERPRINT_BYTES));
  return hex(out);
}

/** A vote in one line. */
function voteText(vote: Vote | undefined): string {
  if (vote === undefined) return 'nil-Vote';
  const prevote = vote.type === VOTE_TYPE.prevote;
  const type = prevote
    ? 'SIGNED_MSG_TYPE_PREVOTE(Prevote)'
    : 'SIGNED_MSG_TYPE_PRECOMMIT(Precommit)';
  const round = String(vote.round).padStart(2, '0');
  return (
    `Vote{${vote.validatorIndex}:${fingerprint(vote.validatorAddress)} ` +
    `${vote.height}/${round}/${type} ${fingerprint(vote.blockId.hash)} ` +
    `${fingerprint(vote.signature)} ${fingerprint(new Uint8Array())} ` +
    `@ ${formatTime(vote.timestamp)}}`
  );
}

/** Who voted, and which share of the power: `BA{4:xx__} 20/40 = 0.50`. */
function bitText(votes: readonly (Vote | undefined)[], set: ValidatorSet): string {
  const bits = votes.map((vote) => (vote === undefined ? '_' : 'x')).join('');
  let power = 0n;
  for (const [i, vote] of votes.entries()) {
    if (vote !== undefined) power += set.validators[i]?.power ?? 0n;
  }
  const share = Number(power) / Number(set.totalPower);
  return `BA{${votes.length}:${bits}} ${power}/${set.totalPower} = ${share.toFixed(2)}`;
}

function votesJson({ votes, validators }: RoundView): JsonObject[] {
  return votes.map(({ round, prevotes, precommits }) => ({
    round,
    prevotes: prevotes.map(voteText),
    prevotes_bit_array: bitText(prevotes, validators),
    precommits: precommits.map(voteText),
    precommits_bit_array: bitText(precommits, validators),
  }));
}

/** The short form, of `consensus_state`. */
export function simpleRoundJson(view: RoundView): JsonObject {
  const { proposer } = view.validators;
  return {
    'height/round/step': `${view.height}/${view.round}/${view.step}`,
    start_time: formatTime(view.startTime),
    proposal_block_hash: hex(view.proposalBlockHash),
    locked_block_hash: hex(view.lockedBlockHash),
    valid_block_hash: hex(view.validBlockHash),
    height_vote_set: votesJson(view),
    proposer: {
      address: hex(proposer.address),
      index: indexOfValidator(view.validators, proposer.address),
    },
  };
}

/** The long form, of `dump_consensus_state`. */
export function roundJson(view: RoundView): JsonObject {
  return {
    height: String(view.height),
    round: view.round,
    step: view.step,
    start_time: formatTime(view.startTime),
    commit_time: formatTime(view.commitTime),
    validators: validatorSetJson(view.validators),
    proposal: view.proposal === undefined ? null : proposalJson(view.proposal),
    proposal_block_hash: hex(view.proposalBlockHash),
    locked_round: view.lockedRound,
    locked_block_hash: hex(view.lockedBlockHash),
    valid_round: view.validRound,
    valid_block_hash: hex(view.validBlockHash),
    votes: votesJson(view),
  };
}

/** Bits as CometBFT writes them, `x_x`; null if there are none. */
function bitsJson(bits: BitArray | undefined): string | null {
  if (bits === undefined) return null;
  return Array.from({ length: bits.size }, (_, i) => (bits.get(i) ? 'x' : '_')).join('');
}

/** The peer_state of `dump_consensus_state`. What a peer has of older commits is not tracked. */
export function peerRoundJson(view: PeerRoundView): JsonObject {
  const { total, hash } = view.partSetHeader ?? { total: 0, hash: new Uint8Array() };
  return {
    round_state: {
      height: String(view.height),
      round: view.round,
      step: view.step,
      start_time: formatTime(view.startTime),
      proposal: view.hasProposal,
      proposal_block_part_set_header: { total, hash: hex(hash) },
      proposal_block_parts: bitsJson(view.parts),
      proposal_pol_round: view.polRound,
      proposal_pol: bitsJson(view.pol),
      prevotes: bitsJson(view.prevotes),
      precommits: bitsJson(view.precommits),
      last_commit_round: view.lastCommitRound,
      last_commit: bitsJson(view.lastCommit),
      catchup_commit_round: -1,
      catchup_commit: null,
    },
    stats: { votes: String(view.usefulVotes), block_parts: String(view.usefulParts) },
  };
}

const NANOS_PER_MS = 1_000_000;

/** A peer of `net_info`; durations in nanoseconds. */
export function peerJson(nodeInfo: JsonObject, peer: PeerView): JsonObject {
  const duration = String(Math.round(peer.connectedMs) * NANOS_PER_MS);
  return {
    node_info: nodeInfo,
    is_outbound: peer.outbound,
    connection_status: {
      Duration: duration,
      SendMonitor: { Active: true, Duration: duration, Bytes: String(peer.sentBytes) },
      RecvMonitor: { Active: true, Duration: duration, Bytes: String(peer.receivedBytes) },
      Channels: [],
    },
    remote_ip: peer.remoteIp,
  };
}
