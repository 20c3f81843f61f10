/**
 * CometBFT's JSON of blocks, votes, validators and parameters.
 *
 * Upholds: 64-bit numbers are decimal strings and 32-bit ones numbers; hashes and addresses are
 * upper-case hex, other bytes base64 and `null` when empty; times are RFC 3339 with up to nine
 * digits; an empty list is `null` where Go has a nil slice.
 * Spec: CometBFT 0.38 libs/json/encoder.go and the struct tags of types/.
 *
 * @module
 */
import type { Block, Data } from '../types/block.ts';
import type { BlockId } from '../types/block-id.ts';
import type { BlockMeta } from '../types/chain-state.ts';
import type { Commit, CommitSig } from '../types/commit.ts';
import type { Evidence, WireLightBlock } from '../types/evidence.ts';
import type { Header } from '../types/header.ts';
import type { PublicKey } from '../types/keys.ts';
import type { ConsensusParams } from '../types/params.ts';
import { formatTime } from '../types/time.ts';
import type { Validator, ValidatorSet } from '../types/validators.ts';
import type { Proposal, Vote } from '../types/vote.ts';

/** A value that `JSON.stringify` prints. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;

/** A JSON object; properties that are `undefined` are left out. */
export type JsonObject = { readonly [name: string]: Json | undefined };

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Upper-case hex; empty bytes give an empty text. */
export function hex(bytes: Uint8Array): string {
  return view(bytes).toString('hex').toUpperCase();
}

/** Base64 of any bytes. */
export function base64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/** Base64, or `null` for no bytes: Go's nil slice. */
export function base64OrNull(bytes: Uint8Array): string | null {
  return bytes.length === 0 ? null : base64(bytes);
}

/** A list, or `null` for an empty one: Go's nil slice. */
export function listOrNull<T>(items: readonly T[], encode: (item: T) => Json): Json {
  return items.length === 0 ? null : items.map(encode);
}

/** A block's name. */
export function blockIdJson(id: BlockId): JsonObject {
  const { total, hash } = id.partSetHeader;
  return { hash: hex(id.hash), parts: { total, hash: hex(hash) } };
}

/** A header. */
export function headerJson(header: Header): JsonObject {
  const { block, app } = header.version;
  return {
    version: app === 0 ? { block: String(block) } : { block: String(block), app: String(app) },
    chain_id: header.chainId,
    height: String(header.height),
    time: formatTime(header.time),
    last_block_id: blockIdJson(header.lastBlockId),
    last_commit_hash: hex(header.lastCommitHash),
    data_hash: hex(header.dataHash),
    validators_hash: hex(header.validatorsHash),
    next_validators_hash: hex(header.nextValidatorsHash),
    consensus_hash: hex(header.consensusHash),
    app_hash: hex(header.appHash),
    last_results_hash: hex(header.lastResultsHash),
    evidence_hash: hex(header.evidenceHash),
    proposer_address: hex(header.proposerAddress),
  };
}

function commitSigJson(sig: CommitSig): JsonObject {
  return {
    block_id_flag: sig.blockIdFlag,
    validator_address: hex(sig.validatorAddress),
    timestamp: formatTime(sig.timestamp),
    signature: base64OrNull(sig.signature),
  };
}

/** A commit. */
export function commitJson(commit: Commit): JsonObject {
  return {
    height: String(commit.height),
    round: commit.round,
    block_id: blockIdJson(commit.blockId),
    signatures: commit.signatures.map(commitSigJson),
  };
}

/** A public key in amino's JSON. */
export function publicKeyJson(key: PublicKey): JsonObject {
  const type = key.type === 'ed25519' ? 'tendermint/PubKeyEd25519' : 'tendermint/PubKeySecp256k1';
  return { type, value: base64(key.bytes) };
}

/** A validator of a set. */
export function validatorJson(validator: Validator): JsonObject {
  return {
    address: hex(validator.address),
    pub_key: publicKeyJson(validator.publicKey),
    voting_power: String(validator.power),
    proposer_priority: String(validator.priority),
  };
}

/** A whole validator set. */
export function validatorSetJson(set: ValidatorSet): JsonObject {
  return { validators: set.validators.map(validatorJson), proposer: validatorJson(set.proposer) };
}

/** A vote. */
export function voteJson(vote: Vote): JsonObject {
  return {
    type: vote.type,
    height: String(vote.height),
    round: vote.round,
    block_id: blockIdJson(vote.blockId),
    timestamp: formatTime(vote.timestamp),
    validator_address: hex(vote.validatorAddress),
    validator_index: vote.validatorIndex,
    signature: base64OrNull(vote.signature),
    extension: null,
    extension_signature: null,
  };
}

/** A proposal. */
export function proposalJson(proposal: Proposal): JsonObject {
  return {
    Type: proposal.type,
    height: String(proposal.height),
    round: proposal.round,
    pol_round: proposal.polRound,
    block_id: blockIdJson(proposal.blockId),
    timestamp: formatTime(proposal.timestamp),
    signature: base64OrNull(proposal.signature),
  };
}

function lightBlockJson(light: WireLightBlock): JsonObject {
  const { header, commit } = light.signedHeader ?? {};
  const { validators = [], proposer } = light.validatorSet ?? {};
  return {
    signed_header: {
      header: header === undefined ? null : headerJson(header),
      commit: commit === undefined ? null : commitJson(commit),
    },
    validator_set: {
      validators: listOrNull(validators, validatorJson),
      proposer: proposer === undefined ? null : validatorJson(proposer),
    },
  };
}

/** A piece of evidence under its type's name. */
export function evidenceJson(evidence: Evidence): JsonObject {
  if (evidence.kind === 'duplicateVote') {
    const { voteA, voteB, totalPower, validatorPower, timestamp } = evidence.value;
    return {
      type: 'tendermint/DuplicateVoteEvidence',
      value: {
        vote_a: voteA === undefined ? null : voteJson(voteA),
        vote_b: voteB === undefined ? null : voteJson(voteB),
        TotalVotingPower: String(totalPower),
        ValidatorPower: String(validatorPower),
        Timestamp: formatTime(timestamp),
      },
    };
  }
  const { conflictingBlock, commonHeight, byzantineValidators, totalPower } = evidence.value;
  return {
    type: 'tendermint/LightClientAttackEvidence',
    value: {
      ConflictingBlock: conflictingBlock === undefined ? null : lightBlockJson(conflictingBlock),
      CommonHeight: String(commonHeight),
      ByzantineValidators: listOrNull(byzantineValidators, validatorJson),
      TotalVotingPower: String(totalPower),
      Timestamp: formatTime(evidence.value.timestamp),
    },
  };
}

function dataJson(data: Data): JsonObject {
  return { txs: data.txs.map(base64) };
}

const NO_COMMIT: JsonObject = {
  height: '0',
  round: 0,
  block_id: { hash: '', parts: { total: 0, hash: '' } },
  signatures: [],
};

/** A block. */
export function blockJson(block: Block): JsonObject {
  return {
    header: headerJson(block.header),
    data: dataJson(block.data),
    evidence: { evidence: block.evidence.evidence.map(evidenceJson) },
    last_commit: block.lastCommit === undefined ? NO_COMMIT : commitJson(block.lastCommit),
  };
}

/** What is known of a block without its transactions. */
export function blockMetaJson(meta: BlockMeta): JsonObject {
  return {
    block_id: blockIdJson(meta.blockId),
    block_size: String(meta.blockSize),
    header: headerJson(meta.header),
    num_txs: String(meta.txCount),
  };
}

/** All consensus parameters. */
export function paramsJson(params: ConsensusParams): JsonObject {
  return {
    block: { max_bytes: String(params.block.maxBytes), max_gas: String(params.block.maxGas) },
    evidence: {
      max_age_num_blocks: String(params.evidence.maxAgeNumBlocks),
      max_age_duration: String(params.evidence.maxAgeDuration),
      max_bytes: String(params.evidence.maxBytes),
    },
    validator: { pub_key_types: [...params.validator.pubKeyTypes] },
    version: { app: String(params.version.app) },
    abci: { vote_extensions_enable_height: String(params.abci.voteExtensionsEnableHeight) },
  };
}
