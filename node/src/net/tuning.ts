/**
 * Two habits of the installed js-libp2p that cost a third of a node's network time, taken off.
 *
 * Upholds: the bytes on the wire stay yamux's and noise's; only how often something is sent, and
 * how "not enough bytes yet" is said within a process. Each touches a field that the library does
 * not declare, so each looks first whether the field is what it expects and else does nothing;
 * `test/net/tuning.test.ts` fails if a new version no longer has it.
 *
 * @module
 */
import type { MessageStream, Stream } from '@libp2p/interface';

/** A length that no noise message has, below the decoder's own bound: "wait for more". */
const MORE_BYTES = 65_536;

function method(target: object, name: string): ((...args: unknown[]) => unknown) | undefined {
  const value: unknown = Reflect.get(target, name);
  return typeof value === 'function' ? value.bind(target) : undefined;
}

/**
 * Yamux answers every data frame with a window update, so each message costs one back. Here an
 * update goes out once half of the window is used up, as yamux's own specification suggests.
 *
 * @returns whether the stream is tuned
 */
export function updateWindowAtHalf(stream: Stream): boolean {
  const update = method(stream, 'sendWindowUpdate');
  if (update === undefined) return false;
  const window = (): number => Number(Reflect.get(stream, 'recvWindow'));
  const left = (): number => Number(Reflect.get(stream, 'recvWindowCapacity'));
  if (!(window() > 0) || !(left() >= 0)) return false;
  return Reflect.set(stream, 'sendWindowUpdate', () => {
    if (2 * left() <= window()) update();
  });
}

/**
 * Noise's decoder learns from an exception that a chunk is used up: once per chunk, with a stack
 * trace each. Here it learns from a length that cannot be there yet.
 *
 * @returns whether the connection is tuned
 */
export function decodeWithoutThrowing(connection: MessageStream): boolean {
  const decoder: unknown = Reflect.get(connection, 'decoder');
  if (typeof decoder !== 'object' || decoder === null) return false;
  const lengthOf = method(decoder, 'lengthDecoder');
  if (lengthOf === undefined || !(Number(Reflect.get(decoder, 'maxDataLength')) >= MORE_BYTES)) {
    return false;
  }
  return Reflect.set(decoder, 'lengthDecoder', (data: Uint8Array) =>
    data.length < 2 ? MORE_BYTES : lengthOf(data),
  );
}
