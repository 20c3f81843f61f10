/**
 * The network's state as numbers and names, for RPC (net_info) and Prometheus.
 *
 * @module
 */
import type { NodeInfo } from './hello.ts';
import type { Ban, Direction } from './peers.ts';
import type { Session } from './session.ts';

/** One channel of one peer. */
export type ChannelStatus = {
  readonly id: number;
  readonly priority: number;
  readonly queueMessages: number;
  readonly queueBytes: number;
  readonly queueCapacity: number;
  readonly sentBytes: number;
  readonly sentMessages: number;
  readonly receivedBytes: number;
  /** Messages not sent because the queue was full. */
  readonly refused: number;
};

/** One connected peer. */
export type PeerStatus = {
  readonly id: string;
  readonly direction: Direction;
  readonly remoteIp: string;
  readonly persistent: boolean;
  readonly info: NodeInfo;
  /** Milliseconds since the connection was made. */
  readonly ageMs: number;
  readonly rttMs: number | undefined;
  /** Bytes that arrived, framing included; messages that arrived. */
  readonly receivedBytes: number;
  readonly receivedMessages: number;
  readonly channels: readonly ChannelStatus[];
};

/** The whole network as this node sees it. */
export type NetStatus = {
  readonly id: string;
  readonly publicKey: Uint8Array;
  readonly listening: readonly string[];
  readonly info: NodeInfo;
  readonly peers: readonly PeerStatus[];
  readonly bans: readonly Ban[];
  readonly knownAddresses: number;
  /** Sessions ended since the start, and failed dials. */
  readonly ended: number;
  readonly failedDials: number;
};

/** A session that joined, as numbers and names. */
export function peerStatus(
  session: Session,
  info: NodeInfo,
  persistent: boolean,
  nowMs: number,
): PeerStatus {
  const channels = session.pipes.flatMap((pipe) =>
    pipe.queue.lanes.map((lane) => ({
      id: lane.spec.id,
      priority: lane.spec.priority,
      queueMessages: lane.messages,
      queueBytes: lane.bytes,
      queueCapacity: lane.spec.queueMessages,
      sentBytes: lane.sentBytes,
      sentMessages: lane.sentMessages,
      receivedBytes: session.receivedBytes.get(lane.spec.id) ?? 0,
      refused: lane.refused,
    })),
  );
  return {
    id: session.peer,
    direction: session.direction,
    remoteIp: session.remote.ip,
    persistent,
    info,
    ageMs: nowMs - session.openedAtMs,
    rttMs: session.rttMs,
    receivedBytes: session.pipes.reduce((sum, pipe) => sum + pipe.receivedBytes, 0),
    receivedMessages: session.receivedMessages,
    channels,
  };
}
