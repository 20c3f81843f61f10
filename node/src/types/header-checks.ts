/**
 * What headers and commits must be on their own, before any state is known.
 *
 * Upholds: a checked header has only fields of a size that hashing and comparing may rely on; a
 * checked commit has only entries that are absent entirely or have an address and a signature.
 * Absent here: comparison with the state (engine), signatures (verify-commit.ts).
 * Spec: CometBFT 0.38.25 types/block.go, ValidateBasic of Header, Commit, CommitSig.
 *
 * @module
 */
import { utf8 } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { HASH_SIZE } from '../base/hash.ts';
import { ADDRESS_BYTES, MAX_CHAIN_ID_BYTES, MAX_SIGNATURE_BYTES } from '../base/limits.ts';
import { isComplete, isNil } from './block-id.ts';
import { BLOCK_ID_FLAG, type Commit, type CommitSig } from './commit.ts';
import { BLOCK_PROTOCOL, type Header } from './header.ts';
import { ZERO_TIME } from './time.ts';

/** Refusals of headers and commits by their form. */
export const errors: {
  readonly BadHeader: ErrorSpec<{ readonly reason: string }>;
  readonly BadCommit: ErrorSpec<{ readonly reason: string }>;
  readonly BadCommitSig: ErrorSpec<{ readonly index: number; readonly reason: string }>;
} = {
  BadHeader: errorSpec('block', 1, 'peer', (p) => `the header is not valid: ${p.reason}`),
  BadCommit: errorSpec('block', 2, 'peer', (p) => `the commit is not valid: ${p.reason}`),
  BadCommitSig: errorSpec(
    'block',
    3,
    'peer',
    (p) => `signature ${p.index} of the commit is not valid: ${p.reason}`,
  ),
};

/** A rule that holds, or the reason of its breach. */
type Rule = readonly [holds: boolean, reason: string];

function firstBreach(rules: readonly Rule[]): string | undefined {
  return rules.find(([holds]) => !holds)?.[1];
}

function headerRules(header: Header): readonly Rule[] {
  const hashes = [
    'lastCommitHash',
    'dataHash',
    'evidenceHash',
    'validatorsHash',
    'nextValidatorsHash',
    'consensusHash',
    'lastResultsHash',
  ] as const;
  const { lastBlockId: last } = header;
  return [
    [header.version.block === BLOCK_PROTOCOL, `block protocol ${header.version.block}`],
    [utf8(header.chainId).length <= MAX_CHAIN_ID_BYTES, 'chain id too long'],
    [header.height > 0, 'height 0'],
    [isNil(last) || isComplete(last), 'last block id incomplete'],
    ...hashes.map(
      (name): Rule => [
        header[name].length === 0 || header[name].length === HASH_SIZE,
        `${name} is not a hash`,
      ],
    ),
    [header.proposerAddress.length === ADDRESS_BYTES, 'proposer address is not 20 bytes'],
  ];
}

/** @throws LedgerError block/1 */
export function checkHeader(header: Header): void {
  const reason = firstBreach(headerRules(header));
  if (reason !== undefined) throw new LedgerError(errors.BadHeader, { reason });
}

function commitSigRules(sig: CommitSig): readonly Rule[] {
  const { blockIdFlag: flag, validatorAddress: address, signature, timestamp } = sig;
  if (flag === BLOCK_ID_FLAG.absent) {
    return [
      [address.length === 0, 'absent but with an address'],
      [timestamp === ZERO_TIME, 'absent but with a time'],
      [signature.length === 0, 'absent but with a signature'],
    ];
  }
  return [
    [flag === BLOCK_ID_FLAG.commit || flag === BLOCK_ID_FLAG.nil, `unknown flag ${flag}`],
    [address.length === ADDRESS_BYTES, 'address is not 20 bytes'],
    [signature.length > 0, 'signature is missing'],
    [signature.length <= MAX_SIGNATURE_BYTES, 'signature too long'],
  ];
}

/** @throws LedgerError block/2 or block/3 */
export function checkCommit(commit: Commit): void {
  const { height, round, blockId, signatures } = commit;
  const reason = firstBreach([
    [height >= 0 && round >= 0, 'negative height or round'],
    [height === 0 || isComplete(blockId), 'block id is not complete'],
    [height === 0 || signatures.length > 0, 'no signatures'],
  ]);
  if (reason !== undefined) throw new LedgerError(errors.BadCommit, { reason });
  if (height === 0) return;
  for (const [index, sig] of signatures.entries()) {
    const breach = firstBreach(commitSigRules(sig));
    if (breach !== undefined) throw new LedgerError(errors.BadCommitSig, { index, reason: breach });
  }
}
