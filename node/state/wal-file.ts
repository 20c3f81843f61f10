/**
 * The write-ahead log as a file: framed records, each checked, made durable by `sync`.
 *
 * The file is a head (magic, salt, checksum) and records: CRC-32, length, bytes. Each `sync`
 * ends with a mark, which names its own place in the file. Checksums start from the salt, which is
 * new after every `reset`, so bytes left over from earlier heights never pass for records.
 *
 * Upholds: what was synced is read back whole, or opening refuses with what to do. Only a tail that
 * was never synced may be cut off; a copy of it is kept beside the file, and a warning is given.
 * Absent here: the meaning of records.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';
import { equalBytes, utf8 } from '../src/base/bytes.ts';
import { invariant, LedgerError } from '../src/base/errors.ts';
import { MAX_BLOCKSYNC_MESSAGE_BYTES } from '../src/base/limits.ts';
import { type Logger, SILENT } from '../src/base/logger.ts';
import { errors, storageError } from './errors.ts';
import { syncFolderOf } from './files.ts';

const MAGIC: Uint8Array = utf8('MTRNWAL1');
const SALT_BYTES = 8;
const SALT_END: number = MAGIC.length + SALT_BYTES;
const HEAD_BYTES: number = SALT_END + 4;
const FRAME_BYTES = 8;
/** A length no record has: the frame is a mark, and its eight bytes are the mark's place. */
const MARK_LENGTH = 0xffff_ffff;
const MARK_BYTES = 16;
/** Most bytes of one record: a block and its framing. */
const MAX_RECORD_BYTES = MAX_BLOCKSYNC_MESSAGE_BYTES;
/** Appended bytes that are held in memory before they are written, durable or not. */
const MAX_HELD_BYTES = 1_048_576;

function head(salt: Uint8Array): Uint8Array {
  const out = Buffer.concat([MAGIC, salt, new Uint8Array(4)]);
  out.writeUInt32BE(crc32(out.subarray(0, SALT_END)), SALT_END);
  return out;
}

function frame(salt: Uint8Array, record: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(FRAME_BYTES + record.length);
  out.writeUInt32BE(record.length, 4);
  out.set(record, FRAME_BYTES);
  out.writeUInt32BE(crc32(out.subarray(4), crc32(salt)), 0);
  return out;
}

function mark(salt: Uint8Array, at: number): Uint8Array {
  const out = Buffer.alloc(MARK_BYTES);
  out.writeUInt32BE(MARK_LENGTH, 4);
  out.writeBigUInt64BE(BigInt(at), FRAME_BYTES);
  out.writeUInt32BE(crc32(out.subarray(4), crc32(salt)), 0);
  return out;
}

type Scan = {
  readonly records: readonly Uint8Array[];
  /** Where the first thing stands that is not whole; the file's size if all is. */
  readonly end: number;
  readonly reason: string;
};

/** Reads whole frames from the file's start. */
function scan(file: Buffer): Scan {
  const salt = file.subarray(MAGIC.length, SALT_END);
  const seed = crc32(salt);
  const records: Uint8Array[] = [];
  let at = HEAD_BYTES;
  while (at < file.length) {
    if (at + FRAME_BYTES > file.length) return { records, end: at, reason: 'a torn frame' };
    const length = file.readUInt32BE(at + 4);
    const isMark = length === MARK_LENGTH;
    const size = isMark ? MARK_BYTES : FRAME_BYTES + length;
    if (!isMark && length > MAX_RECORD_BYTES) {
      return { records, end: at, reason: 'an impossible length' };
    }
    if (at + size > file.length) return { records, end: at, reason: 'a torn record' };
    if (file.readUInt32BE(at) !== crc32(file.subarray(at + 4, at + size), seed)) {
      return { records, end: at, reason: 'a wrong checksum' };
    }
    if (!isMark) records.push(file.subarray(at + FRAME_BYTES, at + size));
    at += size;
  }
  return { records, end: at, reason: '' };
}

/** Whether a mark stands after `from`: what comes before it was synced, so it cannot be torn. */
function markedAfter(file: Buffer, from: number): boolean {
  const salt = file.subarray(MAGIC.length, SALT_END);
  const length = Buffer.alloc(4, 0xff);
  for (let at = file.indexOf(length, from); at !== -1; at = file.indexOf(length, at + 1)) {
    const start = at - 4;
    const found = file.subarray(start, start + MARK_BYTES);
    if (start >= HEAD_BYTES && equalBytes(found, mark(salt, start))) return true;
  }
  return false;
}

/** The write-ahead log of one node. */
export class FileWal {
  readonly #path: string;
  readonly #fd: number;
  #salt: Uint8Array;
  #size: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Whether anything came after the last mark. */
  #unsynced = true;

  private constructor(path: string, fd: number, salt: Uint8Array, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.#salt = salt;
    this.#size = size;
  }

  /**
   * Opens the log, or makes an empty one.
   *
   * @throws LedgerError storage/7 if records are damaged that were synced; 2, 3, 5 if the disk
   *   refuses
   */
  static open(path: string, logger: Logger = SILENT): FileWal {
    try {
      const fd = openSync(path, 'a+');
      closeSync(fd);
      const file = readFileSync(path);
      const wal = new FileWal(path, openSync(path, 'r+'), file.subarray(MAGIC.length, SALT_END), 0);
      // A head that was never synced, as a crash right after `reset` leaves it, had no record.
      if (file.length < HEAD_BYTES || file.subarray(0, HEAD_BYTES).every((byte) => byte === 0)) {
        wal.reset();
        wal.sync();
        syncFolderOf(path);
      } else wal.#size = wal.#checked(file, logger);
      return wal;
    } catch (thrown) {
      throw storageError(thrown, path);
    }
  }

  /** Cuts off a tail that was never synced. @returns the size of what is whole */
  #checked(file: Buffer, logger: Logger): number {
    const path = this.#path;
    const known = equalBytes(file.subarray(0, HEAD_BYTES), head(this.#salt));
    const { end, reason } = known ? scan(file) : { end: 0, reason: 'not the head of a log' };
    if (end === file.length) return end;
    if (!known || markedAfter(file, end)) {
      throw new LedgerError(errors.WalDamaged, { path, offset: end, reason });
    }
    const copy = `${path}.corrupted`;
    writeFileSync(copy, file.subarray(end));
    ftruncateSync(this.#fd, end);
    fdatasyncSync(this.#fd);
    logger.warn('the write-ahead log ended in the middle of a record; the rest was cut off', {
      path,
      offset: end,
      bytes: file.length - end,
      reason,
      copy,
    });
    return end;
  }

  /** Appends one record; durable only after `sync`. */
  append(record: Uint8Array): void {
    invariant(record.length <= MAX_RECORD_BYTES, 'a record of the log is not over its bound');
    this.#hold(frame(this.#salt, record));
    if (this.#heldBytes >= MAX_HELD_BYTES) this.#write();
  }

  #hold(bytes: Uint8Array): void {
    this.#unsynced = true;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #write(): void {
    const bytes = Buffer.concat(this.#held);
    try {
      for (let at = 0; at < bytes.length; ) {
        at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#size + at);
      }
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#size += bytes.length;
    this.#held = [];
    this.#heldBytes = 0;
  }

  /** Makes all appended records durable. @throws LedgerError storage/3 or 5: the node must stop */
  sync(): void {
    if (!this.#unsynced) return;
    this.#hold(mark(this.#salt, this.#size + this.#heldBytes));
    this.#write();
    try {
      fdatasyncSync(this.#fd);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#unsynced = false;
  }

  /** Every whole record, in order. */
  records(): Iterable<Uint8Array> {
    this.#write();
    return scan(readFileSync(this.#path)).records;
  }

  /** Drops all records. Cost: two calls to the system; durable with the next `sync`. */
  reset(): void {
    this.#salt = randomBytes(SALT_BYTES);
    this.#held = [];
    this.#heldBytes = 0;
    try {
      ftruncateSync(this.#fd, 0);
      writeSync(this.#fd, head(this.#salt), 0, HEAD_BYTES, 0);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#size = HEAD_BYTES;
    this.#unsynced = true;
  }

  /** Writes what is held and closes the file. */
  close(): void {
    this.#write();
    closeSync(this.#fd);
  }
}
