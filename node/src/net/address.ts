/**
 * Peer addresses: the text form people configure, its parts, and which addresses may be dialed.
 *
 * Upholds: an address names the key it expects, so a wrong peer at the right place is refused.
 * Addresses that others tell are dialed only within the configured scope: nobody can make this
 * node scan a local network.
 * Spec: multiaddr, `/ip4/127.0.0.1/tcp/26656/p2p/12D3Koo…`; RFC 6890 for special ranges.
 *
 * @module
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';

/** How the host part of an address is written. */
export type HostKind = 'ip4' | 'ip6' | 'dns4' | 'dns6' | 'dns';

/** Where a peer listens. */
export type PeerAddress = {
  /** The peer's id, base58 of its key: `12D3Koo…`. */
  readonly id: string;
  readonly kind: HostKind;
  readonly host: string;
  readonly port: number;
};

/** Which addresses told by others may be dialed; configured addresses always may. */
export type AddressScope = 'public' | 'loopback' | 'any';

/** Refusals of addresses. */
export const errors: { readonly BadAddress: ErrorSpec<{ address: string; reason: string }> } = {
  BadAddress: errorSpec('net', 10, 'node', (p) => `peer address "${p.address}": ${p.reason}`),
};

const FORM =
  /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d{1,5})(?:\/p2p\/([1-9A-HJ-NP-Za-km-z]+))?$/;
const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;
/** An Ed25519 peer id in base58: an identity multihash of the protobuf key. */
const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;

function refuse(address: string, reason: string): never {
  throw new LedgerError(errors.BadAddress, { address, reason });
}

/** Whether `text` has the form of an Ed25519 peer id. */
function isPeerId(text: string): boolean {
  return PEER_ID.test(text);
}

/**
 * Parses an address to listen at, `/ip4/127.0.0.1/tcp/26656`; port 0 takes any free port.
 *
 * @throws LedgerError net/10
 */
export function parseListenAddress(text: string): Omit<PeerAddress, 'id'> {
  const match = FORM.exec(text);
  if (match === null) return refuse(text, 'expected /ip4/<address>/tcp/<port>');
  const [, kind = '', host = '', portText = '', id] = match;
  if (id !== undefined) refuse(text, 'an address to listen at has no /p2p part');
  if (kind !== 'ip4' && kind !== 'ip6') refuse(text, 'an address to listen at is an IP address');
  return { kind: hostKind(text, kind, host), host, port: portOf(text, portText, 0) };
}

/**
 * Parses the address of a peer, `/ip4/127.0.0.1/tcp/26656/p2p/12D3Koo…`.
 *
 * @throws LedgerError net/10 if a part is missing or malformed
 */
export function parsePeerAddress(text: string): PeerAddress {
  const match = FORM.exec(text);
  if (match === null) return refuse(text, 'expected /ip4/<address>/tcp/<port>/p2p/<id>');
  const [, kind = '', host = '', portText = '', id] = match;
  if (id === undefined) return refuse(text, 'the /p2p/<id> part is missing');
  if (!isPeerId(id)) refuse(text, 'the id is not that of an Ed25519 key');
  return { id, kind: hostKind(text, kind, host), host, port: portOf(text, portText, 1) };
}

function portOf(text: string, digits: string, least: number): number {
  const port = Number(digits);
  return port >= least && port <= 65_535 ? port : refuse(text, `port is not in ${least} … 65535`);
}

function hostKind(text: string, kind: string, host: string): HostKind {
  const valid =
    kind === 'ip4' ? isIPv4(host) : kind === 'ip6' ? isIPv6(host) : HOST_NAME.test(host);
  return valid ? (kind as HostKind) : refuse(text, `"${host}" is not of kind ${kind}`);
}

/** The address of an IP literal, or undefined if it is none. */
export function ipAddress(id: string, host: string, port: number): PeerAddress | undefined {
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : undefined;
  if (kind === undefined || !isPeerId(id) || !Number.isInteger(port)) return undefined;
  return port > 0 && port <= 65_535 ? { id, kind, host, port } : undefined;
}

/** The text form of an address. */
export function formatAddress(address: PeerAddress): string {
  return `/${address.kind}/${address.host}/tcp/${address.port}/p2p/${address.id}`;
}

function blockList(v4: readonly [string, number][], v6: readonly [string, number][]): BlockList {
  const list = new BlockList();
  for (const [net, bits] of v4) list.addSubnet(net, bits, 'ipv4');
  for (const [net, bits] of v6) list.addSubnet(net, bits, 'ipv6');
  return list;
}

const UNSPECIFIED = blockList([['0.0.0.0', 32]], [['::', 128]]);
const LOOPBACK = blockList([['127.0.0.0', 8]], [['::1', 128]]);
/** Ranges that are not reachable from everywhere. */
const SPECIAL = blockList(
  [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ],
  [
    ['::', 96],
    ['64:ff9b::', 96],
    ['100::', 64],
    ['2001:db8::', 32],
    ['fc00::', 7],
    ['fe80::', 10],
    ['ff00::', 8],
  ],
);

function isIn(list: BlockList, host: string): boolean {
  return list.check(host, isIPv6(host) ? 'ipv6' : 'ipv4');
}

/** Whether `host` says "any address": to be replaced by the address seen. */
export function isUnspecified(host: string): boolean {
  return isIn(UNSPECIFIED, host);
}

/** Whether an address that another node told may be dialed. */
export function inScope(address: PeerAddress, scope: AddressScope): boolean {
  if (address.kind !== 'ip4' && address.kind !== 'ip6') return false;
  if (isUnspecified(address.host)) return false;
  if (scope === 'any') return true;
  return scope === 'loopback' ? isIn(LOOPBACK, address.host) : !isIn(SPECIAL, address.host);
}
