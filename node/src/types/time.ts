/**
 * Block and vote time: nanoseconds since the Unix epoch, as a bigint.
 *
 * Upholds: full nanosecond precision; Go's zero time is a value like any other, as CometBFT hashes
 * it into absent signatures. Absent here: clocks.
 * Spec: google.protobuf.Timestamp; RFC 3339 text as Go's RFC3339Nano prints it.
 *
 * @module
 */
import { type Codec, int, mapped, message } from '../base/proto.ts';
import { refuse } from '../base/wire.ts';

/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type Time = bigint;

const NANOS = 1_000_000_000n;

/** Go's `time.Time{}`: 0001-01-01T00:00:00Z, the timestamp of an absent signature. */
export const ZERO_TIME: Time = -62_135_596_800n * NANOS;

const MIN_SECONDS = -62_135_596_800;
const MAX_SECONDS = 253_402_300_799;

/** Nanoseconds in a millisecond. */
export const MILLISECOND: Time = 1_000_000n;

type Timestamp = { readonly seconds: number; readonly nanos: number };

/** google.protobuf.Timestamp. */
export const timeCodec: Codec<Time> = mapped(
  message<Timestamp>('Timestamp', { seconds: int(1), nanos: int(2) }),
  ({ seconds, nanos }) => {
    if (nanos < 0 || nanos >= 1e9) refuse('Timestamp', `${nanos} ns are not within a second`);
    if (seconds < MIN_SECONDS || seconds > MAX_SECONDS)
      refuse('Timestamp', 'outside years 1 … 9999');
    return BigInt(seconds) * NANOS + BigInt(nanos);
  },
  (time) => {
    const nanos = ((time % NANOS) + NANOS) % NANOS;
    return { seconds: Number((time - nanos) / NANOS), nanos: Number(nanos) };
  },
);

/** RFC 3339 in UTC with as many fractional digits as needed: `2026-01-02T03:04:05.006Z`. */
export function formatTime(time: Time): string {
  const nanos = ((time % NANOS) + NANOS) % NANOS;
  const whole = new Date(Number((time - nanos) / 1_000_000n)).toISOString().slice(0, 19);
  const fraction = nanos.toString().padStart(9, '0').replace(/0+$/, '');
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}

const RFC3339 = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})$/;

/** Reads RFC 3339 text; `undefined` if it is not that. */
export function parseTime(text: string): Time | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const millis = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(millis)) return undefined;
  return BigInt(millis) * MILLISECOND + BigInt((match[2] ?? '').padEnd(9, '0'));
}
