/**
 * The bytes and hashes that CometBFT publishes in its tests.
 *
 * @module
 */
import { expect } from 'chai';
import { fromBase64, toHex, toUpperHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { sha256, sha256Truncated } from '../../node/src/base/hash.ts';
import { EMPTY_ROOT } from '../../node/src/base/merkle.ts';
import { dataHash, txHash } from '../../node/src/types/block.ts';
import { NIL_BLOCK_ID } from '../../node/src/types/block-id.ts';
import {
  ABSENT_SIG,
  commitCodec,
  commitSigCodec,
  EMPTY_COMMIT,
} from '../../node/src/types/commit.ts';
import { evidenceListHash } from '../../node/src/types/evidence.ts';
import { type Header, headerHash } from '../../node/src/types/header.ts';
import { addressOf } from '../../node/src/types/keys.ts';
import { DEFAULT_PARAMS, paramsHash } from '../../node/src/types/params.ts';
import { resultsHash } from '../../node/src/types/results.ts';
import { formatTime, parseTime, ZERO_TIME } from '../../node/src/types/time.ts';
import { proposalSignBytes, voteSignBytes } from '../../node/src/types/vote.ts';

const TIME_ZERO = '2a0b088092b8c398feffffff01';
const HEIGHT_ROUND = '11010000000000000019' + '0100000000000000';

describe('published vectors', () => {
  // CometBFT types/vote_test.go, TestVoteSignBytesTestVectors.
  const votes: readonly (readonly [chainId: string, fields: object, bytes: string])[] = [
    ['', { height: 0, round: 0, type: 0 }, `0d${TIME_ZERO}`],
    ['', { height: 1, round: 1, type: 2 }, `210802${HEIGHT_ROUND}${TIME_ZERO}`],
    ['', { height: 1, round: 1, type: 1 }, `210801${HEIGHT_ROUND}${TIME_ZERO}`],
    ['', { height: 1, round: 1, type: 0 }, `1f${HEIGHT_ROUND}${TIME_ZERO}`],
    [
      'test_chain_id',
      { height: 1, round: 1, type: 0 },
      `2e${HEIGHT_ROUND}${TIME_ZERO}320d746573745f636861696e5f6964`,
    ],
  ];
  for (const [index, [chainId, fields, bytes]] of votes.entries()) {
    it(`vote sign bytes ${index}`, () => {
      const empty = { type: 0, height: 0, round: 0, blockId: NIL_BLOCK_ID, timestamp: ZERO_TIME };
      expect(toHex(voteSignBytes(chainId, { ...empty, ...fields }))).to.equal(bytes);
    });
  }

  it('a vote and a proposal never have the same sign bytes', () => {
    const common = { height: 1, round: 1, blockId: NIL_BLOCK_ID, timestamp: ZERO_TIME };
    const vote = voteSignBytes('', { ...common, type: 0 });
    expect(toHex(proposalSignBytes('', { ...common, type: 0, polRound: 0 }))).to.not.equal(
      toHex(vote),
    );
  });

  // CometBFT types/proposal_test.go: sign bytes follow the canonical form; −1 takes ten bytes.
  it('proposal sign bytes carry the absent POL round in ten bytes', () => {
    const proposal = {
      type: 32,
      height: 1,
      round: 1,
      polRound: -1,
      blockId: NIL_BLOCK_ID,
      timestamp: ZERO_TIME,
    };
    expect(toHex(proposalSignBytes('', proposal))).to.equal(
      `2c0820${HEIGHT_ROUND}20ffffffffffffffffff01${TIME_ZERO.replace('2a', '32')}`,
    );
  });

  // CometBFT types/block_test.go, TestHeaderHash.
  it('header hash', () => {
    const zeros = new Uint8Array(32);
    const hashOf = (text: string): Uint8Array => sha256(utf8(text));
    const header: Header = {
      version: { block: 1, app: 2 },
      chainId: 'chainId',
      height: 3,
      time: parseTime('2019-10-13T16:14:44Z') ?? 0n,
      lastBlockId: { hash: zeros, partSetHeader: { total: 6, hash: zeros } },
      lastCommitHash: hashOf('last_commit_hash'),
      dataHash: hashOf('data_hash'),
      validatorsHash: hashOf('validators_hash'),
      nextValidatorsHash: hashOf('next_validators_hash'),
      consensusHash: hashOf('consensus_hash'),
      appHash: hashOf('app_hash'),
      lastResultsHash: hashOf('last_results_hash'),
      evidenceHash: hashOf('evidence_hash'),
      proposerAddress: sha256Truncated(utf8('proposer_address')),
    };
    expect(toUpperHex(headerHash(header))).to.equal(
      'F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4',
    );
  });

  // Validators of the Cosmos Hub, as CosmJS keeps them (responses.spec.ts).
  it('addresses of validators', () => {
    const addresses = [
      ['2BX6Zuj8RmdJAkD1BAg6KB0v04liyM7jBdwOGIb9F9Q=', 'A03DC128D38DB0BC5F18AE1872F1CB2E1FD41157'],
      ['0kNlxBMpm+5WtfHIG1xsWatOXTKPLtmSqn3EiEIDZeI=', 'AC2D56057CD84765E6FBE318979093E8E44AA18F'],
    ] as const;
    for (const [base64, address] of addresses) {
      const bytes = present(fromBase64(base64), 'key');
      expect(toUpperHex(addressOf({ type: 'ed25519', bytes }))).to.equal(address);
    }
  });

  it('hashes of transactions', () => {
    const tx = present(fromBase64('YUpxZDY2NURaUDMxPWd2TzBPdnNrVWFWYg=='), 'tx');
    expect(toUpperHex(txHash(tx))).to.equal(
      '5CB2CF94A1097A4BC19258BC2353C3E76102B6D528458BE45C855DC5563C1DB2',
    );
  });

  // The consensus hash in every header of a chain with CometBFT's default parameters.
  it('hash of the default parameters', () => {
    expect(toUpperHex(paramsHash(DEFAULT_PARAMS))).to.equal(
      '048091BC7DDC283F77BFBF91D73C44DA58C3DF8A9CBC867405D8B7F3DAADA22F',
    );
  });

  it('hashes of nothing', () => {
    const nothing = 'E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855';
    expect(toUpperHex(EMPTY_ROOT)).to.equal(nothing);
    expect(toUpperHex(dataHash([]))).to.equal(nothing);
    expect(toUpperHex(resultsHash([]))).to.equal(nothing);
    expect(toUpperHex(evidenceListHash({ evidence: [] }))).to.equal(nothing);
  });

  it('an absent signature and an empty commit', () => {
    expect(toHex(commitSigCodec.encode(ABSENT_SIG))).to.equal('08011a0b088092b8c398feffffff01');
    expect(toHex(commitCodec.encode(EMPTY_COMMIT))).to.equal('1a021200');
  });

  it('times as Go prints them', () => {
    const texts = [
      '2017-12-25T03:00:01.234Z',
      '2019-10-13T16:14:44Z',
      '2026-01-02T03:04:05.000000001Z',
      '0001-01-01T00:00:00Z',
    ];
    for (const text of texts) expect(formatTime(parseTime(text) ?? -1n)).to.equal(text);
    expect(parseTime('2017-12-25T04:00:01.234+01:00')).to.equal(parseTime(texts[0] ?? ''));
    for (const bad of ['', '2017-12-25', '2017-13-25T00:00:00Z', '2017-12-25T00:00:00']) {
      expect(parseTime(bad), bad).to.equal(undefined);
    }
  });
});
