/**
 * The double-sign guard's memory: what the key signed last, in a file of two slots.
 *
 * Upholds: when `save` resolves, the record is on disk; at every instant at least one slot holds a
 * whole record, since each save goes over the older of the two. A node that has stored heights
 * does not start without its guard file, and never makes one in silence.
 * Absent here: the decision whether to sign (engine/signer.ts).
 *
 * @module
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { invariant, LedgerError } from '../src/base/errors.ts';
import { type LastSigned, lastSignedCodec } from '../src/types/stored.ts';
import { errors, storageError } from './errors.ts';
import { syncData, syncFolderOf } from './files.ts';

/** A slot: CRC-32 of the rest, count of saves, length, record. One record has about 300 bytes. */
const SLOT_BYTES = 4_096;
const SLOT_HEAD_BYTES = 16;

type Slot = { readonly count: bigint; readonly record: LastSigned | undefined };

function encodeSlot({ count, record }: Slot): Uint8Array {
  const body = record === undefined ? new Uint8Array(0) : lastSignedCodec.encode(record);
  invariant(SLOT_HEAD_BYTES + body.length <= SLOT_BYTES, 'a record of the guard fits its slot');
  const out = Buffer.alloc(SLOT_HEAD_BYTES + body.length);
  out.writeBigUInt64BE(count, 4);
  out.writeUInt32BE(body.length, 12);
  out.set(body, SLOT_HEAD_BYTES);
  out.writeUInt32BE(crc32(out.subarray(4)), 0);
  return out;
}

function decodeSlot(file: Buffer, index: number): Slot | undefined {
  const slot = file.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES);
  if (slot.length < SLOT_HEAD_BYTES) return undefined;
  const end = SLOT_HEAD_BYTES + slot.readUInt32BE(12);
  if (end > slot.length || slot.readUInt32BE(0) !== crc32(slot.subarray(4, end))) return undefined;
  const record =
    end === SLOT_HEAD_BYTES
      ? undefined
      : lastSignedCodec.decode(new Uint8Array(slot.subarray(SLOT_HEAD_BYTES, end)));
  return { count: slot.readBigUInt64BE(4), record };
}

/** The guard's file. */
export class FileGuard {
  readonly #path: string;
  readonly #fd: number;
  #last: Slot;

  private constructor(path: string, fd: number, last: Slot) {
    this.#path = path;
    this.#fd = fd;
    this.#last = last;
  }

  /**
   * Opens the guard of a key.
   *
   * @param height - the highest stored block; above 0 the file must be there
   * @throws LedgerError storage/8 if it is missing, 9 if it is damaged; 2, 3, 5 if the disk refuses
   */
  static open(path: string, height: number): FileGuard {
    try {
      if (!existsSync(path)) {
        if (height > 0) throw new LedgerError(errors.GuardMissing, { path, height });
        return FileGuard.#create(path);
      }
      const file = readFileSync(path);
      const slots = [decodeSlot(file, 0), decodeSlot(file, 1)].filter((slot) => slot !== undefined);
      const [last] = slots.sort((a, b) => (a.count > b.count ? -1 : 1));
      if (last === undefined) throw new LedgerError(errors.GuardDamaged, { path });
      return new FileGuard(path, openSync(path, 'r+'), last);
    } catch (thrown) {
      throw storageError(thrown, path);
    }
  }

  static #create(path: string): FileGuard {
    const fd = openSync(path, 'wx+', 0o600);
    const first = { count: 0n, record: undefined };
    const file = Buffer.alloc(2 * SLOT_BYTES);
    file.set(encodeSlot(first));
    writeSync(fd, file, 0, file.length, 0);
    fsyncSync(fd);
    syncFolderOf(path);
    return new FileGuard(path, fd, first);
  }

  /** What the key signed last; nothing if it never did. */
  load(): LastSigned | undefined {
    return this.#last.record;
  }

  /** Durable when it resolves. @throws LedgerError storage/3 or 5: nothing may be signed */
  async save(record: LastSigned): Promise<void> {
    const next = { count: this.#last.count + 1n, record };
    const bytes = encodeSlot(next);
    try {
      const at = Number(next.count % 2n) * SLOT_BYTES;
      const written = writeSync(this.#fd, bytes, 0, bytes.length, at);
      invariant(written === bytes.length, 'a slot of the guard is written whole');
    } catch (thrown) {
      throw storageError(thrown, this.#path);
    }
    await syncData(this.#fd, this.#path);
    this.#last = next;
  }

  /** Closes the file. */
  close(): void {
    closeSync(this.#fd);
  }
}
