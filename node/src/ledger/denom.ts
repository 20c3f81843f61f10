/**
 * The denomination that the EVM counts in.
 *
 * @module
 */

/** The base denomination: one is a wei; 10^18 are one PHI. */
export const BASE_DENOM = 'aphi';
