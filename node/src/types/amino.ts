/**
 * The amino-JSON face of the ledger's own messages, for SIGN_MODE_LEGACY_AMINO_JSON.
 *
 * Upholds: the ledger, which verifies, and the client, which signs, use this one conversion.
 * Empty fields are left out, bytes are base64, 64-bit numbers and times are text.
 * Spec: Cosmos SDK amino-JSON encoding; member order does not matter, the sign document is sorted.
 *
 * Pure; runs in a browser.
 *
 * @module
 */
import { EMPTY, fromBase64, toBase64 } from '../base/bytes.ts';
import type { EntryType } from '../gen/metatron/memory/v1/state.ts';
import type { MsgPut } from '../gen/metatron/memory/v1/tx.ts';
import { formatTime, parseTime } from './time.ts';

/** Amino name of MsgPut. */
export const MSG_PUT_AMINO = 'metatron/MsgPut';

/** Amino JSON of a source. */
export type AminoSource = { readonly id?: string; readonly hash?: string };

/** Amino JSON of MsgPut. */
export type AminoMsgPut = {
  readonly author: string;
  readonly space?: string;
  readonly key?: string;
  readonly type?: number;
  readonly content?: string;
  readonly tags?: readonly string[];
  readonly expected_version?: string;
  readonly event_time?: string;
  readonly sources?: readonly AminoSource[];
};

const NANOS = 1_000_000_000n;

/** A protobuf timestamp as nanoseconds. */
export function timestampNanos(at: { readonly seconds: bigint; readonly nanos: number }): bigint {
  return at.seconds * NANOS + BigInt(at.nanos);
}

/** Nanoseconds as a protobuf timestamp. */
export function nanosTimestamp(time: bigint): { seconds: bigint; nanos: number } {
  const nanos = ((time % NANOS) + NANOS) % NANOS;
  return { seconds: (time - nanos) / NANOS, nanos: Number(nanos) };
}

/** MsgPut as amino JSON. */
export function putToAmino(put: MsgPut): AminoMsgPut {
  return {
    author: put.author,
    ...(put.space.length > 0 && { space: toBase64(put.space) }),
    ...(put.key !== '' && { key: put.key }),
    ...(put.type !== 0 && { type: put.type }),
    ...(put.content.length > 0 && { content: toBase64(put.content) }),
    ...(put.tags.length > 0 && { tags: put.tags }),
    ...(put.expectedVersion !== undefined && { expected_version: String(put.expectedVersion) }),
    ...(put.eventTime !== undefined && { event_time: formatTime(timestampNanos(put.eventTime)) }),
    ...(put.sources.length > 0 && {
      sources: put.sources.map((source) => ({
        ...(source.id !== '' && { id: source.id }),
        ...(source.hash.length > 0 && { hash: toBase64(source.hash) }),
      })),
    }),
  };
}

/** Amino JSON as MsgPut; text that is not base64 or a time is read as empty. */
export function putFromAmino(put: AminoMsgPut): MsgPut {
  const bytes = (text: string | undefined): Uint8Array => fromBase64(text ?? '') ?? EMPTY;
  const time = put.event_time === undefined ? undefined : parseTime(put.event_time);
  return {
    author: put.author,
    space: bytes(put.space),
    key: put.key ?? '',
    type: (put.type ?? 0) as EntryType,
    content: bytes(put.content),
    tags: [...(put.tags ?? [])],
    expectedVersion: put.expected_version === undefined ? undefined : BigInt(put.expected_version),
    eventTime: time === undefined ? undefined : nanosTimestamp(time),
    sources: (put.sources ?? []).map((s) => ({ id: s.id ?? '', hash: bytes(s.hash) })),
  };
}
