/**
 * Every bound that consensus and its wire formats share, with its unit and source.
 *
 * Upholds: nothing that comes from outside is stored, queued or looped over without one of these.
 * Bounds of one part only (a queue, a cache) stand in that part's configuration or head.
 * Source: CometBFT 0.38.25 unless said otherwise.
 *
 * @module
 */
import { invariant } from './errors.ts';

/** Bytes of a block part; all but the last have exactly this size. */
export const BLOCK_PART_BYTES = 65_536;
/** Most bytes a block may ever have, whatever the parameters say: 100 MiB. */
export const MAX_BLOCK_BYTES = 104_857_600;
/** Most parts a block may have. */
export const MAX_BLOCK_PARTS: number = Math.floor(MAX_BLOCK_BYTES / BLOCK_PART_BYTES) + 1;
/** Most bytes of a chain id. */
export const MAX_CHAIN_ID_BYTES = 50;
/** Most validators in a set (votes per commit, bits per vote array). */
export const MAX_VALIDATORS = 10_000;
/** Most bytes of a validator's signature: Ed25519. */
export const MAX_SIGNATURE_BYTES = 64;
/** Most bytes of a public key on the wire: secp256k1 compressed. */
export const MAX_PUBLIC_KEY_BYTES = 33;
/** Bytes of an address, of validators and of accounts. */
export const ADDRESS_BYTES = 20;
/** Most bytes of one header, as CometBFT budgets it. */
export const MAX_HEADER_BYTES = 626;
/** Most bytes of a block's framing outside header, data, commit and evidence. */
export const MAX_BLOCK_OVERHEAD_BYTES = 11;
/** Bytes of a commit outside its signatures, and of one signature with its framing. */
export const MAX_COMMIT_OVERHEAD_BYTES = 94;
export const MAX_COMMIT_SIG_BYTES = 111;
/** Most bytes of a list of evidence in one block or message. */
export const MAX_EVIDENCE_BYTES = 1_048_576;
/** Most bytes of a consensus message (channels 0x20 to 0x23). */
export const MAX_CONSENSUS_MESSAGE_BYTES = 1_048_576;
/** Most bytes of a blocksync message: a block and its framing. */
export const MAX_BLOCKSYNC_MESSAGE_BYTES = 104_857_605;
/** Most bytes of one transaction by default (`mempool.maxTxBytes`): 1 MiB. */
export const DEFAULT_MAX_TX_BYTES = 1_048_576;
/** Rounds above the current one a single peer may open at a height. */
export const MAX_CATCHUP_ROUNDS_PER_PEER = 2;
/** Largest total voting power: MaxInt64 / 8. */
export const MAX_TOTAL_POWER = 1_152_921_504_606_846_975n;
/** Highest round: int32. */
export const MAX_ROUND = 2_147_483_647;

invariant(MAX_BLOCK_BYTES < MAX_BLOCKSYNC_MESSAGE_BYTES, 'a block fits a blocksync message');
invariant(2 * BLOCK_PART_BYTES < MAX_CONSENSUS_MESSAGE_BYTES, 'a part fits a consensus message');
