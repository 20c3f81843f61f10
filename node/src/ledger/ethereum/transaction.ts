/**
 * Ethereum transactions from their bytes: types 0 (with EIP-155), 1, 2 and 4.
 *
 * Upholds: what decodes is canonical, is signed by whom it says (s in the lower half), and has one
 * hash; no state is read. Amounts are below 2^256, gas and nonce below 2^53.
 * Absent here: what depends on the state or the chain: nonce, funds, chain id (run.ts).
 * Spec: EIP-155, EIP-2718, EIP-2930, EIP-1559, EIP-7702. Blob transactions (type 3) are refused.
 *
 * @module
 */
import { concatBytes } from '../../base/bytes.ts';
import { wordOf } from '../evm/records.ts';
import type { EvmAccess, EvmAuthorization, EvmTx } from '../evm/types.ts';
import { keccak256 } from '../keccak.ts';
import { badEncoding, refuseEvm } from './errors.ts';
import { decodeRlp, encodeRlp, encodeRlpList, integerBytes, type RlpItem } from './rlp.ts';

/** Types that are taken. */
export type EthereumType = 0 | 1 | 2 | 4;

/** A transaction without its sender. */
export type EthereumTx = Omit<EvmTx, 'from'> & {
  /** The bytes that its sender sent. */
  readonly raw: Uint8Array;
  /** Keccak-256 of `raw`. */
  readonly hash: Uint8Array;
  readonly type: EthereumType;
  readonly chainId: bigint;
  /** What was signed: 32 bytes. */
  readonly digest: Uint8Array;
  /** r and s: 64 bytes. */
  readonly signature: Uint8Array;
  /** Parity of the signature's point. */
  readonly yParity: 0 | 1;
};

/** Order of secp256k1's group, halved: the greatest s. */
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);

const NAMES: Readonly<Record<EthereumType, string>> = {
  0: 'types.LegacyTx',
  1: 'types.AccessListTx',
  2: 'types.DynamicFeeTx',
  4: 'types.SetCodeTx',
};
/** Number of fields, the signature's three among them. */
const FIELDS: Readonly<Record<EthereumType, number>> = { 0: 9, 1: 11, 2: 12, 4: 13 };

/** The fields of a list, taken one after the other. */
class Fields {
  readonly #items: readonly RlpItem[];
  readonly #name: string;
  #at = 0;

  constructor(item: RlpItem | undefined, count: number, name: string) {
    if (item === undefined || item instanceof Uint8Array) {
      badEncoding(`rlp: expected input list for ${name}`);
    }
    if (item.length < count) badEncoding(`rlp: too few elements for ${name}`);
    if (item.length > count) badEncoding(`rlp: input list has too many elements for ${name}`);
    this.#items = item;
    this.#name = name;
  }

  next(): RlpItem {
    return this.#items[this.#at++] as RlpItem;
  }

  bytes(): Uint8Array {
    const item = this.next();
    return item instanceof Uint8Array
      ? item
      : badEncoding(`rlp: expected input string or byte in ${this.#name}`);
  }

  /** Bytes of exactly this size. */
  exactly(size: number, what: string): Uint8Array {
    const bytes = this.bytes();
    if (bytes.length === size) return bytes;
    const wrong = bytes.length < size ? 'short' : 'long';
    return badEncoding(`rlp: input string too ${wrong} for ${what}, decoding into (${this.#name})`);
  }

  /** A whole number of at most `max` bytes. */
  integer(max: number): bigint {
    const bytes = this.bytes();
    if (bytes.length > max) {
      badEncoding(`rlp: input string too long for uint${8 * max}, decoding into (${this.#name})`);
    }
    if (bytes[0] === 0) {
      badEncoding(`rlp: non-canonical integer (leading zero bytes) for (${this.#name})`);
    }
    return wordOf(bytes);
  }

  /** The receiver; a creation has none. */
  receiver(): Uint8Array | undefined {
    const item = this.next();
    if (item instanceof Uint8Array && item.length === 0) return undefined;
    this.#at--;
    return this.exactly(20, 'common.Address');
  }

  list(): readonly RlpItem[] {
    const item = this.next();
    return item instanceof Uint8Array
      ? badEncoding(`rlp: expected input list in ${this.#name}`)
      : item;
  }
}

/** Reads a transaction. @throws LedgerError of codespace `evm` */
export function decodeEthereumTx(raw: Uint8Array): EthereumTx {
  const first = raw[0];
  if (first === undefined) return badEncoding('typed transaction too short');
  if (first >= 0xc0) return readLegacy(raw);
  if (first > 0x7f) return badEncoding('rlp: expected input list for types.LegacyTx');
  if (first !== 1 && first !== 2 && first !== 4) {
    return refuseEvm('TypeNotSupported');
  }
  return readTyped(raw, first);
}

type Signed = Pick<EthereumTx, 'digest' | 'signature' | 'yParity' | 'chainId'>;

function readLegacy(raw: Uint8Array): EthereumTx {
  const item = decodeRlp(raw);
  const fields = new Fields(item, FIELDS[0], NAMES[0]);
  const nonce = readNonce(fields);
  const gasPrice = fields.integer(32);
  const body = { gasLimit: readGas(fields), ...readCall(fields) };
  const v = fields.integer(32);
  const [r, s] = [fields.integer(32), fields.integer(32)];
  if (v === 27n || v === 28n) return refuseEvm('Unprotected');
  if (v < 35n) return invalidSignature();
  const chainId = (v - 35n) >> 1n;
  const items = (item as readonly RlpItem[]).slice(0, 6);
  const unsigned = encodeRlp([...items, integerBytes(chainId), integerBytes(0n), integerBytes(0n)]);
  return finish(raw, 0, {
    ...body,
    nonce,
    maxFeePerGas: gasPrice,
    maxPriorityFeePerGas: gasPrice,
    accessList: [],
    ...signed(unsigned, chainId, (v - 35n) & 1n, r, s),
  });
}

function readTyped(raw: Uint8Array, type: 1 | 2 | 4): EthereumTx {
  if (raw.length === 1) return badEncoding('typed transaction too short');
  const item = decodeRlp(raw.subarray(1));
  const fields = new Fields(item, FIELDS[type], NAMES[type]);
  const chainId = fields.integer(32);
  const nonce = readNonce(fields);
  const maxPriorityFeePerGas = fields.integer(32);
  const maxFeePerGas = type === 1 ? maxPriorityFeePerGas : fields.integer(32);
  const gasLimit = readGas(fields);
  const call = readCall(fields);
  const accessList = fields.list().map(readAccess);
  const authorizations = type === 4 ? fields.list().map(readAuthorization) : undefined;
  const yParity = fields.integer(8);
  const [r, s] = [fields.integer(32), fields.integer(32)];
  const items = (item as readonly RlpItem[]).slice(0, FIELDS[type] - 3);
  const unsigned = concatBytes(Uint8Array.of(type), encodeRlpList(items.map(encodeRlp)));
  return finish(raw, type, {
    nonce,
    gasLimit,
    ...call,
    maxFeePerGas,
    maxPriorityFeePerGas,
    accessList,
    ...(authorizations && { authorizations }),
    ...signed(unsigned, chainId, yParity, r, s),
  });
}

function finish(
  raw: Uint8Array,
  type: EthereumType,
  rest: Omit<EthereumTx, 'raw' | 'hash' | 'type'>,
): EthereumTx {
  return { raw, hash: keccak256(raw), type, ...rest };
}

function readNonce(fields: Fields): bigint {
  const nonce = fields.integer(8);
  return nonce <= MAX_SAFE ? nonce : refuseEvm('NonceMax', `${nonce}`);
}

function readGas(fields: Fields): bigint {
  const gas = fields.integer(8);
  return gas <= MAX_SAFE ? gas : refuseEvm('GasLimit');
}

function readCall(fields: Fields): Pick<EthereumTx, 'to' | 'value' | 'data'> {
  return { to: fields.receiver(), value: fields.integer(32), data: fields.bytes() };
}

function readAccess(item: RlpItem): EvmAccess {
  const fields = new Fields(item, 2, 'types.AccessTuple');
  const address = fields.exactly(20, 'common.Address');
  const slots = fields.list().map((slot) => {
    if (slot instanceof Uint8Array && slot.length === 32) return slot;
    return badEncoding('rlp: input string of wrong size for common.Hash in (types.AccessTuple)');
  });
  return { address, slots };
}

function readAuthorization(item: RlpItem): EvmAuthorization {
  const fields = new Fields(item, 6, 'types.SetCodeAuthorization');
  return {
    chainId: fields.integer(32),
    address: fields.exactly(20, 'common.Address'),
    nonce: fields.integer(8),
    yParity: fields.integer(1),
    r: fields.integer(32),
    s: fields.integer(32),
  };
}

function signed(
  unsigned: Uint8Array,
  chainId: bigint,
  parity: bigint,
  r: bigint,
  s: bigint,
): Signed {
  if (parity > 1n || r === 0n || r >= ORDER || s === 0n || s > HALF_ORDER)
    return invalidSignature();
  const signature = new Uint8Array(64);
  const [rBytes, sBytes] = [integerBytes(r), integerBytes(s)];
  signature.set(rBytes, 32 - rBytes.length);
  signature.set(sBytes, 64 - sBytes.length);
  return { digest: keccak256(unsigned), signature, yParity: parity === 0n ? 0 : 1, chainId };
}

function invalidSignature(): never {
  return refuseEvm('InvalidSignature');
}
