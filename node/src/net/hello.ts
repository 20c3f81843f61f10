/**
 * The first exchange of a connection and the other control messages.
 *
 * The dialer says hello, the other side answers with its own, the dialer opens the other streams,
 * the other side says ready. Either may say bye with the reason instead.
 *
 * Upholds: two nodes exchange messages only if chain id, genesis hash, p2p version and block
 * version agree and they share a channel. The claimed id is the key that noise authenticated.
 * Spec: CometBFT p2p.DefaultNodeInfo, to which the genesis hash is added.
 * Pure.
 *
 * @module
 */
import { equalBytes, fromUtf8, toHex } from '../base/bytes.ts';
import { type ErrorSpec, errorSpec } from '../base/errors.ts';
import { MAX_CHAIN_ID_BYTES } from '../base/limits.ts';
import { always, bytes, type Codec, message, text, uint, union } from '../base/proto.ts';

/** Why a greeting does not lead to a session. */
export const errors: {
  readonly Incompatible: ErrorSpec<{ readonly reason: string }>;
  readonly NotAdmitted: ErrorSpec<{ readonly reason: string }>;
} = {
  Incompatible: errorSpec('net', 25, 'peer', (p) => p.reason),
  NotAdmitted: errorSpec('net', 26, 'peer', (p) => p.reason),
};

/** Version of the peer protocol (CometBFT's P2PProtocol) and of blocks (BlockProtocol). */
export const P2P_VERSION = 8;
export const BLOCK_VERSION = 11;
/** Most characters of a told reason that are kept. */
const MAX_REASON_BYTES = 256;

/** What a node says about itself. */
export type NodeInfo = {
  readonly protocolVersion: { readonly p2p: number; readonly block: number; readonly app: number };
  /** Peer id, base58 of the node's key. */
  readonly id: string;
  /** `/ip4/…/tcp/…`; an unspecified host means "where you see me". */
  readonly listenAddr: string;
  readonly network: string;
  readonly version: string;
  readonly channels: Uint8Array;
  readonly moniker: string;
  readonly other: { readonly txIndex: string; readonly rpcAddress: string };
};

/** The greeting. */
export type Hello = { readonly nodeInfo: NodeInfo; readonly genesisHash: Uint8Array };

/** A control message. */
export type Control =
  | { readonly kind: 'hello'; readonly value: Hello }
  | { readonly kind: 'bye'; readonly value: { readonly reason: Uint8Array } }
  | { readonly kind: 'ping'; readonly value: { readonly stamp: number } }
  | { readonly kind: 'pong'; readonly value: { readonly stamp: number } }
  | { readonly kind: 'ready'; readonly value: Readonly<Record<never, never>> };

const nodeInfoCodec: Codec<NodeInfo> = message('NodeInfo', {
  protocolVersion: always(
    1,
    message('ProtocolVersion', { p2p: uint(1), block: uint(2), app: uint(3) }),
  ),
  id: text(2, 128),
  listenAddr: text(3, 256),
  network: text(4, MAX_CHAIN_ID_BYTES),
  version: text(5, 64),
  channels: bytes(6, 16),
  moniker: text(7, 256),
  other: always(8, message('NodeInfoOther', { txIndex: text(1, 8), rpcAddress: text(2, 256) })),
});

const stampCodec: Codec<{ readonly stamp: number }> = message('Stamp', { stamp: uint(1) });

/** Control messages as bytes. */
export const controlCodec: Codec<Control> = union<Control>('Control', {
  hello: [
    1,
    message<Hello>('Hello', { nodeInfo: always(1, nodeInfoCodec), genesisHash: bytes(2, 32) }),
  ],
  bye: [2, message<{ readonly reason: Uint8Array }>('Bye', { reason: bytes(1, MAX_REASON_BYTES) })],
  ping: [3, stampCodec],
  pong: [4, stampCodec],
  ready: [5, message<Readonly<Record<never, never>>>('Ready', {})],
});

/** A told reason as text for a log: bounded, one line, printable. */
export function readReason(reason: Uint8Array): string {
  const told = fromUtf8(reason) ?? '(not text)';
  return told.replace(/[^\x20-\x7e]/g, '?') || '(no reason)';
}

/** A reason as bytes, cut to what a peer accepts. */
export function writeReason(reason: string): Uint8Array {
  return new TextEncoder().encode(reason.replace(/[^\x20-\x7e]/g, '?')).slice(0, MAX_REASON_BYTES);
}

/**
 * Why `theirs` is refused; undefined if it agrees with `ours`.
 *
 * @param authenticatedId - the id of the key that the connection proved
 */
export function helloRefusal(
  ours: Hello,
  theirs: Hello,
  authenticatedId: string,
): string | undefined {
  const mine = ours.nodeInfo;
  const info = theirs.nodeInfo;
  if (info.id !== authenticatedId) return `node id ${info.id} is not that of the key shown`;
  if (info.network !== mine.network) {
    return `chain id is "${mine.network}" here, "${info.network}" there`;
  }
  if (!equalBytes(ours.genesisHash, theirs.genesisHash)) {
    const [here, there] = [toHex(ours.genesisHash), toHex(theirs.genesisHash)];
    return `genesis hash is ${here.slice(0, 16)} here, ${there.slice(0, 16)} there`;
  }
  const [a, b] = [mine.protocolVersion, info.protocolVersion];
  if (a.p2p !== b.p2p) return `p2p version is ${a.p2p} here, ${b.p2p} there`;
  if (a.block !== b.block) return `block version is ${a.block} here, ${b.block} there`;
  if (new Set(info.channels).size !== info.channels.length) return 'channels repeat';
  if (!info.channels.some((id) => mine.channels.includes(id))) return 'no channel in common';
  if (!/^[\x20-\x7e]*[\x21-\x7e][\x20-\x7e]*$/.test(info.moniker))
    return 'moniker is not ASCII text';
  return undefined;
}
