/**
 * Proofs about memories, checked offline: nothing but the bundle and what the caller trusts.
 *
 *   entry        this entry, with this content, is at this place in the space's log
 *   listing      these are all entries of the space, in order: none is left out, none added
 *   head         this entry is the newest version under its key
 *   absence      there is no entry under this key
 *   consistency  between two heights the space's log only grew
 * All end in anchors (anchor.ts): record → app hash → header → commit → validators.
 *
 * Upholds: every bit of a bundle is checked. A proof says who wrote what and when; not that it is
 * true.
 *
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import {
  verifyConsistency as isExtension,
  leafHash,
  merkleRoot,
  proofRoot,
} from '../base/merkle.ts';
import { Head } from '../gen/metatron/memory/v1/state.ts';
import {
  ABSENCE_PROOF,
  CONSISTENCY_PROOF,
  ENTRY_PROOF,
  HEAD_PROOF,
  LISTING_PROOF,
} from '../types/bundles.ts';
import { headKey, spaceKey } from '../types/memory.ts';
import type { Time } from '../types/time.ts';
import { type Trusted, verifyAnchor } from './anchor.ts';
import {
  bytesOf,
  exactly,
  guarded,
  isEntry,
  listOf,
  type ProvenAt,
  type ProvenState,
  parsed,
  proven,
  readBundle,
  readEntry,
  readRecord,
  spaceIdOf,
  stateUnder,
  textOf,
} from './bundle.ts';
import { broken, malformed } from './errors.ts';

/**
 * Checks an entry's proof.
 *
 * @param bundle - JSON text or its parsed value
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyProof(bundle: unknown, trusted: Trusted): ProvenAt {
  const names = ['index', 'entry', 'space', 'logPath', 'anchor'];
  const json = readBundle(bundle, ENTRY_PROOF, names);
  const { id, record, bytes } = readSpace(json['space']);
  const index = json['index'];
  if (typeof index !== 'number' || !Number.isSafeInteger(index)) return malformed('index');
  const aunts = listOf(json['logPath'], 'logPath').map((hash) => bytesOf(hash, 'logPath'));
  const entry = readEntry(json['entry']);
  const log = { total: Number(record.size), index, leafHash: leafHash(entry.leaf), aunts };
  const root = proofRoot(log);
  if (root === undefined || !equalBytes(root, record.root)) broken('logPath');
  const header = verifyAnchor(json['anchor'], spaceKey(id), bytes, trusted);
  return { ...proven(entry, id, index), ...stateUnder(header) };
}

/** That a space holds these entries and no others. */
export type ProvenListing = ProvenState & {
  /** Hex. */
  readonly space: string;
  /** The 20-byte account id of the space's owner, in hex. */
  readonly owner: string;
  /** Operations of the space's log: the entries, and changes of the space. */
  readonly size: number;
  readonly entries: readonly ProvenAt[];
};

/**
 * Checks that a listing is complete: all operations of the space at the height of its anchor.
 *
 * @returns the entries; changes of the space are left out
 *
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyListing(bundle: unknown, trusted: Trusted): readonly ProvenAt[] {
  return verifyWhole(bundle, trusted).entries;
}

function verifyWhole(bundle: unknown, trusted: Trusted): ProvenListing {
  const json = readBundle(bundle, LISTING_PROOF, ['entries', 'space', 'anchor']);
  const { id, record, bytes } = readSpace(json['space']);
  const entries = listOf(json['entries'], 'entries').map(readEntry);
  if (BigInt(entries.length) !== record.size) {
    broken(`${entries.length} entries are listed of ${record.size}`);
  }
  const root = merkleRoot(entries.map(({ leaf }) => leaf));
  if (!equalBytes(root, record.root)) broken('entries');
  const header = verifyAnchor(json['anchor'], spaceKey(id), bytes, trusted);
  const state = stateUnder(header);
  const { size, owner } = record;
  return {
    space: toHex(id),
    owner: toHex(owner),
    size: Number(size),
    ...state,
    entries: entries.flatMap((entry, index) =>
      isEntry(entry.leaf) ? [{ ...proven(entry, id, index), ...state }] : [],
    ),
  };
}

/**
 * Checks that an entry is the newest version under its key.
 *
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyHead(bundle: unknown, trusted: Trusted): ProvenAt {
  const json = readBundle(bundle, HEAD_PROOF, ['space', 'key', 'head', 'entry', 'anchor']);
  const space = spaceIdOf(json['space']);
  const key = textOf(json['key'], 'key');
  const record = bytesOf(json['head'], 'head');
  const head = guarded(() => Head.decode(record), 'head');
  const entry = readEntry(json['entry']);
  if (!equalBytes(leafHash(entry.leaf), head.leafHash)) broken('entry.leaf');
  const found = proven(entry, space, Number(head.index));
  if (found.entry.key !== key) broken('the entry is of another key');
  const header = verifyAnchor(json['anchor'], headKey(space, key), record, trusted);
  return { ...found, ...stateUnder(header) };
}

/** That a key of a space has no entry. */
export type ProvenAbsence = ProvenState & {
  /** Hex; `personalSpaceId` tells whose it is. */
  readonly space: string;
  readonly key: string;
};

/**
 * Checks that there is no entry under a key.
 *
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyAbsence(bundle: unknown, trusted: Trusted): ProvenAbsence {
  const json = readBundle(bundle, ABSENCE_PROOF, ['space', 'key', 'anchor']);
  const space = spaceIdOf(json['space']);
  const key = textOf(json['key'], 'key');
  const header = verifyAnchor(json['anchor'], headKey(space, key), undefined, trusted);
  return { space: toHex(space), key, ...stateUnder(header) };
}

/** A space's log after a height; `time` is that of the next block, which vouches for it. */
export type ProvenLog = {
  readonly height: number;
  readonly time: Time;
  readonly size: number;
  readonly root: string;
};

/** That a space's log only grew. Hashes in hex. */
export type ProvenGrowth = {
  readonly space: string;
  /** The 20-byte account id of the space's owner at the later height, in hex. */
  readonly owner: string;
  readonly from: ProvenLog;
  readonly to: ProvenLog;
};

/**
 * Checks that between two heights entries were only added to a space's log.
 *
 * @param trustedBefore - what to trust at the earlier height, if the validators were others then
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyConsistency(
  bundle: unknown,
  trusted: Trusted,
  trustedBefore: Trusted = trusted,
): ProvenGrowth {
  const json = readBundle(bundle, CONSISTENCY_PROOF, ['space', 'from', 'to', 'path']);
  const space = spaceIdOf(json['space']);
  const from = verifyLog(json['from'], space, trustedBefore);
  const to = verifyLog(json['to'], space, trusted);
  if (from.height > to.height) broken('the order of heights');
  const path = listOf(json['path'], 'path').map((hash) => bytesOf(hash, 'path'));
  if (!isExtension(from.size, from.root, to.size, to.root, path)) broken('path');
  const shown = ({ height, time, size, root }: LogAt): ProvenLog => {
    return { height, time, size, root: toHex(root) };
  };
  return { space: toHex(space), owner: to.owner, from: shown(from), to: shown(to) };
}

/** What a bundle of any form shows. */
export type Shown = {
  /** The claim that holds, as the head of this file has it. */
  readonly proves: 'entry' | 'listing' | 'head' | 'absence' | 'consistency';
  readonly entries: readonly ProvenAt[];
  readonly listing?: Omit<ProvenListing, 'entries'>;
  readonly absent?: ProvenAbsence;
  readonly growth?: ProvenGrowth;
};

/**
 * Checks a bundle of whatever form it is.
 *
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyBundle(bundle: unknown, trusted: Trusted): Shown {
  const json = parsed(bundle);
  const format = typeof json === 'object' && json !== null && 'format' in json && json.format;
  switch (format) {
    case ENTRY_PROOF:
      return { proves: 'entry', entries: [verifyProof(json, trusted)] };
    case LISTING_PROOF: {
      const { entries, ...listing } = verifyWhole(json, trusted);
      return { proves: 'listing', entries, listing };
    }
    case HEAD_PROOF:
      return { proves: 'head', entries: [verifyHead(json, trusted)] };
    case ABSENCE_PROOF:
      return { proves: 'absence', entries: [], absent: verifyAbsence(json, trusted) };
    case CONSISTENCY_PROOF:
      return { proves: 'consistency', entries: [], growth: verifyConsistency(json, trusted) };
    default:
      return malformed('format');
  }
}

type LogAt = Omit<ProvenLog, 'root'> & { readonly root: Uint8Array; readonly owner: string };

function verifyLog(value: unknown, space: Uint8Array, trusted: Trusted): LogAt {
  const json = exactly(value, ['record', 'anchor'], 'log');
  const { record, bytes } = readRecord(json['record']);
  const header = verifyAnchor(json['anchor'], spaceKey(space), bytes, trusted);
  const { provenHeight: height, provenTime: time } = stateUnder(header);
  const { root, owner } = record;
  return { height, time, size: Number(record.size), root, owner: toHex(owner) };
}

function readSpace(value: unknown): { readonly id: Uint8Array } & ReturnType<typeof readRecord> {
  const json = exactly(value, ['id', 'record'], 'space');
  return { id: spaceIdOf(json['id']), ...readRecord(json['record']) };
}
