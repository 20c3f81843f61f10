/**
 * Arbitrary values of every type that has a codec, for property tests.
 *
 * @module
 */
import fc, { type Arbitrary } from 'fast-check';
import { BitArray } from '../../node/src/types/bit-array.ts';
import type { Block } from '../../node/src/types/block.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import type { Commit, CommitSig } from '../../node/src/types/commit.ts';
import type { DuplicateVote, Evidence, LightClientAttack } from '../../node/src/types/evidence.ts';
import type { Header } from '../../node/src/types/header.ts';
import { addressOf, type PublicKey } from '../../node/src/types/keys.ts';
import type { BlocksyncMessage, ConsensusMessage } from '../../node/src/types/messages.ts';
import type { ConsensusParams } from '../../node/src/types/params.ts';
import type { Part } from '../../node/src/types/part-set.ts';
import type { ExecTxResult, FinalizeBlockResponse } from '../../node/src/types/results.ts';
import type { Time } from '../../node/src/types/time.ts';
import type { Validator, WireValidatorSet } from '../../node/src/types/validators.ts';
import type { Proposal, Vote } from '../../node/src/types/vote.ts';

const uint = fc.maxSafeNat();
const round = fc.nat({ max: 2_147_483_647 });
const power = fc.bigInt({ min: 0n, max: 1n << 60n });
const upTo = (maxLength: number): Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });
const exactly = (size: number): Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: size, maxLength: size });
const hash = fc.oneof(fc.constant(new Uint8Array(0)), exactly(32));
const maybe = <T>(arbitrary: Arbitrary<T>): Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

/** Any time a timestamp can hold. */
export const times: Arbitrary<Time> = fc.bigInt({
  min: -62_135_596_800_000_000_000n,
  max: 253_402_300_799_999_999_999n,
});

/** A block's name, whole or not. */
export const blockIds: Arbitrary<BlockId> = fc.record({
  hash,
  partSetHeader: fc.record({ total: fc.nat({ max: 0xffff_ffff }), hash }),
});

/** An Ed25519 or secp256k1 key of any bytes. */
export const publicKeys: Arbitrary<PublicKey> = fc.oneof(
  fc.record({ type: fc.constant('ed25519' as const), bytes: exactly(32) }),
  fc.record({ type: fc.constant('secp256k1' as const), bytes: exactly(33) }),
);

export const votes: Arbitrary<Vote> = fc.record({
  type: fc.nat({ max: 2 }),
  height: uint,
  round,
  blockId: blockIds,
  timestamp: times,
  validatorAddress: upTo(20),
  validatorIndex: fc.nat({ max: 10_000 }),
  signature: upTo(64),
});

export const proposals: Arbitrary<Proposal> = fc.record({
  type: fc.constantFrom(0, 32),
  height: uint,
  round,
  polRound: fc.integer({ min: -1 }),
  blockId: blockIds,
  timestamp: times,
  signature: upTo(64),
});

const commitSigs: Arbitrary<CommitSig> = fc.record({
  blockIdFlag: fc.nat({ max: 3 }),
  validatorAddress: upTo(20),
  timestamp: times,
  signature: upTo(64),
});

export const commits: Arbitrary<Commit> = fc.record({
  height: uint,
  round: uint,
  blockId: blockIds,
  signatures: fc.array(commitSigs, { maxLength: 4 }),
});

export const headers: Arbitrary<Header> = fc.record({
  version: fc.record({ block: uint, app: uint }),
  chainId: fc.string({ maxLength: 50 }),
  height: uint,
  time: times,
  lastBlockId: blockIds,
  lastCommitHash: hash,
  dataHash: hash,
  validatorsHash: hash,
  nextValidatorsHash: hash,
  consensusHash: hash,
  appHash: upTo(64),
  lastResultsHash: hash,
  evidenceHash: hash,
  proposerAddress: upTo(20),
});

export const validators: Arbitrary<Validator> = publicKeys.chain((publicKey) =>
  fc.record({
    address: fc.constant(addressOf(publicKey)),
    publicKey: fc.constant(publicKey),
    power,
    priority: fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
  }),
);

export const wireValidatorSets: Arbitrary<WireValidatorSet> = fc.record({
  validators: fc.array(validators, { maxLength: 3 }),
  proposer: maybe(validators),
  totalPower: power,
});

const duplicateVotes: Arbitrary<DuplicateVote> = fc.record({
  voteA: maybe(votes),
  voteB: maybe(votes),
  totalPower: power,
  validatorPower: power,
  timestamp: times,
});

const attacks: Arbitrary<LightClientAttack> = fc.record({
  conflictingBlock: maybe(
    fc.record({
      signedHeader: maybe(fc.record({ header: maybe(headers), commit: maybe(commits) })),
      validatorSet: maybe(wireValidatorSets),
    }),
  ),
  commonHeight: uint,
  byzantineValidators: fc.array(validators, { maxLength: 3 }),
  totalPower: power,
  timestamp: times,
});

export const evidences: Arbitrary<Evidence> = fc.oneof(
  fc.record({ kind: fc.constant('duplicateVote' as const), value: duplicateVotes }),
  fc.record({ kind: fc.constant('lightClientAttack' as const), value: attacks }),
);

const evidenceLists = fc.record({ evidence: fc.array(evidences, { maxLength: 2 }) });

export const blocks: Arbitrary<Block> = fc.record({
  header: headers,
  data: fc.record({ txs: fc.array(upTo(30), { maxLength: 4 }) }),
  evidence: evidenceLists,
  lastCommit: maybe(commits),
});

export const parts: Arbitrary<Part> = fc.record({
  index: fc.nat({ max: 1601 }),
  bytes: upTo(100),
  proof: fc.record({
    total: uint,
    index: uint,
    leafHash: hash,
    aunts: fc.array(exactly(32), { maxLength: 4 }),
  }),
});

export const bitArrays: Arbitrary<BitArray> = fc
  .array(fc.boolean(), { maxLength: 200 })
  .map((flags) => {
    const bits = new BitArray(flags.length);
    for (const [index, flag] of flags.entries()) bits.set(index, flag);
    return bits;
  });

const place = { height: uint, round };
const claim = { ...place, type: fc.nat({ max: 2 }), blockId: blockIds };

function variant<K extends string, V>(
  kind: K,
  value: Arbitrary<V>,
): Arbitrary<{ readonly kind: K; readonly value: V }> {
  return fc.record({ kind: fc.constant(kind), value });
}

export const consensusMessages: Arbitrary<ConsensusMessage> = fc.oneof(
  variant(
    'newRoundStep',
    fc.record({
      ...place,
      step: fc.nat({ max: 8 }),
      secondsSinceStart: fc.integer(),
      lastCommitRound: fc.integer({ min: -1 }),
    }),
  ),
  variant(
    'newValidBlock',
    fc.record({
      ...place,
      partSetHeader: fc.record({ total: fc.nat({ max: 0xffff_ffff }), hash }),
      parts: maybe(bitArrays),
      isCommit: fc.boolean(),
    }),
  ),
  variant('proposal', fc.record({ proposal: proposals })),
  variant('proposalPol', fc.record({ height: uint, polRound: round, votes: bitArrays })),
  variant('blockPart', fc.record({ ...place, part: parts })),
  variant('vote', fc.record({ vote: maybe(votes) })),
  variant(
    'hasVote',
    fc.record({ ...place, type: fc.nat({ max: 2 }), index: fc.nat({ max: 10_000 }) }),
  ),
  variant('voteSetMaj23', fc.record(claim)),
  variant('voteSetBits', fc.record({ ...claim, votes: bitArrays })),
);

export const blocksyncMessages: Arbitrary<BlocksyncMessage> = fc.oneof(
  variant('blockRequest', fc.record({ height: uint })),
  variant('noBlockResponse', fc.record({ height: uint })),
  variant('blockResponse', fc.record({ block: maybe(blocks) })),
  variant('statusRequest', fc.record({})),
  variant('statusResponse', fc.record({ height: uint, base: uint })),
);

export const consensusParams: Arbitrary<ConsensusParams> = fc.record({
  block: fc.record({ maxBytes: fc.maxSafeInteger(), maxGas: fc.maxSafeInteger() }),
  evidence: fc.record({
    maxAgeNumBlocks: fc.maxSafeInteger(),
    maxAgeDuration: fc.bigInt({ min: -(1n << 62n), max: 1n << 62n }),
    maxBytes: fc.maxSafeInteger(),
  }),
  validator: fc.record({
    pubKeyTypes: fc.array(fc.constantFrom('ed25519' as const, 'secp256k1' as const), {
      maxLength: 3,
    }),
  }),
  version: fc.record({ app: uint }),
  abci: fc.record({ voteExtensionsEnableHeight: fc.maxSafeInteger() }),
});

const events = fc.record({
  type: fc.string(),
  attributes: fc.array(fc.record({ key: fc.string(), value: fc.string(), index: fc.boolean() }), {
    maxLength: 3,
  }),
});

export const txResults: Arbitrary<ExecTxResult> = fc.record({
  code: fc.nat({ max: 0xffff_ffff }),
  data: upTo(40),
  log: fc.string(),
  info: fc.string(),
  gasWanted: fc.maxSafeInteger(),
  gasUsed: fc.maxSafeInteger(),
  events: fc.array(events, { maxLength: 2 }),
  codespace: fc.string(),
});

export const finalizeBlockResponses: Arbitrary<FinalizeBlockResponse> = fc.record({
  events: fc.array(events, { maxLength: 2 }),
  txResults: fc.array(txResults, { maxLength: 2 }),
  validatorUpdates: fc.array(fc.record({ publicKey: publicKeys, power }), { maxLength: 2 }),
  paramUpdates: maybe(
    fc.oneof(
      consensusParams,
      consensusParams.map(({ block, version }) => ({ block, version })),
    ),
  ),
  appHash: upTo(64),
});
