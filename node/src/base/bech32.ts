/**
 * Bech32: bytes as text with a human-readable prefix and a checksum that finds typing errors.
 *
 * Upholds: one text per (prefix, bytes); decoding refuses mixed case, wrong checksums, padding that
 * is not zero and other characters. Absent here: bech32m and the 90-character limit of SegWit.
 * Spec: BIP 173.
 *
 * Pure; runs in a browser.
 *
 * @module
 */

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR: readonly number[] = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];
const VALUES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((c, i) => [c, i]));
const CHECKSUM_CHARS = 6;
/** Most characters read: no account or key text comes near. */
const MAX_CHARS = 256;

function step(checksum: number, value: number): number {
  const top = checksum >>> 25;
  let next = ((checksum & 0x1ffffff) << 5) ^ value;
  for (let i = 0; i < 5; i++) if ((top >>> i) & 1) next ^= GENERATOR[i] as number;
  return next;
}

function prefixChecksum(prefix: string): number {
  let checksum = 1;
  for (let i = 0; i < prefix.length; i++) checksum = step(checksum, prefix.charCodeAt(i) >>> 5);
  checksum = step(checksum, 0);
  for (let i = 0; i < prefix.length; i++) checksum = step(checksum, prefix.charCodeAt(i) & 31);
  return checksum;
}

/** Whether `prefix` may stand before the separator: 1 to 83 lower-case printable characters. */
export function isBech32Prefix(prefix: string): boolean {
  return /^[!-@[-`a-~]{1,83}$/.test(prefix);
}

/** The bytes under `prefix`, in lower case. Cost: about 2 µs for 20 bytes. */
export function encodeBech32(prefix: string, bytes: Uint8Array): string {
  let checksum = prefixChecksum(prefix);
  let out = `${prefix}1`;
  const push = (value: number): void => {
    checksum = step(checksum, value);
    out += ALPHABET[value];
  };
  let held = 0;
  let bits = 0;
  for (let i = 0; i < bytes.length; i++) {
    held = ((held << 8) | (bytes[i] as number)) & 0xfff;
    for (bits += 8; bits >= 5; ) {
      bits -= 5;
      push((held >>> bits) & 31);
    }
  }
  if (bits > 0) push((held << (5 - bits)) & 31);
  for (let i = 0; i < CHECKSUM_CHARS; i++) checksum = step(checksum, 0);
  checksum ^= 1;
  for (let i = 0; i < CHECKSUM_CHARS; i++) out += ALPHABET[(checksum >>> (5 * (5 - i))) & 31];
  return out;
}

/** What a bech32 text says. */
export type Bech32 = { readonly prefix: string; readonly bytes: Uint8Array };

/** Reads a bech32 text; `undefined` if it is not one. */
export function decodeBech32(text: string): Bech32 | undefined {
  const lower = text.toLowerCase();
  if (text.length > MAX_CHARS || (text !== lower && text !== text.toUpperCase())) return undefined;
  const separator = lower.lastIndexOf('1');
  if (separator < 1 || separator + 1 + CHECKSUM_CHARS > lower.length) return undefined;
  const prefix = lower.slice(0, separator);
  if (!isBech32Prefix(prefix)) return undefined;
  const data: number[] = [];
  let checksum = prefixChecksum(prefix);
  for (const char of lower.slice(separator + 1)) {
    const value = VALUES.get(char);
    if (value === undefined) return undefined;
    checksum = step(checksum, value);
    data.push(value);
  }
  if (checksum !== 1) return undefined;
  const bytes = regroup(data.slice(0, -CHECKSUM_CHARS));
  return bytes && { prefix, bytes };
}

function regroup(values: readonly number[]): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor((values.length * 5) / 8));
  let held = 0;
  let bits = 0;
  let at = 0;
  for (const value of values) {
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >>> bits) & 0xff;
    }
  }
  return bits >= 5 || (held & ((1 << bits) - 1)) !== 0 ? undefined : out;
}
