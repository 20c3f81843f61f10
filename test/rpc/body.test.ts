/**
 * Bodies of requests: the bound is told before more is read, and the answer arrives.
 *
 * @module
 */
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { takeBody } from '../../node/src/rpc/body.ts';

const MAX_BYTES = 1_000;
const REFUSAL = '{"error":"too large"}';

describe('the body of a request', () => {
  let server: Server;
  let port = 0;
  let taken: number[] = [];

  before(async () => {
    const bound = { maxBytes: MAX_BYTES, refusal: { text: REFUSAL, type: 'application/json' } };
    server = createServer((request, response) =>
      takeBody(request, response, bound, (body) => {
        taken.push(body.length);
        response.end('taken');
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    taken = [];
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  /** A connection, and what came on it by the time `wanted` was there or it ended. */
  function open(): { readonly socket: Socket; text(wanted?: string): Promise<string> } {
    const socket = connect(port, '127.0.0.1');
    let all = '';
    socket.on('data', (chunk) => {
      all += String(chunk);
    });
    const text = (wanted?: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (wanted !== undefined && all.includes(wanted)) resolve(all);
        };
        socket.on('data', look);
        socket.once('error', reject);
        socket.once('close', () => resolve(all));
        look();
      });
    return { socket, text };
  }
  const head = (more: string): string => `POST / HTTP/1.1\r\nhost: localhost\r\n${more}\r\n\r\n`;

  it('is handed on up to the bound', async () => {
    const url = `http://127.0.0.1:${port}`;
    for (const size of [0, 1, MAX_BYTES]) {
      const answer = await fetch(url, { method: 'POST', body: 'x'.repeat(size) });
      expect([answer.status, await answer.text()]).to.deep.equal([200, 'taken']);
    }
    expect(taken).to.deep.equal([0, 1, MAX_BYTES]);
  });

  it('is refused by its stated length, before any of it came', async () => {
    const { socket, text } = open();
    socket.write(head(`content-length: ${MAX_BYTES + 1}`));
    const answer = await text(REFUSAL);
    expect(answer)
      .to.match(/^HTTP\/1\.1 413 /)
      .and.to.match(/connection: close/i);
    socket.destroy();
  });

  it('is refused without a stated length as soon as it is above the bound', async () => {
    const { socket, text } = open();
    socket.write(head('transfer-encoding: chunked'));
    socket.write(`${(MAX_BYTES + 1).toString(16)}\r\n${'x'.repeat(MAX_BYTES + 1)}\r\n`);
    expect(await text(REFUSAL)).to.match(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('answers a client that reads only after it has written all, and then closes', async () => {
    const { socket, text } = open();
    socket.pause();
    const size = 50 * MAX_BYTES;
    socket.write(head(`content-length: ${size}`));
    await new Promise<void>((resolve) => socket.write('x'.repeat(size), () => resolve()));
    const answer = text();
    socket.resume();
    expect(await answer).to.contain(REFUSAL);
    expect(taken).to.deep.equal([]);
  });

  it('cuts a flood off', async () => {
    const { socket, text } = open();
    socket.on('error', () => undefined);
    const size = 1_000 * MAX_BYTES;
    socket.write(head(`content-length: ${size}`));
    socket.write('x'.repeat(size - 1));
    await text().catch(() => undefined);
    expect(socket.destroyed).to.equal(true);
  });
});
