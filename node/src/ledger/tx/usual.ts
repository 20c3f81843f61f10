/**
 * The usual transaction, read in one pass: messages and nothing else in its body, one signer with
 * public key and mode, a fee that the first signer pays.
 *
 * Upholds: what is read here is what the codecs of wire.ts read from the same bytes. Anything else,
 * malformed or only unusual, is not judged here but left to them.
 *
 * @module
 */
import { termAt } from '../../base/terms.ts';
import {
  type Any,
  type AuthInfo,
  type Coin,
  type Fee,
  MAX_COINS,
  MAX_MESSAGES,
  MAX_URL_BYTES,
  type SignerInfo,
  type TxBody,
  type TxRaw,
} from './wire.ts';

/** A transaction's three parts. */
export type Envelope = {
  readonly raw: TxRaw;
  readonly body: TxBody;
  readonly authInfo: AuthInfo;
};

const SIGNATURE_BYTES = 64;
const MAX_DENOM_BYTES = 128;
const MAX_AMOUNT_BYTES = 100;
const NONE: readonly never[] = Object.freeze([]);

/** A place in the bytes. Whatever is not as it should be is −1 or `undefined`. */
class Cursor {
  readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** A varint of at most four bytes, above 0 and in its shortest form; else −1. */
  number(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 28 && this.at < end; shift += 7) {
      const byte = this.bytes[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return byte === 0 ? -1 : value;
    }
    return -1;
  }

  /** Passes this tag and a length above 0. @returns where the field ends, at most `end`; else −1 */
  open(tag: number, end: number): number {
    if (this.at >= end || this.bytes[this.at] !== tag) return -1;
    this.at++;
    const length = this.number(end);
    return length < 0 || this.at + length > end ? -1 : this.at + length;
  }

  /** The bytes up to `end`. */
  take(end: number): Uint8Array {
    const taken = this.bytes.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  /** The text under `tag`, of at most `max` bytes. */
  text(tag: number, end: number, max: number): string | undefined {
    const to = this.open(tag, end);
    if (to < 0 || to - this.at > max) return undefined;
    const text = termAt(this.bytes, this.at, to);
    this.at = to;
    return text;
  }
}

/** The parts of a usual transaction; `undefined` if it is not one. */
export function readUsual(bytes: Uint8Array): Envelope | undefined {
  const cursor = new Cursor(bytes);
  const bodyEnd = cursor.open(0x0a, bytes.length);
  if (bodyEnd < 0) return undefined;
  const bodyAt = cursor.at;
  const messages = readMessages(cursor, bodyEnd);
  if (messages === undefined) return undefined;
  const authEnd = cursor.open(0x12, bytes.length);
  if (authEnd < 0) return undefined;
  const authAt = cursor.at;
  const authInfo = readAuthInfo(cursor, authEnd);
  if (authInfo === undefined) return undefined;
  const end = cursor.open(0x1a, bytes.length);
  if (end !== bytes.length || end - cursor.at !== SIGNATURE_BYTES) return undefined;
  return {
    raw: {
      bodyBytes: bytes.subarray(bodyAt, bodyEnd),
      authInfoBytes: bytes.subarray(authAt, authEnd),
      signatures: [cursor.take(end)],
    },
    body: {
      messages,
      memo: '',
      timeoutHeight: 0n,
      extensionOptions: NONE,
      nonCriticalExtensionOptions: NONE,
    },
    authInfo,
  };
}

function readMessages(cursor: Cursor, end: number): readonly Any[] | undefined {
  const messages: Any[] = [];
  while (cursor.at < end) {
    const to = cursor.open(0x0a, end);
    const message = to < 0 ? undefined : readAny(cursor, to);
    if (message === undefined || messages.length >= MAX_MESSAGES) return undefined;
    messages.push(message);
  }
  return messages;
}

function readAny(cursor: Cursor, end: number): Any | undefined {
  const typeUrl = cursor.text(0x0a, end, MAX_URL_BYTES);
  if (typeUrl === undefined || cursor.open(0x12, end) !== end) return undefined;
  return { typeUrl, value: cursor.take(end) };
}

function readAuthInfo(cursor: Cursor, end: number): AuthInfo | undefined {
  const signerEnd = cursor.open(0x0a, end);
  const signer = signerEnd < 0 ? undefined : readSigner(cursor, signerEnd);
  if (signer === undefined) return undefined;
  if (cursor.open(0x12, end) !== end) return undefined;
  const fee = readFee(cursor, end);
  return fee && { signerInfos: [signer], fee };
}

function readSigner(cursor: Cursor, end: number): SignerInfo | undefined {
  const keyEnd = cursor.open(0x0a, end);
  const publicKey = keyEnd < 0 ? undefined : readAny(cursor, keyEnd);
  if (publicKey === undefined) return undefined;
  const modeEnd = cursor.open(0x12, end);
  if (modeEnd < 0 || cursor.open(0x0a, modeEnd) !== modeEnd) return undefined;
  const { bytes } = cursor;
  const mode = bytes[cursor.at + 1] as number;
  const isPlain = modeEnd - cursor.at === 2 && bytes[cursor.at] === 0x08;
  if (!isPlain || mode === 0 || mode > 0x7f) return undefined;
  cursor.at = modeEnd;
  const sequence = readLast(cursor, 0x18, end);
  if (sequence < 0) return undefined;
  const modeInfo = { single: { mode }, multi: undefined };
  return { publicKey, modeInfo, sequence: BigInt(sequence) };
}

/** The number under `tag`, which the part ends with, or 0 if it ends before; else −1. */
function readLast(cursor: Cursor, tag: number, end: number): number {
  if (cursor.at === end) return 0;
  if (cursor.bytes[cursor.at++] !== tag) return -1;
  const value = cursor.number(end);
  return cursor.at === end ? value : -1;
}

function readFee(cursor: Cursor, end: number): Fee | undefined {
  let amount: readonly Coin[] = NONE;
  while (cursor.bytes[cursor.at] === 0x0a && cursor.at < end) {
    const to = cursor.open(0x0a, end);
    const coin = to < 0 ? undefined : readCoin(cursor, to);
    if (coin === undefined || amount.length >= MAX_COINS) return undefined;
    amount = [...amount, coin];
  }
  const gasLimit = readLast(cursor, 0x10, end);
  return gasLimit < 0 ? undefined : { amount, gasLimit: BigInt(gasLimit), payer: '', granter: '' };
}

function readCoin(cursor: Cursor, end: number): Coin | undefined {
  const denom = cursor.text(0x0a, end, MAX_DENOM_BYTES);
  const amount = cursor.text(0x12, end, MAX_AMOUNT_BYTES);
  return denom === undefined || amount === undefined || cursor.at !== end
    ? undefined
    : { denom, amount };
}
