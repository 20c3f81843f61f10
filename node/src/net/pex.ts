/**
 * Peer exchange: who may ask for addresses how often, and what is believed of the answer.
 *
 * Upholds: an answer that was not asked for is a breach; so is asking again too soon (the first two
 * requests are free). Addresses outside the dialing scope never enter the book.
 * Spec: CometBFT p2p/pex, messages PexRequest and PexAddrs; the id is base58 here.
 * Pure: the time is handed in.
 *
 * @module
 */
import { type ErrorSpec, errorSpec, LedgerError } from '../base/errors.ts';
import { type Codec, list, message, text, uint, union } from '../base/proto.ts';
import { type AddressScope, inScope, ipAddress, type PeerAddress } from './address.ts';

/** Breaches of the exchange. */
export const errors: {
  readonly AskedTooSoon: ErrorSpec<{ readonly ms: number }>;
  readonly Unasked: ErrorSpec<object>;
} = {
  AskedTooSoon: errorSpec('net', 40, 'peer', (p) => `asked for addresses again after ${p.ms} ms`),
  Unasked: errorSpec('net', 41, 'peer', () => 'told addresses unasked'),
};

/** Most addresses in an answer. */
const MAX_PEX_ADDRESSES = 250;
/** Addresses in an answer: this part of the book, but at least the second number. */
const ANSWER_PERCENT = 23;
const ANSWER_AT_LEAST = 32;
/** Milliseconds for which a peer is refused after a breach of the exchange: 24 h. */
export const PEX_BAN_MS = 86_400_000;
/** Requests a peer may send at once, before the interval counts. */
const FREE_REQUESTS = 2;

/** An address on the wire. */
export type NetAddress = { readonly id: string; readonly ip: string; readonly port: number };

/** A message of the exchange. */
export type PexMessage =
  | { readonly kind: 'request'; readonly value: Readonly<Record<never, never>> }
  | { readonly kind: 'addresses'; readonly value: { readonly addresses: readonly NetAddress[] } };

const netAddressCodec: Codec<NetAddress> = message('NetAddress', {
  id: text(1, 128),
  ip: text(2, 64),
  port: uint(3, 65_535),
});

/** The exchange's messages as bytes. */
export const pexCodec: Codec<PexMessage> = union<PexMessage>('PexMessage', {
  request: [1, message<Readonly<Record<never, never>>>('PexRequest', {})],
  addresses: [
    2,
    message<{ readonly addresses: readonly NetAddress[] }>('PexAddrs', {
      addresses: list(1, netAddressCodec, MAX_PEX_ADDRESSES),
    }),
  ],
});

/** One peer's side of the exchange. */
export class PexRules {
  readonly #intervalMs: number;
  #asked = false;
  #requests = 0;
  #lastRequestMs = 0;

  /** @param intervalMs - least time between two requests of the peer */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Notes that the peer is asked; false while an answer is awaited. */
  ask(): boolean {
    if (this.#asked) return false;
    this.#asked = true;
    return true;
  }

  /** The peer asks: what is wrong with that, if anything. */
  requested(nowMs: number): LedgerError | undefined {
    this.#requests++;
    const since = nowMs - this.#lastRequestMs;
    this.#lastRequestMs = nowMs;
    if (this.#requests <= FREE_REQUESTS || since >= this.#intervalMs) return undefined;
    return new LedgerError(errors.AskedTooSoon, { ms: Math.floor(since) });
  }

  /** The peer answers: what is wrong with that, if anything. */
  answered(): LedgerError | undefined {
    if (!this.#asked) return new LedgerError(errors.Unasked, {});
    this.#asked = false;
    return undefined;
  }
}

/** How many addresses an answer carries. */
export function answerSize(bookSize: number): number {
  const share = Math.max(ANSWER_AT_LEAST, Math.floor((bookSize * ANSWER_PERCENT) / 100));
  return Math.min(bookSize, share, MAX_PEX_ADDRESSES);
}

/** The told addresses that may be dialed. */
export function believable(told: readonly NetAddress[], scope: AddressScope): PeerAddress[] {
  const out: PeerAddress[] = [];
  for (const { id, ip, port } of told) {
    const address = ipAddress(id, ip, port);
    if (address !== undefined && inScope(address, scope)) out.push(address);
  }
  return out;
}
