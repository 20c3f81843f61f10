/**
 * Reading proof bundles: their JSON, spaces, entries.
 *
 * Upholds: members are exactly the known ones, bytes are canonical base64; whatever is not in its
 * form is refused as proof/1.
 *
 * @module
 */
import { equalBytes, fromBase64, toHex } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { type Entry, Space } from '../gen/metatron/memory/v1/state.ts';
import { entryOfLeaf } from '../types/entries.ts';
import type { Header } from '../types/header.ts';
import type { Time } from '../types/time.ts';
import { broken, malformed } from './errors.ts';

const ID_BYTES = 32;

/** What a proof shows of an entry. */
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

/** When the state was as it is proven to be. */
export type ProvenState = {
  /** The block after which the state is proven. */
  readonly provenHeight: number;
  /** Time of the next block, whose header vouches for that state. */
  readonly provenTime: Time;
};

/** The state that a header vouches for. */
export function stateUnder({ height, time }: Header): ProvenState {
  return { provenHeight: height - 1, provenTime: time };
}

/** A proven entry, and the height at which the state held it. */
export type ProvenAt = ProvenEntry & ProvenState;

/** Bytes of canonical base64. @throws LedgerError proof/1 */
export function bytesOf(value: unknown, part: string): Uint8Array {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
  return bytes ?? malformed(part);
}

/** The 32 bytes of a space's id. @throws LedgerError proof/1 */
export function spaceIdOf(value: unknown): Uint8Array {
  const id = bytesOf(value, 'space');
  return id.length === ID_BYTES ? id : malformed('space');
}

/** A text. @throws LedgerError proof/1 */
export function textOf(value: unknown, part: string): string {
  return typeof value === 'string' && value.isWellFormed() ? value : malformed(part);
}

/** `value` as an object with exactly these members. @throws LedgerError proof/1 */
export function exactly(
  value: unknown,
  names: readonly string[],
  part: string,
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return malformed(part);
  const found = Object.keys(value).sort();
  if (found.join() !== [...names].sort().join()) malformed(`members of ${part}`);
  return value as Readonly<Record<string, unknown>>;
}

/** `value` as a list. @throws LedgerError proof/1 */
export function listOf(value: unknown, part: string): readonly unknown[] {
  return Array.isArray(value) ? value : malformed(part);
}

/** A bundle's members. @param bundle - JSON text or its value @throws LedgerError proof/1 */
export function readBundle(
  bundle: unknown,
  format: string,
  names: readonly string[],
): Readonly<Record<string, unknown>> {
  const json = exactly(parsed(bundle), ['format', ...names], 'proof');
  return json['format'] === format ? json : malformed('format');
}

/** The value of a bundle's JSON text; any other value as it is. @throws LedgerError proof/1 */
export function parsed(bundle: unknown): unknown {
  if (typeof bundle !== 'string') return bundle;
  try {
    return JSON.parse(bundle) as unknown;
  } catch {
    return malformed('not JSON');
  }
}

/** Decodes by a generated codec. @throws LedgerError proof/1 */
export function guarded<T>(work: () => T, part: string): T {
  try {
    return work();
  } catch {
    return malformed(part);
  }
}

/** A space's record and its bytes. @throws LedgerError proof/1 */
export function readRecord(value: unknown): { readonly record: Space; readonly bytes: Uint8Array } {
  const bytes = bytesOf(value, 'space.record');
  const record = guarded(() => Space.decode(bytes), 'space.record');
  if (record.size > BigInt(Number.MAX_SAFE_INTEGER)) malformed('space.record');
  return { record, bytes };
}

/** A leaf and its content. @throws LedgerError proof/1 */
export function readEntry(value: unknown): {
  readonly leaf: Uint8Array;
  readonly content: Uint8Array;
} {
  const json = exactly(value, ['leaf', 'content'], 'entry');
  return {
    leaf: bytesOf(json['leaf'], 'entry.leaf'),
    content: bytesOf(json['content'], 'entry.content'),
  };
}

/** Whether a leaf is an entry's, not a change of the space's. @throws LedgerError proof/1 */
export function isEntry(leaf: Uint8Array): boolean {
  return guarded(() => entryOfLeaf(leaf), 'entry.leaf') !== undefined;
}

/** What a leaf that the log vouches for says, with its content. @throws LedgerError proof/2 */
export function proven(
  { leaf, content }: { readonly leaf: Uint8Array; readonly content: Uint8Array },
  space: Uint8Array,
  index: number,
): ProvenEntry {
  const found = guarded(() => entryOfLeaf(leaf), 'entry.leaf');
  if (found?.blockTime === undefined) return malformed('entry.leaf');
  const { entry } = found;
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
    height: found.height,
    blockTime: found.blockTime,
  };
}
