/**
 * What a host is told: identity, chain, addresses, limits.
 *
 * Upholds: every limit has a unit and a default.
 *
 * @module
 */
import type { Logger } from '../base/logger.ts';
import type { ChannelId } from '../types/messages.ts';
import type { AddressScope } from './address.ts';
import type { MessageBytes } from './channels.ts';

/** What the host tells the engine. */
export type HostListener = {
  peerJoined(peer: string): void;
  peerLeft(peer: string): void;
  received(peer: string, channel: ChannelId, message: Uint8Array): void;
};

/** Delays and bounds; each has a default in `DEFAULT_LIMITS`. */
export type HostLimits = {
  /** Peers that dialed this node, and peers it dialed, persistent ones aside. */
  readonly maxInbound: number;
  readonly maxOutbound: number;
  /** Accepted connections per remote IP. */
  readonly perIpPerSecond: number;
  readonly perIpBurst: number;
  /** Accepted connections per remote IP that have not joined yet. */
  readonly perIpPending: number;
  /**
   * Milliseconds for a dial with noise's handshake, for opening a stream, and for the first
   * exchange. A machine with much else to do takes seconds for what takes an idle one 50 ms, and
   * what is given up is begun anew: a limit below that time keeps its peers apart for ever.
   */
  readonly handshakeMs: number;
  /** Milliseconds between pings, and of silence after which a peer is given up. */
  readonly pingMs: number;
  readonly pongMs: number;
  /** What one peer may send on average; twice that at once. */
  readonly maxBytesPerSecond: number;
  readonly maxMessagesPerSecond: number;
  /** Milliseconds before a peer is dialed again: first, and at most. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Milliseconds between our requests for addresses, and least between those of a peer. */
  readonly pexAskMs: number;
  readonly pexIntervalMs: number;
  /** Milliseconds for which a peer is refused after it broke the protocol. */
  readonly breachBanMs: number;
};

/** Limits of a node in operation. */
export const DEFAULT_LIMITS: HostLimits = {
  maxInbound: 40,
  maxOutbound: 10,
  perIpPerSecond: 10,
  perIpBurst: 50,
  perIpPending: 32,
  handshakeMs: 20_000,
  pingMs: 15_000,
  pongMs: 45_000,
  maxBytesPerSecond: 134_217_728,
  maxMessagesPerSecond: 100_000,
  backoffBaseMs: 250,
  backoffMaxMs: 30_000,
  pexAskMs: 30_000,
  pexIntervalMs: 10_000,
  breachBanMs: 60_000,
};

/** ChaCha20-Poly1305 (RFC 8439), in place. */
export type Aead = {
  /** Encrypts all but the last 16 bytes of `buffer`, and writes the tag into those. */
  seal(key: Uint8Array, nonce: Uint8Array, buffer: Uint8Array, ad: Uint8Array): void;
  /** The plain bytes, in the place of `sealed`; undefined if the tag is wrong. */
  open(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    ad: Uint8Array,
  ): Uint8Array | undefined;
};

/** Everything a host needs to know. */
export type HostOptions = {
  /** 32 secret bytes of the node's Ed25519 key. */
  readonly seed: Uint8Array;
  readonly chainId: string;
  readonly genesisHash: Uint8Array;
  readonly appVersion: number;
  readonly softwareVersion: string;
  readonly moniker: string;
  /** `/ip4/127.0.0.1/tcp/26656`; port 0 takes a free one. */
  readonly listen: string;
  /** `/ip4/…/tcp/…` that others are told, if it differs. */
  readonly externalAddress?: string;
  /** `/ip4/…/tcp/…/p2p/12D3Koo…` each. */
  readonly persistentPeers?: readonly string[];
  readonly seeds?: readonly string[];
  /** Whether this node only introduces peers: it answers once, then closes. */
  readonly seedMode?: boolean;
  /** File of the address book; none is kept without it. */
  readonly addressBook?: string;
  /** Which addresses told by others may be dialed; `public` by default. */
  readonly addressScope?: AddressScope;
  readonly rpcAddress?: string;
  readonly txIndex?: boolean;
  /** Bounds of messages that differ from `channels.ts`. */
  readonly messageBytes?: MessageBytes;
  readonly limits?: Partial<HostLimits>;
  readonly log: Logger;
  /** A faster cipher than noise's own; same bytes. */
  readonly aead?: Aead;
  /** Milliseconds that only grow, and a uniform number in [0, 1). */
  readonly nowMs?: () => number;
  readonly random?: () => number;
};
