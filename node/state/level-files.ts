/**
 * A look at Level's files before it opens them, for damage that Level would pass over in silence.
 *
 * Level starts anew when the file CURRENT is gone, and drops what does not fit its checksum from
 * its log, a synced height among it. Both would be a chain with a hole, so both are refused here.
 *
 * Upholds: a write that a crash cut off is no damage: it was never reported as durable. Damage is
 * what cannot be read although a later write began, since each write is synced before the next.
 * Absent here: tables (.ldb); Level checks those it reads while it merges them. A log cut exactly
 * between two writes cannot be told from a whole one.
 * Spec: LevelDB doc/log_format.md; CRC-32C (RFC 3720), masked.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LedgerError } from '../src/base/errors.ts';
import { errors, storageError } from './errors.ts';

const BLOCK_BYTES = 32_768;
/** Checksum, length, type. */
const HEADER_BYTES = 7;
/** Types of fragments: a whole record, and the first, middle and last of several. */
const FRAGMENT = { full: 1, first: 2, last: 4 } as const;
const MASK_DELTA = 0xa282_ead8;
/** CRC-32C, reflected. */
const POLYNOMIAL = 0x82f6_3b78;

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  return crc;
});

function crc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffff_ffff;
  for (let i = from; i < to; i++) {
    crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] as number)) & 0xff] as number);
  }
  return ~crc >>> 0;
}

/** The type of the fragment at `at`, and where it ends; undefined if none is whole there. */
function fragmentAt(
  log: Buffer,
  at: number,
): { readonly type: number; readonly end: number } | undefined {
  const blockEnd = at - (at % BLOCK_BYTES) + BLOCK_BYTES;
  if (at + HEADER_BYTES > Math.min(blockEnd, log.length)) return undefined;
  const end = at + HEADER_BYTES + log.readUInt16LE(at + 4);
  const type = log[at + 6] as number;
  if (type < FRAGMENT.full || type > FRAGMENT.last || end > Math.min(blockEnd, log.length)) {
    return undefined;
  }
  const crc = crc32c(log, at + 6, end);
  const masked = (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
  return masked === log.readUInt32LE(at) ? { type, end } : undefined;
}

/**
 * Whether a write begins behind the unreadable fragment at `bad`: where that says it ends, or at
 * the start of a later block. Nowhere else, for there the bytes are those that users wrote, and
 * these may look like a write.
 */
function writeBegins(log: Buffer, bad: number): boolean {
  const block = bad - (bad % BLOCK_BYTES) + BLOCK_BYTES;
  const starts =
    bad + HEADER_BYTES <= log.length ? [bad + HEADER_BYTES + log.readUInt16LE(bad + 4)] : [];
  for (let at = block; at < log.length; at += BLOCK_BYTES) starts.push(at);
  return starts.some((start) => {
    for (let at = start; ; ) {
      const fragment = fragmentAt(log, at);
      if (fragment === undefined) return false;
      if (fragment.type === FRAGMENT.full || fragment.type === FRAGMENT.first) return true;
      at = fragment.end;
    }
  });
}

/** Where a log is damaged; undefined if it is whole but for a write that was cut off. */
export function damageOf(log: Buffer): number | undefined {
  for (let at = 0; at < log.length; ) {
    const room = BLOCK_BYTES - (at % BLOCK_BYTES);
    const fragment = room < HEADER_BYTES ? { end: at + room } : fragmentAt(log, at);
    if (fragment === undefined) return writeBegins(log, at) ? at : undefined;
    at = fragment.end;
  }
  return undefined;
}

/** Looks at the database in folder `path`, if there is one. @throws LedgerError storage/2, 4, 12 */
export function checkLevelFiles(path: string): void {
  try {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    const names = readdirSync(path);
    const logs = names.filter((name) => name.endsWith('.log'));
    if (!existsSync(join(path, 'CURRENT')) && (logs.length > 0 || names.some(isTable))) {
      throw new LedgerError(errors.Damaged, { path, reason: 'its file CURRENT is missing' });
    }
    for (const name of logs) {
      const at = damageOf(readFileSync(join(path, name)));
      if (at === undefined) continue;
      const reason = `${name} cannot be read at byte ${at}, though later writes follow`;
      throw new LedgerError(errors.Damaged, { path, reason });
    }
  } catch (thrown) {
    throw storageError(thrown, path);
  }
}

function isTable(name: string): boolean {
  return name.endsWith('.ldb') || name.startsWith('MANIFEST');
}
