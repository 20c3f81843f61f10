/**
 * Proofs about memories, checked offline: nothing but the bundle and what the caller trusts.
 *
 * Two bundles, each JSON with canonical base64 for bytes:
 *   entry    this entry, with this content, is at this place in the space's log
 *   listing  these are all entries of the space, in order: none is left out, none added
 * Both end in an anchor (anchor.ts): space record → app hash → header → commit → validators.
 *
 * Upholds: every bit of a bundle is checked. A proof says who wrote what and when; not that it is
 * true.
 *
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { leafHash, merkleRoot, proofRoot } from '../base/merkle.ts';
import { type Entry, Operation, Space } from '../gen/metatron/memory/v1/state.ts';
import { timestampNanos } from '../types/amino.ts';
import { spaceKey } from '../types/memory.ts';
import type { Time } from '../types/time.ts';
import { type AnchorJson, bytesOf, exactly, listOf, type Trusted, verifyAnchor } from './anchor.ts';
import { broken, malformed } from './errors.ts';

/** Names of the bundles' forms. */
export const ENTRY_PROOF = 'metatron/entry-proof/1';
export const LISTING_PROOF = 'metatron/listing-proof/1';

/** One log entry in a bundle. */
export type EntryJson = { readonly leaf: string; readonly content: string };

/** Proof of one entry. */
export type EntryProof = {
  readonly format: typeof ENTRY_PROOF;
  readonly index: number;
  readonly entry: EntryJson;
  readonly space: { readonly id: string; readonly record: string };
  /** RFC 6962 inclusion path, from the leaf up. */
  readonly logPath: readonly string[];
  readonly anchor: AnchorJson;
};

/** Proof of all entries of a space. */
export type ListingProof = {
  readonly format: typeof LISTING_PROOF;
  readonly entries: readonly EntryJson[];
  readonly space: { readonly id: string; readonly record: string };
  readonly anchor: AnchorJson;
};

/** What a proof shows. */
export type ProvenEntry = {
  /** Hex. */
  readonly id: string;
  readonly space: string;
  /** The writer's 20-byte account id, in hex. */
  readonly author: string;
  readonly index: number;
  readonly entry: Entry;
  readonly content: Uint8Array;
  /** The block that wrote it, and that block's time. */
  readonly height: number;
  readonly blockTime: Time;
};

/** A proven entry, and the height at which the state held it. */
export type ProvenAt = ProvenEntry & { readonly provenHeight: number };

/**
 * Checks an entry's proof.
 *
 * @param bundle - JSON text or its parsed value
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyProof(bundle: unknown, trusted: Trusted): ProvenAt {
  const names = ['format', 'index', 'entry', 'space', 'logPath', 'anchor'];
  const json = exactly(parsed(bundle), names, 'proof');
  if (json['format'] !== ENTRY_PROOF) malformed('format');
  const { id, record, bytes } = readSpace(json['space']);
  const index = json['index'];
  if (typeof index !== 'number' || !Number.isSafeInteger(index)) return malformed('index');
  const aunts = listOf(json['logPath'], 'logPath').map((hash) => bytesOf(hash, 'logPath'));
  const { leaf, content } = readEntry(json['entry']);
  const log = { total: Number(record.size), index, leafHash: leafHash(leaf), aunts };
  const root = proofRoot(log);
  if (root === undefined || !equalBytes(root, record.root)) broken('logPath');
  const header = verifyAnchor(json['anchor'], spaceKey(id), bytes, trusted);
  return { ...proven(leaf, content, id, index), provenHeight: header.height - 1 };
}

/**
 * Checks that a listing is complete: all entries of the space at the height of its anchor.
 *
 * @throws LedgerError proof/1 (form), proof/2 (does not hold), proof/3 (another chain)
 */
export function verifyListing(bundle: unknown, trusted: Trusted): readonly ProvenAt[] {
  const json = exactly(parsed(bundle), ['format', 'entries', 'space', 'anchor'], 'listing');
  if (json['format'] !== LISTING_PROOF) malformed('format');
  const { id, record, bytes } = readSpace(json['space']);
  const entries = listOf(json['entries'], 'entries').map(readEntry);
  if (BigInt(entries.length) !== record.size) {
    broken(`${entries.length} entries are listed of ${record.size}`);
  }
  const root = merkleRoot(entries.map(({ leaf }) => leaf));
  if (!equalBytes(root, record.root)) broken('entries');
  const header = verifyAnchor(json['anchor'], spaceKey(id), bytes, trusted);
  return entries.map(({ leaf, content }, index) => ({
    ...proven(leaf, content, id, index),
    provenHeight: header.height - 1,
  }));
}

function parsed(bundle: unknown): unknown {
  if (typeof bundle !== 'string') return bundle;
  try {
    return JSON.parse(bundle) as unknown;
  } catch {
    return malformed('not JSON');
  }
}

function readSpace(value: unknown): { id: Uint8Array; record: Space; bytes: Uint8Array } {
  const json = exactly(value, ['id', 'record'], 'space');
  const bytes = bytesOf(json['record'], 'space.record');
  const id = bytesOf(json['id'], 'space.id');
  if (id.length !== 32) malformed('space.id');
  const record = guarded(() => Space.decode(bytes), 'space.record');
  if (record.size > BigInt(Number.MAX_SAFE_INTEGER)) malformed('space.record');
  return { id, record, bytes };
}

function readEntry(value: unknown): { leaf: Uint8Array; content: Uint8Array } {
  const json = exactly(value, ['leaf', 'content'], 'entry');
  return {
    leaf: bytesOf(json['leaf'], 'entry.leaf'),
    content: bytesOf(json['content'], 'entry.content'),
  };
}

function guarded<T>(work: () => T, part: string): T {
  try {
    return work();
  } catch {
    return malformed(part);
  }
}

/** What a leaf that the log vouches for says, with its content. */
function proven(
  leaf: Uint8Array,
  content: Uint8Array,
  space: Uint8Array,
  index: number,
): ProvenEntry {
  const { kind, height, blockTime } = guarded(() => Operation.decode(leaf), 'entry.leaf');
  if (kind === undefined || blockTime === undefined) return malformed('entry.leaf');
  const entry = kind.value;
  if (!equalBytes(entry.space, space)) broken('the entry is of another space');
  if (!equalBytes(entry.contentHash, sha256(content))) broken('content');
  if (entry.contentSize !== BigInt(content.length)) broken('content size');
  return {
    id: toHex(entry.id),
    space: toHex(space),
    author: toHex(entry.author),
    index,
    entry,
    content,
    height: Number(height),
    blockTime: timestampNanos(blockTime),
  };
}
