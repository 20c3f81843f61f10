/**
 * Looking up words in the bloom filter of a block's logs.
 *
 * Spec: Ethereum yellow paper, section 4.3.1 (the logs bloom filter).
 *
 * @module
 */
import { getBytes, id, keccak256 } from 'ethers';
import { bloomBits } from '../eth/transactions.ts';

const WORD = 32;
const LAST_BYTE = 255;

/** Topic of `Transfer(address,address,uint256)`, of ERC-20 and ERC-721 alike. */
export const TRANSFER_TOPIC: Uint8Array = getBytes(id('Transfer(address,address,uint256)'));

/** An address as a topic has it. */
export function paddedAddress(address: Uint8Array): Uint8Array {
  const word = new Uint8Array(WORD);
  word.set(address, WORD - address.length);
  return word;
}

/** A test for a word: an address or a topic. It may be true of what the block does not have. */
export function bloomTest(word: Uint8Array): (bloom: Uint8Array) => boolean {
  const bits = bloomBits(getBytes(keccak256(word)));
  return (bloom) =>
    bits.every((bit) => ((bloom[LAST_BYTE - (bit >> 3)] ?? 0) & (1 << (bit & 7))) !== 0);
}
