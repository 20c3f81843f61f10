/**
 * Taking the body of a request, up to a bound.
 *
 * Upholds: no more than the bound is ever kept. A larger body is answered with 413 as soon as that
 * is known, by the head of the request if it says so. Then the connection ends, but first the
 * client's bytes are taken and dropped for a while: a close with bytes unread would reset the
 * connection, and the client would never see the answer.
 * Spec: RFC 9110 section 15.5.14; RFC 9112 section 9.6.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a body may be, and what is said of a larger one. */
export type BodyBound = {
  readonly maxBytes: number;
  /** Body of the answer, with its type. */
  readonly refusal: { readonly text: string; readonly type: string };
};

/** How long bytes of a refused body are taken, in milliseconds. */
const LINGER_MS = 5_000;
/** How many of them, as a multiple of the bound. */
const LINGER_FACTOR = 64;

/** Reads a request's body and hands it to `done`; one above the bound is refused here. */
export function takeBody(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, refusal }: BodyBound,
  done: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  let refused = false;
  const refuse = (): void => {
    refused = true;
    chunks.length = 0;
    response.writeHead(413, {
      'content-type': refusal.type,
      'content-length': Buffer.byteLength(refusal.text),
      connection: 'close',
    });
    // The whole answer; `end` would close the connection while the client still writes.
    response.write(refusal.text);
    const timer = setTimeout(() => request.destroy(), LINGER_MS);
    response.once('close', () => clearTimeout(timer));
  };
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) refuse();
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes && !refused) refuse();
    if (!refused) chunks.push(chunk);
    else if (size > LINGER_FACTOR * maxBytes) request.destroy();
  });
  request.on('error', () => response.destroy());
  request.on('end', () => {
    if (refused) {
      response.end();
      return;
    }
    const [first] = chunks;
    done(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks));
  });
}
