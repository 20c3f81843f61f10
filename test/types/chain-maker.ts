/**
 * Makes small chains with real keys for tests: validators, signed votes, commits, light blocks.
 *
 * @module
 */
import { utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { type Ed25519Key, ed25519Key, fastAccepts } from '../../node/src/crypto/ed25519.ts';
import { dataHash } from '../../node/src/types/block.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import { NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import type { CheckSignature } from '../../node/src/types/check-signature.ts';
import {
  ABSENT_SIG,
  BLOCK_ID_FLAG,
  type Commit,
  commitHash,
  EMPTY_COMMIT,
} from '../../node/src/types/commit.ts';
import { evidenceListHash } from '../../node/src/types/evidence.ts';
import { type Header, headerHash } from '../../node/src/types/header.ts';
import type { LightBlock } from '../../node/src/types/light-block.ts';
import { DEFAULT_PARAMS, paramsHash } from '../../node/src/types/params.ts';
import type { Time } from '../../node/src/types/time.ts';
import {
  createValidatorSet,
  type ValidatorSet,
  validatorsHash,
} from '../../node/src/types/validators.ts';
import { type Vote, voteSignBytes } from '../../node/src/types/vote.ts';

export const CHAIN = 'test-chain';
export const START: Time = 1_700_000_000_000_000_000n;
export const SECOND: Time = 1_000_000_000n;

/** Accepts what libsodium accepts; at once. */
export const checkNow: CheckSignature = (key, message, signature) =>
  signature.length === 64 && fastAccepts(key, message, signature);

/** The same, later. */
export const checkLater: CheckSignature = (key, message, signature) =>
  Promise.resolve(checkNow(key, message, signature));

/** A validator set whose keys are known. */
export type Committee = {
  readonly set: ValidatorSet;
  /** The key of each validator, in the set's order. */
  readonly keys: readonly Ed25519Key[];
};

/** Validators with these powers; `salt` makes other keys. */
export function committee(powers: readonly bigint[], salt = 0): Committee {
  const all = powers.map((power, n) => ({
    key: ed25519Key(new Uint8Array(32).fill(n + 1 + salt)),
    power,
  }));
  const set = createValidatorSet(
    all.map(({ key, power }) => ({
      publicKey: { type: 'ed25519' as const, bytes: key.publicKey },
      power,
    })),
  );
  const keys = set.validators.map((v) => {
    const found = all.find(({ key }) => Buffer.compare(key.address, v.address) === 0);
    return (found as { key: Ed25519Key }).key;
  });
  return { set, keys };
}

/** A complete block name. */
export function blockId(name: string): BlockId {
  const hash = sha256(utf8(name));
  return { hash, partSetHeader: { total: 1, hash: sha256(hash) } };
}

/** A vote of validator `index`, signed. */
export function signVote(
  { keys }: Committee,
  index: number,
  fields: Partial<Vote> = {},
  chainId: string = CHAIN,
): Vote {
  const key = keys[index] as Ed25519Key;
  const unsigned = {
    type: 2,
    height: 5,
    round: 0,
    blockId: blockId('block'),
    timestamp: START,
    validatorAddress: key.address,
    validatorIndex: index,
    ...fields,
  };
  return { signature: key.sign(voteSignBytes(chainId, unsigned)), ...unsigned };
}

/** How each validator voted: for the block, for nil, or not at all. */
export type Ballot = 'block' | 'nil' | 'absent';

/** A commit in which validators voted as `ballots` say. */
export function makeCommit(
  of: Committee,
  id: BlockId,
  height: number,
  options: { readonly round?: number; readonly ballots?: readonly Ballot[]; time?: Time } = {},
): Commit {
  const { round = 0, time = START } = options;
  const ballots = options.ballots ?? of.keys.map((): Ballot => 'block');
  const signatures = ballots.map((ballot, index) => {
    if (ballot === 'absent') return ABSENT_SIG;
    const voted = ballot === 'block' ? id : NIL_BLOCK_ID;
    const timestamp = time + BigInt(index);
    const vote = signVote(of, index, { height, round, blockId: voted, timestamp });
    const blockIdFlag = ballot === 'block' ? BLOCK_ID_FLAG.commit : BLOCK_ID_FLAG.nil;
    const { validatorAddress, signature } = vote;
    return { blockIdFlag, validatorAddress, timestamp, signature };
  });
  return { height, round, blockId: id, signatures };
}

/** A well-formed header of an empty block. */
export function makeHeader(of: Committee, height: number, fields: Partial<Header> = {}): Header {
  return {
    version: { block: 11, app: 0 },
    chainId: CHAIN,
    height,
    time: START + BigInt(height) * SECOND,
    lastBlockId: height === 1 ? NIL_BLOCK_ID : blockId(`block ${height - 1}`),
    lastCommitHash: commitHash(EMPTY_COMMIT),
    dataHash: dataHash([]),
    validatorsHash: validatorsHash(of.set),
    nextValidatorsHash: validatorsHash(of.set),
    consensusHash: paramsHash(DEFAULT_PARAMS),
    appHash: new Uint8Array(32),
    lastResultsHash: sha256(new Uint8Array(0)),
    evidenceHash: evidenceListHash({ evidence: [] }),
    proposerAddress: of.set.proposer.address,
    ...fields,
  };
}

/** A light block that its own validators signed. */
export function lightBlock(
  of: Committee,
  height: number,
  fields: Partial<Header> = {},
  options: Parameters<typeof makeCommit>[3] = {},
): LightBlock {
  const header = makeHeader(of, height, fields);
  const hash = headerHash(header);
  const id = { hash, partSetHeader: { total: 1, hash: sha256(hash) } };
  return { header, commit: makeCommit(of, id, height, options), validators: of.set };
}
