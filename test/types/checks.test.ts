/**
 * Blocks, headers, commits and peer messages by their form.
 *
 * @module
 */
import { expect } from 'chai';
import { utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { merkleProofs } from '../../node/src/base/merkle.ts';
import { BitArray } from '../../node/src/types/bit-array.ts';
import { type Block, dataHash } from '../../node/src/types/block.ts';
import { checkBlock } from '../../node/src/types/block-checks.ts';
import { commitHash, EMPTY_COMMIT } from '../../node/src/types/commit.ts';
import type { Header } from '../../node/src/types/header.ts';
import { checkCommit, checkHeader } from '../../node/src/types/header-checks.ts';
import {
  checkBlocksyncMessage,
  checkConsensusMessage,
  checkEvidenceMessage,
  checkMempoolMessage,
  maxParts,
} from '../../node/src/types/message-checks.ts';
import type { ConsensusMessage } from '../../node/src/types/messages.ts';
import { PartSet } from '../../node/src/types/part-set.ts';
import { blockId, committee, makeCommit, makeHeader, START, signVote } from './chain-maker.ts';

const four = committee([10n, 10n, 10n, 10n]);
const commit = makeCommit(four, blockId('block 4'), 4);
const txs = [utf8('foo'), utf8('bar')];
const header = makeHeader(four, 5, { lastCommitHash: commitHash(commit), dataHash: dataHash(txs) });
const block: Block = { header, data: { txs }, evidence: { evidence: [] }, lastCommit: commit };

function codeOf(check: () => void): string {
  try {
    check();
  } catch (thrown) {
    if (thrown instanceof LedgerError) return `${thrown.space}/${thrown.code}`;
    throw thrown;
  }
  return 'accepted';
}

describe('a block on its own', () => {
  const short = new Uint8Array(5);
  // CometBFT types/block_test.go, TestBlockValidateBasic, and the rest of the rules.
  const cases: readonly (readonly [what: string, block: Block, code: string])[] = [
    ['nothing wrong', block, 'accepted'],
    ['no last commit', { ...block, lastCommit: undefined }, 'block/4'],
    [
      'half of the last commit',
      { ...block, lastCommit: { ...commit, signatures: commit.signatures.slice(2) } },
      'block/5',
    ],
    ['other transactions', { ...block, data: { txs: [utf8('foo')] } }, 'block/6'],
    [
      'another evidence hash',
      { ...block, header: { ...header, evidenceHash: new Uint8Array(32) } },
      'block/7',
    ],
    [
      'malformed evidence',
      {
        ...block,
        evidence: {
          evidence: [
            {
              kind: 'duplicateVote',
              value: {
                voteA: undefined,
                voteB: undefined,
                totalPower: 1n,
                validatorPower: 1n,
                timestamp: START,
              },
            },
          ],
        },
      },
      'evidence/1',
    ],
  ];
  for (const [what, value, code] of cases) {
    it(`${what}: ${code}`, () => {
      expect(codeOf(() => checkBlock(value))).to.equal(code);
    });
  }

  it('may have an empty last commit at the first height', () => {
    const lastCommitHash = commitHash(EMPTY_COMMIT);
    const first = { ...block, header: { ...header, lastCommitHash }, lastCommit: EMPTY_COMMIT };
    expect(codeOf(() => checkBlock(first))).to.equal('accepted');
  });

  it('has a header within bounds', () => {
    const bad: readonly Partial<Header>[] = [
      { version: { block: 10, app: 0 } },
      { chainId: 'x'.repeat(51) },
      { height: 0 },
      { lastBlockId: { hash: short, partSetHeader: { total: 1, hash: short } } },
      { proposerAddress: short },
      ...(
        [
          'lastCommitHash',
          'dataHash',
          'evidenceHash',
          'validatorsHash',
          'nextValidatorsHash',
          'consensusHash',
          'lastResultsHash',
        ] as const
      ).map((name) => ({ [name]: short })),
    ];
    for (const fields of bad) {
      const check = (): void => checkHeader({ ...header, ...fields });
      expect(codeOf(check), Object.keys(fields).join()).to.equal('block/1');
    }
    expect(codeOf(() => checkHeader({ ...header, appHash: short }))).to.equal('accepted');
  });

  it('has a last commit whose entries are whole or absent', () => {
    const [first, ...rest] = commit.signatures;
    if (first === undefined) throw new TypeError('a signature');
    const withFirst = (fields: object): typeof commit => ({
      ...commit,
      signatures: [{ ...first, ...fields }, ...rest],
    });
    expect(codeOf(() => checkCommit({ ...commit, signatures: [] }))).to.equal('block/2');
    const nil = { ...EMPTY_COMMIT, height: 4, signatures: commit.signatures };
    expect(codeOf(() => checkCommit(nil))).to.equal('block/2');
    for (const fields of [
      { blockIdFlag: 0 },
      { blockIdFlag: 1 },
      { blockIdFlag: 4 },
      { validatorAddress: short },
      { signature: new Uint8Array(0) },
    ]) {
      const check = (): void => checkCommit(withFirst(fields));
      expect(codeOf(check), JSON.stringify(fields)).to.equal('block/3');
    }
  });
});

describe('a consensus message', () => {
  const context = { initialHeight: 1, maxBlockBytes: 200_000 };
  const vote = signVote(four, 0);
  const { bytes, proof } = (() => {
    const part = PartSet.of(new Uint8Array(100_000)).get(0);
    if (part === undefined) throw new TypeError('a part');
    return part;
  })();
  const step = { height: 5, round: 0, step: 3, secondsSinceStart: -2, lastCommitRound: 0 };
  const claim = { height: 5, round: 0, type: 1, blockId: blockId('a') };
  const proposal = {
    type: 32,
    height: 5,
    round: 2,
    polRound: 1,
    blockId: blockId('a'),
    timestamp: START,
    signature: new Uint8Array(64),
  };
  const partSetHeader = { total: 3, hash: new Uint8Array(32) };
  const valid = { height: 5, round: 0, partSetHeader, parts: new BitArray(3), isCommit: false };
  const many = { ...proposal.blockId, partSetHeader: { total: 5, hash: new Uint8Array(32) } };
  const half = { hash: new Uint8Array(32), partSetHeader: { total: 0, hash: new Uint8Array(0) } };

  const good: readonly ConsensusMessage[] = [
    { kind: 'newRoundStep', value: step },
    { kind: 'newRoundStep', value: { ...step, height: 1, lastCommitRound: -1 } },
    { kind: 'newValidBlock', value: valid },
    { kind: 'proposal', value: { proposal } },
    { kind: 'proposalPol', value: { height: 5, polRound: 0, votes: new BitArray(4) } },
    { kind: 'blockPart', value: { height: 5, round: 0, part: { index: 0, bytes, proof } } },
    { kind: 'vote', value: { vote } },
    { kind: 'hasVote', value: { height: 5, round: 0, type: 2, index: 9999 } },
    { kind: 'voteSetMaj23', value: claim },
    { kind: 'voteSetBits', value: { ...claim, votes: new BitArray(0) } },
  ];
  const bad: readonly ConsensusMessage[] = [
    { kind: 'newRoundStep', value: { ...step, height: 0 } },
    { kind: 'newRoundStep', value: { ...step, step: 0 } },
    { kind: 'newRoundStep', value: { ...step, lastCommitRound: -1 } },
    { kind: 'newRoundStep', value: { ...step, height: 1 } },
    { kind: 'newRoundStep', value: { ...step, lastCommitRound: -2 } },
    { kind: 'newValidBlock', value: { ...valid, parts: undefined } },
    { kind: 'newValidBlock', value: { ...valid, parts: new BitArray(4) } },
    {
      kind: 'newValidBlock',
      value: { ...valid, partSetHeader: { ...partSetHeader, total: 0 }, parts: new BitArray(0) },
    },
    { kind: 'proposal', value: { proposal: { ...proposal, polRound: 2 } } },
    { kind: 'proposal', value: { proposal: { ...proposal, polRound: -2 } } },
    { kind: 'proposal', value: { proposal: { ...proposal, blockId: many } } },
    { kind: 'proposal', value: { proposal: { ...proposal, blockId: half } } },
    { kind: 'proposalPol', value: { height: 5, polRound: 0, votes: new BitArray(0) } },
    { kind: 'blockPart', value: { height: 5, round: 0, part: { index: 1, bytes, proof } } },
    {
      kind: 'blockPart',
      value: { height: 5, round: 0, part: { index: 0, bytes: bytes.subarray(1), proof } },
    },
    { kind: 'vote', value: { vote: undefined } },
    { kind: 'vote', value: { vote: { ...vote, blockId: half } } },
    { kind: 'vote', value: { vote: { ...vote, signature: new Uint8Array(0) } } },
    { kind: 'hasVote', value: { height: 5, round: 0, type: 0, index: 0 } },
    { kind: 'voteSetMaj23', value: { ...claim, type: 0 } },
    { kind: 'voteSetMaj23', value: { ...claim, blockId: half } },
    { kind: 'voteSetBits', value: { ...claim, votes: new BitArray(10_001) } },
  ];
  for (const [index, message] of good.entries()) {
    it(`${message.kind} (${index}) passes`, () => {
      expect(codeOf(() => checkConsensusMessage(message, context))).to.equal('accepted');
    });
  }
  for (const [index, message] of bad.entries()) {
    it(`${message.kind} (${index}) costs the connection`, () => {
      expect(codeOf(() => checkConsensusMessage(message, context))).to.equal('peer/1');
    });
  }

  it('counts parts as CometBFT', () => {
    expect([1, 65_536, 65_537, 104_857_600].map(maxParts)).to.deep.equal([1, 1, 2, 1600]);
  });
});

describe('messages of the other channels', () => {
  it('are transactions with bytes, within their sum', () => {
    const check = (...sizes: number[]): string =>
      codeOf(() => {
        const value = { txs: sizes.map((size) => new Uint8Array(size)) };
        checkMempoolMessage({ kind: 'txs', value }, 100);
      });
    expect(check(50, 50)).to.equal('accepted');
    for (const sizes of [[], [0], [60, 41]]) expect(check(...sizes)).to.equal('peer/1');
  });

  it('are ranges that exist, blocks that are there, evidence that is well formed', () => {
    const status = (base: number, height: number): string =>
      codeOf(() => checkBlocksyncMessage({ kind: 'statusResponse', value: { base, height } }));
    expect([status(1, 1), status(0, 0), status(2, 1)]).to.deep.equal([
      'accepted',
      'accepted',
      'peer/1',
    ]);
    const none = { kind: 'blockResponse', value: { block: undefined } } as const;
    expect(codeOf(() => checkBlocksyncMessage(none))).to.equal('peer/1');
    expect(codeOf(() => checkEvidenceMessage({ evidence: [] }))).to.equal('peer/1');
  });
});

describe('part sets', () => {
  it('take each proven part once, and give the block back', () => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
    const whole = PartSet.of(bytes);
    expect(whole.header.total).to.equal(4);
    const set = PartSet.collecting(whole.header);
    for (const index of [3, 0, 2, 1]) {
      const part = whole.get(index);
      if (part === undefined) throw new TypeError('a part');
      expect(set.complete).to.equal(false);
      expect(set.add({ ...part, bytes: part.bytes.map((b) => b ^ 1) })).to.equal(false);
      expect(set.add({ ...part, index: (index + 1) % 4 })).to.equal(false);
      expect(set.add(part)).to.equal(true);
      expect(set.add(part)).to.equal(false);
    }
    expect(set.complete && set.has(whole.header)).to.equal(true);
    expect(set.join()).to.deep.equal(bytes);
    expect(set.byteSize).to.equal(200_000);
    expect(merkleProofs([bytes.subarray(0, 65_536)]).root).to.have.length(32);
  });
});
