/**
 * WebSocket connections of a port: messages in, texts out, bounds; what is said is handed in.
 *
 * Upholds: a client that does not read is dropped with an error once its buffer is full; it never
 * slows the node. Requests of a connection are answered in order of arrival unless a method takes
 * its time.
 * Used by: websocket.ts (CometBFT's subscriptions) and eth/session.ts (Ethereum's).
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../base/logger.ts';
import type { RpcConfig } from './config.ts';
import { errors } from './errors.ts';
import { errorText } from './jsonrpc.ts';
import { errors as protocol, rpcError } from './protocol-errors.ts';

/** What one connection says. */
export type Session = {
  /** The text of the answer; empty if there is none. */
  answer(text: string): string | Promise<string>;
  /** Called when the connection is about to be dropped, and when it is over. */
  closed(): void;
};

/** How a session reaches its client. */
export type Client = { send(text: string): void };

/** What all connections of a port share. */
export type SocketOptions = {
  readonly config: RpcConfig;
  readonly logger: Logger;
  /** Takes one request from an address's allowance. */
  readonly take: (address: string) => boolean;
  readonly open: (client: Client, address: string) => Session;
};

/** One client. */
class Connection implements Client {
  readonly #socket: WebSocket;
  /** What the socket writes to. */
  readonly #stream: Duplex;
  readonly #options: SocketOptions;
  readonly #address: string;
  readonly #session: Session;
  #pending = 0;
  #alive = true;
  #corked = false;

  constructor(socket: WebSocket, stream: Duplex, address: string, options: SocketOptions) {
    this.#socket = socket;
    this.#stream = stream;
    this.#address = address;
    this.#options = options;
    this.#session = options.open(this, address);
    socket.on('message', (data, binary) => this.#received(data, binary));
    socket.on('pong', () => {
      this.#alive = true;
    });
    socket.on('error', () => socket.terminate());
    socket.on('close', () => this.#closed());
  }

  /** Pings the client; drops it if the last ping was not answered. */
  ping(): void {
    if (!this.#alive) {
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > this.#options.config.maxBufferedBytes) {
      this.#drop(errors.SlowReader.message({}));
      return;
    }
    this.#cork();
    this.#socket.send(text);
  }

  /** What is sent in one turn leaves with one call to the system. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  #drop(reason: string): void {
    this.#options.logger.warn('websocket client dropped', { address: this.#address, reason });
    this.#closed();
    if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(errorText(null, rpcError('server', reason)));
      this.#socket.close(protocol.Policy.code, reason);
    }
    // A client that does not read does not answer a close frame either.
    setTimeout(() => this.#socket.terminate(), 1_000).unref();
  }

  #received(data: RawData, binary: boolean): void {
    const { config, take } = this.#options;
    if (binary) {
      this.send(errorText(null, rpcError('request', 'binary messages are not supported')));
      return;
    }
    if (!take(this.#address)) {
      const reason = errors.TooFast.message({ rate: config.requestsPerSecond });
      this.send(errorText(null, rpcError('server', reason)));
      return;
    }
    if (this.#pending >= config.maxPending) {
      this.#drop(errors.Unanswered.message({ count: config.maxPending }));
      return;
    }
    const answer = this.#session.answer(String(data));
    if (!(answer instanceof Promise)) {
      if (answer !== '') this.send(answer);
      return;
    }
    this.#pending++;
    answer
      .then((text) => {
        if (text !== '') this.send(text);
      })
      .finally(() => {
        this.#pending--;
      })
      .catch(() => this.#socket.terminate());
  }

  #closed(): void {
    this.#session.closed();
  }

  /** Says good-bye when the server stops. */
  close(): void {
    this.#closed();
    this.#socket.close(protocol.GoingAway.code, 'the node is stopping');
    this.#socket.terminate();
  }
}

/** The WebSocket side of a port. */
export class SocketSide {
  readonly #server: WebSocketServer;
  readonly #connections: Set<Connection> = new Set();
  readonly #options: SocketOptions;
  readonly #pings: NodeJS.Timeout;

  constructor(options: SocketOptions) {
    const { maxBodyBytes: maxPayload, pingMs } = options.config;
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, maxPayload, perMessageDeflate: false });
    this.#pings = setInterval(() => {
      for (const connection of this.#connections) connection.ping();
    }, pingMs);
    this.#pings.unref();
  }

  /** Takes over a connection whose request asked for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (accepted) => {
      const address = request.socket.remoteAddress ?? '';
      const connection = new Connection(accepted, socket, address, this.#options);
      this.#connections.add(connection);
      accepted.on('close', () => this.#connections.delete(connection));
    });
  }

  /** Closes all connections. */
  close(): void {
    clearInterval(this.#pings);
    for (const connection of this.#connections) connection.close();
    this.#server.close();
  }
}
