/**
 * What the ledger's contracts are told of a block as a whole: its operations, and who failed.
 *
 * Upholds: a block without operations, transactions and misbehavior tells nothing, so it leaves the
 * app hash as it was. Votes that are missing are counted in blocks with transactions or misbehavior
 * only, and reported fifty at a time, so that a validator that is down costs the state one record.
 * Layout: metatron.ledger.v1 MissedVotes under key 0x35 and the validator's address.
 * Spec: docs/contracts.md, AuditLog and Reputation.
 *
 * @module
 */
import type { CommitInfo, Misbehavior } from '../../abci/application.ts';
import { rootOfHashes } from '../../base/merkle.ts';
import { type Codec, message, uint } from '../../base/proto.ts';
import { address as auditAddress } from '../../gen/contracts/audit-log.ts';
import { address as reputationAddress } from '../../gen/contracts/reputation.ts';
import { tipReceiver } from '../ethereum/params.ts';
import { KEY, key } from '../keys.ts';
import type { Overlay } from '../overlay.ts';
import { type Argument, encodeCall, selectorOf } from './call.ts';
import { addressBytes } from './state.ts';
import { type SystemPlace, systemCall } from './system.ts';

/** What a block says of its validators. */
export type Conduct = {
  readonly misbehavior: readonly Misbehavior[];
  /** Of the commit before. */
  readonly votes: CommitInfo['votes'];
  readonly hasTxs: boolean;
};

const AUDIT_LOG = addressBytes(auditAddress);
const REPUTATION = addressBytes(reputationAddress);
const APPEND = selectorOf('append(uint64,uint64,bytes32)');
const RECORD = selectorOf('record((address,uint8,uint32,bytes32)[])');

/** Sources of ReputationSources. */
const SOURCE = { duplicateVote: 1, lightClientAttack: 2, missedBlock: 3 } as const;

/** Missed votes that are reported together. */
const MISSED_TOGETHER = 50;
/** The flag of a vote that is not there. */
const ABSENT = 1;
const WORD = 32;
const NO_EVIDENCE = new Uint8Array(WORD);

type Report = { readonly subject: Uint8Array; readonly source: number; readonly count: number };

const missedCodec: Codec<{ readonly count: number }> = message<{ readonly count: number }>(
  'MissedVotes',
  { count: uint(1) },
);

/** Appends the leaf of a block to the audit log, if it had operations. */
export async function auditOperations(place: SystemPlace): Promise<void> {
  const hashes = place.state.leafHashes();
  if (hashes.length === 0) return;
  const data = encodeCall(APPEND, [place.block.height, hashes.length, rootOfHashes(hashes)]);
  await systemCall(place, AUDIT_LOG, data);
}

/** Counts a missed vote. @returns whether it is time to report */
function countMissed(state: Overlay, validator: Uint8Array): boolean {
  const at = key(KEY.missedVotes, validator);
  const bytes = state.get(at);
  const count = (bytes === undefined ? 0 : missedCodec.decode(bytes).count) + 1;
  const full = count === MISSED_TOGETHER;
  if (!full) state.set(at, missedCodec.encode({ count }));
  else if (bytes !== undefined) state.set(at, undefined);
  return full;
}

/** The account that stands for a validator; its consensus address if genesis names none. */
function subjectOf(state: Overlay, validator: Uint8Array): Uint8Array {
  return tipReceiver(state, validator) ?? validator;
}

function reportsOf(state: Overlay, { misbehavior, votes }: Conduct): readonly Report[] {
  const reports = misbehavior.map(({ type, address }): Report => {
    return { subject: subjectOf(state, address), source: SOURCE[type], count: 1 };
  });
  for (const { address, blockIdFlag } of votes) {
    if (blockIdFlag !== ABSENT || !countMissed(state, address)) continue;
    const subject = subjectOf(state, address);
    reports.push({ subject, source: SOURCE.missedBlock, count: MISSED_TOGETHER });
  }
  return reports;
}

/** Reports what validators did to the reputation contract. */
export async function reportConduct(place: SystemPlace, conduct: Conduct): Promise<void> {
  if (!conduct.hasTxs && conduct.misbehavior.length === 0) return;
  const reports = reportsOf(place.state, conduct);
  if (reports.length === 0) return;
  const values = reports.flatMap(({ subject, source, count }): readonly Argument[] => {
    return [subject, source, count, NO_EVIDENCE];
  });
  await systemCall(place, REPUTATION, encodeCall(RECORD, [WORD, reports.length, ...values]));
}
