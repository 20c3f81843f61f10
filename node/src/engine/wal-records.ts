/**
 * Records of the write-ahead log: inputs of the core, parts of blocks, and the engine's own marks.
 *
 * Upholds: every record names what it is by its first byte; reading refuses a record it does not
 * know, since a log is read by the program that wrote it or a later one.
 * Absent here: framing and checksums (node/state), the bytes of inputs (node/consensus/wal.ts).
 *
 * @module
 */
import type { Input } from '../../consensus/types.ts';
import { decodeInput, encodeInput } from '../../consensus/wal.ts';
import { HASH_SIZE } from '../base/hash.ts';
import { always, bytes, type Codec, message, uint } from '../base/proto.ts';
import { type Part, partCodec } from '../types/part-set.ts';
import type { FinalizeBlockResponse } from '../types/results.ts';
import { finalizeBlockResponseCodec } from '../types/stored.ts';

/** Results of a block, written before an application that keeps its own store commits them. */
export type Finalized = {
  readonly height: number;
  readonly blockHash: Uint8Array;
  readonly results: FinalizeBlockResponse;
};

/** One record. */
export type WalRecord =
  /** What follows belongs to this height. */
  | { readonly kind: 'height'; readonly height: number }
  /** An input of the core. */
  | { readonly kind: 'input'; readonly input: Input }
  /** The bytes of a block of our own making. */
  | { readonly kind: 'block'; readonly bytes: Uint8Array }
  /** A part that was added to the set being collected. */
  | { readonly kind: 'part'; readonly part: Part }
  | { readonly kind: 'finalized'; readonly finalized: Finalized };

const TAG = { height: 0, input: 1, part: 2, finalized: 3, block: 4 } as const;

const heightCodec: Codec<{ readonly height: number }> = message<{ readonly height: number }>(
  'WalHeight',
  { height: uint(1) },
);

const finalizedCodec: Codec<Finalized> = message<Finalized>('WalFinalized', {
  height: uint(1),
  blockHash: bytes(2, HASH_SIZE),
  results: always(3, finalizeBlockResponseCodec),
});

function tagged(tag: number, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(1 + body.length);
  out[0] = tag;
  out.set(body, 1);
  return out;
}

/** The bytes of a record. */
export function encodeRecord(record: WalRecord): Uint8Array {
  switch (record.kind) {
    case 'height':
      return tagged(TAG.height, heightCodec.encode(record));
    case 'input':
      return tagged(TAG.input, encodeInput(record.input));
    case 'block':
      return tagged(TAG.block, record.bytes);
    case 'part':
      return tagged(TAG.part, partCodec.encode(record.part));
    case 'finalized':
      return tagged(TAG.finalized, finalizedCodec.encode(record.finalized));
  }
}

/** Reads a record; undefined for one of an unknown kind. @throws LedgerError codec/1 */
function decodeRecord(record: Uint8Array): WalRecord | undefined {
  const body = record.subarray(1);
  switch (record[0]) {
    case TAG.height:
      return { kind: 'height', height: heightCodec.decode(body).height };
    case TAG.input:
      return { kind: 'input', input: decodeInput(body) };
    case TAG.block:
      return { kind: 'block', bytes: body };
    case TAG.part:
      return { kind: 'part', part: partCodec.decode(body) };
    case TAG.finalized:
      return { kind: 'finalized', finalized: finalizedCodec.decode(body) };
    default:
      return undefined;
  }
}

/** What the log holds of one height. */
export type HeightLog = {
  /** Absent if the height had not begun. */
  readonly records: readonly WalRecord[] | undefined;
  readonly finalized: Finalized | undefined;
};

/** The part of a log that belongs to `height`. @throws LedgerError codec/1 for a damaged record */
export function logOf(height: number, log: Iterable<Uint8Array>): HeightLog {
  let records: WalRecord[] | undefined;
  let finalized: Finalized | undefined;
  for (const bytes of log) {
    const record = decodeRecord(bytes);
    if (record === undefined) continue;
    if (record.kind === 'height') records = record.height === height ? [] : undefined;
    else if (record.kind === 'finalized') {
      if (record.finalized.height === height) finalized = record.finalized;
    } else records?.push(record);
  }
  return { records, finalized };
}
