/**
 * Keys as the state tree has them: seven bits per byte, the top bit always set.
 *
 * Upholds: packing keeps the order of keys of one length and of prefix-free keys; a packed key has
 * at most 127 bytes, each of at least 0x80. So inside a leaf's preimage no byte of a key can be
 * read as a length, a leaf prefix or a varint's last byte: the forgeries that ICS-23's "leaf prefix
 * only has to start with 0x00" allows have nothing to stand on. Logical keys are at most 111 bytes
 * and of fixed length by their first byte.
 * Pure; runs in a browser.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** Most bytes of a logical key. */
export const MAX_KEY_BYTES = 111;
/** Most bytes of a packed key: one byte of length in a leaf. */
export const MAX_PACKED_BYTES = 127;

/** Refusals of keys. */
export const errors: {
  readonly KeySize: ErrorSpec<{ readonly size: number }>;
} = {
  KeySize: errorSpec(
    'key',
    1,
    'client',
    (p) => `a record key has ${p.size} bytes, not 1 to ${MAX_KEY_BYTES}`,
  ),
};

/** The packed form of a logical key. @throws LedgerError key/1 if it is empty or too long */
export function packKey(key: Uint8Array): Uint8Array {
  const size = key.length;
  if (size === 0 || size > MAX_KEY_BYTES) throw new LedgerError(errors.KeySize, { size });
  const out = new Uint8Array(Math.ceil((size * 8) / 7));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < size; i++) {
    held = ((held << 8) | (key[i] as number)) & 0xffff;
    bits += 8;
    while (bits >= 7) {
      bits -= 7;
      out[at++] = 0x80 | ((held >> bits) & 0x7f);
    }
  }
  if (bits > 0) out[at] = 0x80 | ((held << (7 - bits)) & 0x7f);
  return out;
}

/** The logical key of a packed one; `undefined` if no logical key packs to these bytes. */
export function unpackKey(packed: Uint8Array): Uint8Array | undefined {
  const size = Math.floor((packed.length * 7) / 8);
  if (size === 0 || packed.length > MAX_PACKED_BYTES) return undefined;
  if (packed.length !== Math.ceil((size * 8) / 7)) return undefined;
  const out = new Uint8Array(size);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const byte of packed) {
    if (byte < 0x80) return undefined;
    held = ((held << 7) | (byte & 0x7f)) & 0xffff;
    bits += 7;
    if (bits < 8) continue;
    bits -= 8;
    out[at++] = (held >> bits) & 0xff;
  }
  const padding = held & ((1 << bits) - 1);
  return padding === 0 && at === size ? out : undefined;
}
