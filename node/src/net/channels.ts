/**
 * The channels of a connection: which stream carries each, and the bounds of its queue.
 *
 * Upholds: every queue and every message has a bound in bytes; votes never share a stream with
 * bulk. Priorities are CometBFT's; they weigh the channels of one stream against each other.
 * Queues are counted in bytes rather than in CometBFT's message counts, because a send here never
 * waits: a burst of one turn must fit.
 * Spec: CometBFT channel descriptors of the consensus, mempool, evidence, blocksync, pex reactors.
 * Pure.
 *
 * @module
 */
import { MAX_BLOCKSYNC_MESSAGE_BYTES, MAX_CONSENSUS_MESSAGE_BYTES } from '../base/limits.ts';
import { CHANNEL, type ChannelId } from '../types/messages.ts';

/** The streams of a connection, in the order in which the dialer opens them. */
export const STREAMS = ['votes', 'data', 'bulk'] as const;

/** One of the streams. */
export type StreamName = (typeof STREAMS)[number];

/** Peer exchange; CometBFT's channel id. */
export const PEX_CHANNEL = 0x00;
/** Greeting, farewell, pings: this network's own. */
export const CONTROL_CHANNEL = 0x01;
/** Most bytes of a control message; CometBFT's bound of a NodeInfo. */
const MAX_CONTROL_BYTES = 10_240;
/** Most bytes of a peer exchange message: 250 addresses of 256 bytes. */
const MAX_PEX_BYTES = 64_000;

/** What a channel may hold and carry. */
export type ChannelSpec = {
  readonly id: number;
  readonly stream: StreamName;
  /** Weight against the other channels of the stream. */
  readonly priority: number;
  /** Most messages waiting to be sent. */
  readonly queueMessages: number;
  /** Most bytes waiting to be sent; an empty queue takes any one message. */
  readonly queueBytes: number;
  /** Most bytes of one message, either way. */
  readonly messageBytes: number;
};

const MIB = 1_048_576;

function channel(
  id: number,
  stream: StreamName,
  priority: number,
  queueMessages: number,
  queueBytes: number,
  messageBytes: number,
): ChannelSpec {
  return { id, stream, priority, queueMessages, queueBytes, messageBytes };
}

/** Every channel; the control channel outweighs all others of its stream. */
export const CHANNELS: readonly ChannelSpec[] = [
  channel(CONTROL_CHANNEL, 'votes', 1_000_000, 64, 65_536, MAX_CONTROL_BYTES),
  channel(CHANNEL.vote, 'votes', 7, 20_000, 4 * MIB, MAX_CONSENSUS_MESSAGE_BYTES),
  channel(CHANNEL.state, 'votes', 6, 20_000, 2 * MIB, MAX_CONSENSUS_MESSAGE_BYTES),
  channel(CHANNEL.voteSetBits, 'votes', 1, 1_000, MIB, MAX_CONSENSUS_MESSAGE_BYTES),
  channel(CHANNEL.data, 'data', 10, 4_000, 16 * MIB, MAX_CONSENSUS_MESSAGE_BYTES),
  channel(CHANNEL.evidence, 'bulk', 6, 100, 2 * MIB, MAX_CONSENSUS_MESSAGE_BYTES),
  // A transaction of 1 MiB and its framing; `messageBytes` of the options follows max_tx_bytes.
  channel(CHANNEL.mempool, 'bulk', 5, 20_000, 8 * MIB, MIB + 64),
  channel(CHANNEL.blocksync, 'bulk', 5, 1_000, 16 * MIB, MAX_BLOCKSYNC_MESSAGE_BYTES),
  channel(PEX_CHANNEL, 'bulk', 1, 10, 2 * MAX_PEX_BYTES, MAX_PEX_BYTES),
];

/** Channels as a node tells them to its peers, in CometBFT's order. */
export const ADVERTISED: Uint8Array = Uint8Array.of(
  CHANNEL.blocksync,
  CHANNEL.state,
  CHANNEL.data,
  CHANNEL.vote,
  CHANNEL.voteSetBits,
  CHANNEL.mempool,
  CHANNEL.evidence,
  PEX_CHANNEL,
);

/** Message bounds that differ from the table: `mempool` follows max_tx_bytes, and so on. */
export type MessageBytes = Partial<Readonly<Record<ChannelId, number>>>;

/** The channels of one stream, heaviest first, with the bounds of `messageBytes`. */
export function channelsOf(stream: StreamName, messageBytes: MessageBytes): ChannelSpec[] {
  return CHANNELS.filter((spec) => spec.stream === stream)
    .map((spec) => ({
      ...spec,
      messageBytes: messageBytes[spec.id as ChannelId] ?? spec.messageBytes,
    }))
    .sort((a, b) => b.priority - a.priority);
}
