/**
 * Peer exchange between sessions and the address book.
 *
 * Upholds: a node that knows one seed learns all peers the seed knows; nothing enters the book but
 * what a peer says of itself over an authenticated session, and answers that were asked for.
 * Spec: CometBFT p2p/pex; rules and messages are `pex.ts`.
 *
 * @module
 */
import { LedgerError } from '../base/errors.ts';
import { errors as codecErrors } from '../base/wire.ts';
import {
  type AddressScope,
  inScope,
  ipAddress,
  isUnspecified,
  type PeerAddress,
  parseListenAddress,
} from './address.ts';
import type { AddressBook } from './address-book.ts';
import { PEX_CHANNEL } from './channels.ts';
import { answerSize, believable, type PexMessage, pexCodec } from './pex.ts';
import type { Session } from './session.ts';

/** What a discovery needs. */
export type DiscoveryOptions = {
  readonly book: AddressBook;
  readonly scope: AddressScope;
  readonly seedMode: boolean;
  readonly nowMs: () => number;
  readonly random: () => number;
};

/** What a message of the exchange led to. */
export type PexOutcome =
  | { readonly kind: 'nothing' }
  /** New addresses are known. */
  | { readonly kind: 'learnt' }
  /** The peer was answered by a seed: it may go. */
  | { readonly kind: 'served' }
  | { readonly kind: 'breach'; readonly refusal: LedgerError };

/** Asks, answers and remembers. */
export class Discovery {
  readonly #options: DiscoveryOptions;

  constructor(options: DiscoveryOptions) {
    this.#options = options;
  }

  /**
   * Notes where a joined peer listens.
   *
   * @param dialed - the address that worked, if this side dialed
   */
  joined(session: Session, dialed: PeerAddress | undefined): void {
    const { book } = this.#options;
    if (dialed !== undefined) book.worked(dialed, Date.now());
    const own = this.#ownAddress(session);
    if (dialed === undefined && own !== undefined) book.hear(own, session.peer);
  }

  /** Where an inbound peer says it listens; "anywhere" means where it was seen. */
  #ownAddress(session: Session): PeerAddress | undefined {
    try {
      const { host, port } = parseListenAddress(session.info?.listenAddr ?? '');
      const seen = isUnspecified(host) ? session.remote.ip : host;
      const address = ipAddress(session.peer, seen, port);
      return address !== undefined && inScope(address, this.#options.scope) ? address : undefined;
    } catch {
      return undefined;
    }
  }

  /** Asks a peer for addresses, unless its answer is awaited. */
  ask(session: Session): void {
    if (session.isJoined && session.pex.ask()) this.#say(session, { kind: 'request', value: {} });
  }

  #say(session: Session, message: PexMessage): void {
    session.send('bulk', PEX_CHANNEL, pexCodec.encode(message));
  }

  /** Handles a message of the exchange. */
  received(session: Session, bytes: Uint8Array): PexOutcome {
    try {
      return this.#heard(session, pexCodec.decode(bytes));
    } catch (thrown) {
      if (!LedgerError.is(thrown, codecErrors.Malformed)) throw thrown;
      return { kind: 'breach', refusal: thrown };
    }
  }

  #heard(session: Session, message: PexMessage): PexOutcome {
    const { book, scope, seedMode, nowMs, random } = this.#options;
    if (message.kind === 'request') {
      const refusal = session.pex.requested(nowMs());
      if (refusal !== undefined) return { kind: 'breach', refusal };
      const addresses = book
        .sample(answerSize(book.size), session.peer, random)
        .map(({ id, host, port }) => ({ id, ip: host, port }));
      this.#say(session, { kind: 'addresses', value: { addresses } });
      return { kind: seedMode && session.direction === 'inbound' ? 'served' : 'nothing' };
    }
    const refusal = session.pex.answered();
    if (refusal !== undefined) return { kind: 'breach', refusal };
    let learnt = 0;
    for (const address of believable(message.value.addresses, scope)) {
      if (book.hear(address, session.peer)) learnt++;
    }
    return { kind: learnt > 0 ? 'learnt' : 'nothing' };
  }
}
