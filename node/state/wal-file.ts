/**
 * The write-ahead log as a file of fixed size: framed records, each checked, made durable by
 * `sync`, and overwritten in place after `reset`.
 *
 * The file is a head (magic, salt, checksum) and frames: CRC-32, length, bytes. It is filled with
 * zeros when it is made, so that a sync writes blocks that the file has and no size: it waits for
 * the disk, not for the file system's journal. What stands after the last frame is old.
 *
 * A frame's checksum goes on from that of the frame before, the first from the salt, and the salt
 * is new after every `reset`. So a frame is read only behind the very frames it was written
 * behind: neither leftovers of earlier heights nor those of a torn write pass for records. Each
 * `sync` ends with a mark, which names its own place and how far the log was durable before it.
 * Blocks of one sync may reach the disk in any order. So what is not whole is a torn end if no
 * mark vouches for it, and damage if one does.
 *
 * Upholds: what was synced is read back whole, or opening refuses with what to do; only what no
 * later sync vouches for may be cut off. A lost end is the guard's matter (engine/signer.ts).
 * Absent here: the meaning of records.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { crc32 } from 'node:zlib';
import { equalBytes, utf8 } from '../src/base/bytes.ts';
import { invariant, LedgerError } from '../src/base/errors.ts';
import { MAX_BLOCKSYNC_MESSAGE_BYTES } from '../src/base/limits.ts';
import { type Logger, SILENT } from '../src/base/logger.ts';
import { errors, storageError } from './errors.ts';
import { syncData, syncFolderOf } from './files.ts';

const MAGIC: Uint8Array = utf8('MTRNWAL2');
const SALT_BYTES = 8;
const SALT_END: number = MAGIC.length + SALT_BYTES;
const HEAD_BYTES: number = SALT_END + 4;
const FRAME_BYTES = 8;
/** A length no record has: the frame is a mark; its place and what is durable follow. */
const MARK_LENGTH = 0xffff_ffff;
const MARK_BYTES = 24;
/** Most bytes of one record: a block and its framing. */
const MAX_RECORD_BYTES = MAX_BLOCKSYNC_MESSAGE_BYTES;
/** Appended bytes that are held in memory before they are written, durable or not. */
const MAX_HELD_BYTES = 1_048_576;
/** Size of the file: twice what the engine lets the log grow to. A longer log makes it longer. */
const RESERVED_BYTES = 8 * 1_048_576;

function head(salt: Uint8Array): Uint8Array {
  const out = Buffer.concat([MAGIC, salt, new Uint8Array(4)]);
  out.writeUInt32BE(crc32(out.subarray(0, SALT_END)), SALT_END);
  return out;
}

/** A record's frame behind one with checksum `before`; its own are the first four bytes. */
function frame(before: number, record: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(FRAME_BYTES + record.length);
  out.writeUInt32BE(record.length, 4);
  out.set(record, FRAME_BYTES);
  out.writeUInt32BE(crc32(out.subarray(4), before), 0);
  return out;
}

/** A mark at `at`. It can be found without what is before it: its checksum is of the salt. */
function mark(salt: Uint8Array, at: number, durable: number): Buffer {
  const out = Buffer.alloc(MARK_BYTES);
  out.writeUInt32BE(MARK_LENGTH, 4);
  out.writeBigUInt64BE(BigInt(at), FRAME_BYTES);
  out.writeBigUInt64BE(BigInt(durable), FRAME_BYTES + 8);
  out.writeUInt32BE(crc32(out.subarray(4), crc32(salt)), 0);
  return out;
}

/** How far the log was durable when the mark at `at` was written; undefined if none is there. */
function vouchedAt(file: Buffer, salt: Uint8Array, at: number): number | undefined {
  if (at < HEAD_BYTES || at + MARK_BYTES > file.length) return undefined;
  const durable = file.readBigUInt64BE(at + FRAME_BYTES + 8);
  // Any bytes may stand here: a record's, or those of a log before.
  if (durable > BigInt(at)) return undefined;
  const found = file.subarray(at, at + MARK_BYTES);
  return equalBytes(found, mark(salt, at, Number(durable))) ? Number(durable) : undefined;
}

type Scan = {
  readonly records: readonly Uint8Array[];
  /** Where the first thing stands that is not a frame of this log. */
  readonly end: number;
  /** The checksum that the next frame goes on from. */
  readonly chain: number;
};

/** Reads frames from the file's start. */
function scan(file: Buffer): Scan {
  const salt = file.subarray(MAGIC.length, SALT_END);
  const records: Uint8Array[] = [];
  let chain = crc32(salt);
  let at = HEAD_BYTES;
  while (at + FRAME_BYTES <= file.length) {
    const length = file.readUInt32BE(at + 4);
    if (length === MARK_LENGTH) {
      if (vouchedAt(file, salt, at) === undefined) break;
      chain = crc32(file.subarray(at, at + MARK_BYTES), chain);
      at += MARK_BYTES;
      continue;
    }
    const end = at + FRAME_BYTES + length;
    if (length > MAX_RECORD_BYTES || end > file.length) break;
    const sum = crc32(file.subarray(at + 4, end), chain);
    if (file.readUInt32BE(at) !== sum) break;
    records.push(file.subarray(at + FRAME_BYTES, end));
    chain = sum;
    at = end;
  }
  return { records, end: at, chain };
}

/** Whether a mark after `from` vouches for more than what comes before `from`. */
function vouchedBeyond(file: Buffer, from: number): boolean {
  const salt = file.subarray(MAGIC.length, SALT_END);
  const length = Buffer.alloc(4, 0xff);
  for (let at = file.indexOf(length, from); at !== -1; at = file.indexOf(length, at + 1)) {
    if ((vouchedAt(file, salt, at - 4) ?? 0) > from) return true;
  }
  return false;
}

/** The write-ahead log of one node. */
export class FileWal {
  readonly #path: string;
  readonly #fd: number;
  readonly #reserved: number;
  #salt: Uint8Array = new Uint8Array(SALT_BYTES);
  /** Where the next frame is written, and the checksum it goes on from once it is held. */
  #size = 0;
  #chain = 0;
  /** Bytes that are known to be durable, and the length of the file. */
  #durable = 0;
  #length = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;
  /** Whether anything came after the last mark. */
  #unsynced = true;

  private constructor(path: string, fd: number, reserved: number) {
    this.#path = path;
    this.#fd = fd;
    this.#reserved = reserved;
  }

  /**
   * Opens the log, or makes an empty one.
   *
   * @param reserved - bytes the file has at least
   * @throws LedgerError storage/7 if records are damaged that were synced; 2, 3, 5 if the disk
   *   refuses
   */
  static open(path: string, logger: Logger = SILENT, reserved: number = RESERVED_BYTES): FileWal {
    try {
      closeSync(openSync(path, 'a+'));
      const file = readFileSync(path);
      const wal = new FileWal(path, openSync(path, 'r+'), reserved);
      // The head comes last when a log is made: without one, it had no record.
      const fresh =
        file.length < HEAD_BYTES || file.subarray(0, HEAD_BYTES).every((byte) => byte === 0);
      if (!fresh) wal.#checkHead(file);
      wal.#reserve(file, fresh, logger);
      if (fresh) wal.reset();
      else wal.#read(readFileSync(path));
      return wal;
    } catch (thrown) {
      throw storageError(thrown, path);
    }
  }

  #checkHead(file: Buffer): void {
    this.#salt = file.subarray(MAGIC.length, SALT_END);
    if (equalBytes(file.subarray(0, HEAD_BYTES), head(this.#salt))) return;
    const reason = 'not the head of a log';
    throw new LedgerError(errors.WalDamaged, { path: this.#path, offset: 0, reason });
  }

  #read(file: Buffer): void {
    const path = this.#path;
    const { end, chain } = scan(file);
    if (vouchedBeyond(file, end)) {
      const reason = 'not the record that was written';
      throw new LedgerError(errors.WalDamaged, { path, offset: end, reason });
    }
    this.#size = end;
    this.#chain = chain;
  }

  /** Fills the file up to its size. */
  #reserve(file: Buffer, fresh: boolean, logger: Logger): void {
    this.#length = Math.max(file.length, this.#reserved);
    const from = fresh ? 0 : file.length;
    if (from === this.#length) return;
    if (!fresh) {
      logger.warn('the write-ahead log was cut off; whole records before that are kept', {
        path: this.#path,
        bytes: file.length,
      });
    }
    this.#put(Buffer.alloc(this.#length - from), from);
    fsyncSync(this.#fd);
    syncFolderOf(this.#path);
  }

  /** Appends one record; durable only after `sync`. */
  append(record: Uint8Array): void {
    invariant(record.length <= MAX_RECORD_BYTES, 'a record of the log is not over its bound');
    const framed = frame(this.#chain, record);
    this.#chain = framed.readUInt32BE(0);
    this.#hold(framed);
    if (this.#heldBytes >= MAX_HELD_BYTES) this.#write();
  }

  #hold(bytes: Buffer): void {
    this.#unsynced = true;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
  }

  #write(): void {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held);
    try {
      this.#put(bytes, this.#size);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#size += bytes.length;
    this.#length = Math.max(this.#length, this.#size);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #put(bytes: Uint8Array, position: number): void {
    for (let at = 0; at < bytes.length; ) {
      at += writeSync(this.#fd, bytes, at, bytes.length - at, position + at);
    }
  }

  /**
   * Makes all appended records durable; the process goes on with other work meanwhile.
   *
   * @throws LedgerError storage/3 or 5: the node must stop
   */
  async sync(): Promise<void> {
    if (!this.#unsynced) return;
    const marked = mark(this.#salt, this.#size + this.#heldBytes, this.#durable);
    this.#chain = crc32(marked, this.#chain);
    this.#hold(marked);
    this.#write();
    const size = this.#size;
    this.#unsynced = false;
    await syncData(this.#fd, this.#path);
    this.#durable = size;
  }

  /** Every whole record, in order. */
  records(): Iterable<Uint8Array> {
    this.#write();
    return scan(readFileSync(this.#path)).records;
  }

  /**
   * Drops all records. Durable when it returns: frames of the log before must not stand between
   * new ones under a head that was not written. Cost: one sync.
   */
  reset(): void {
    this.#salt = randomBytes(SALT_BYTES);
    this.#held = [];
    this.#heldBytes = 0;
    try {
      if (this.#length > this.#reserved) ftruncateSync(this.#fd, this.#reserved);
      this.#put(head(this.#salt), 0);
      fdatasyncSync(this.#fd);
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    this.#length = this.#reserved;
    this.#size = HEAD_BYTES;
    this.#durable = HEAD_BYTES;
    this.#chain = crc32(this.#salt);
    this.#unsynced = false;
  }

  /** Writes what is held and closes the file. */
  close(): void {
    this.#write();
    closeSync(this.#fd);
  }
}
