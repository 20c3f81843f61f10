/**
 * Blocks of a CometBFT 0.38 node: their bytes, hashes and signatures, and the light client's way
 * through them.
 *
 * @module
 */
import { expect } from 'chai';
import { EMPTY, fromBase64, fromHex, toUpperHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { type Block, blockCodec } from '../../node/src/types/block.ts';
import { checkBlock } from '../../node/src/types/block-checks.ts';
import type { BlockId } from '../../node/src/types/block-id.ts';
import {
  BLOCK_ID_FLAG,
  type Commit,
  commitHash,
  EMPTY_COMMIT,
} from '../../node/src/types/commit.ts';
import { type Header, headerHash } from '../../node/src/types/header.ts';
import { lightPolicy, verifyLightStep } from '../../node/src/types/light.ts';
import { medianTime } from '../../node/src/types/median-time.ts';
import { PartSet } from '../../node/src/types/part-set.ts';
import { parseTime, type Time } from '../../node/src/types/time.ts';
import { createValidatorSet, validatorsHash } from '../../node/src/types/validators.ts';
import { verifyCommit } from '../../node/src/types/verify-commit.ts';
import chain from '../vectors/cometbft-0.38-chain.json' with { type: 'json' };
import { checkNow } from './chain-maker.ts';

const hex = (text: string): Uint8Array => present(fromHex(text), 'hex');
const time = (text: string): Time => present(parseTime(text), 'time');
const { common } = chain;

type JsonId = (typeof chain.blocks)[number]['block_id'];

function idOf({ hash, parts }: JsonId): BlockId {
  return { hash: hex(hash), partSetHeader: { total: parts.total, hash: hex(parts.hash) } };
}

function commitOf(height: number, id: JsonId, signature: string, timestamp: string): Commit {
  const entry = {
    blockIdFlag: BLOCK_ID_FLAG.commit,
    validatorAddress: hex(common.address),
    timestamp: time(timestamp),
    signature: present(fromBase64(signature), 'signature'),
  };
  return { height, round: 0, blockId: idOf(id), signatures: [entry] };
}

const publicKey = {
  type: 'ed25519' as const,
  bytes: present(fromBase64(common.public_key), 'key'),
};
const set = createValidatorSet([{ publicKey, power: BigInt(common.power) }]);
const signers = { chainId: common.chain_id, validators: set, check: checkNow };

const blocks = chain.blocks.map((json): { readonly id: BlockId; readonly block: Block } => {
  const header: Header = {
    version: { block: 11, app: common.app_version },
    chainId: common.chain_id,
    height: json.height,
    time: time(json.time),
    lastBlockId: idOf(json.last_block_id),
    lastCommitHash: hex(json.last_commit_hash),
    dataHash: hex(common.empty_hash),
    validatorsHash: hex(common.validators_hash),
    nextValidatorsHash: hex(common.validators_hash),
    consensusHash: hex(common.consensus_hash),
    appHash: hex(common.app_hash),
    lastResultsHash: hex(common.empty_hash),
    evidenceHash: hex(common.empty_hash),
    proposerAddress: hex(common.address),
  };
  const lastCommit =
    json.height === 1
      ? EMPTY_COMMIT
      : commitOf(json.height - 1, json.last_block_id, json.last_signature, json.last_timestamp);
  const block = { header, data: { txs: [] }, evidence: { evidence: [] }, lastCommit };
  return { id: idOf(json.block_id), block };
});

describe('a chain that CometBFT 0.38 made', () => {
  it('has the validator its headers name', () => {
    expect(toUpperHex(validatorsHash(set))).to.equal(common.validators_hash);
    expect(toUpperHex(set.proposer.address)).to.equal(common.address);
  });

  for (const { id, block } of blocks) {
    const { height } = block.header;
    const lastCommit = present(block.lastCommit, 'last commit');
    it(`block ${height} has its hash, parts and last commit`, () => {
      checkBlock(block);
      expect(toUpperHex(headerHash(block.header))).to.equal(toUpperHex(id.hash));
      const bytes = blockCodec.encode(block);
      expect(PartSet.of(bytes).header).to.deep.equal(id.partSetHeader);
      expect(blockCodec.decode(bytes)).to.deep.equal(block);
      expect(commitHash(lastCommit)).to.deep.equal(block.header.lastCommitHash);
    });

    if (height > 1) {
      it(`block ${height} has a last commit that its validator signed, and its median time`, () => {
        const { lastBlockId } = block.header;
        expect(verifyCommit(signers, lastBlockId, height - 1, lastCommit)).to.equal(undefined);
        expect(medianTime(lastCommit, set)).to.equal(block.header.time);
      });
    }
  }

  it('leads a light client from its first block to its tenth', () => {
    const { height, block_id, signature, timestamp } = chain.commit;
    const commit = commitOf(height, block_id, signature, timestamp);
    const first = present(blocks[0], 'first block').block.header;
    const last = present(blocks.at(-1), 'last block').block.header;
    const policy = lightPolicy({ chainId: common.chain_id, check: checkNow, now: last.time });
    const trusted = { header: first, nextValidators: set };
    const next = { header: last, commit, validators: set };
    expect(verifyLightStep(policy, trusted, next)).to.equal(undefined);
    const forged = { ...next, header: { ...last, appHash: EMPTY } };
    expect(verifyLightStep(policy, trusted, forged)).to.have.property('code', 3);
  });
});
