/**
 * The transactions of a benchmark, made and signed before the clock starts.
 *
 * Upholds: every transaction is a different one, and a sender's come in order of sequence; each is
 * a whole JSON-RPC frame already, so that sending one is a socket write.
 * The one place that names libsecp256k1 for signing.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import secp from 'secp256k1';
import { encodeBech32 } from '../base/bech32.ts';
import { toBase64, toHex, utf8 } from '../base/bytes.ts';
import { present } from '../base/errors.ts';
import { hash160, sha256 } from '../base/hash.ts';
import { wrapEthereumTx } from '../ledger/ethereum/wrapper.ts';
import { keccak256 } from '../ledger/keccak.ts';
import { type EthereumLoad, ethereumMaker } from './bench-ethereum.ts';
import {
  freeTerms,
  putMessage,
  type SignHash,
  signTransaction,
  type TxTerms,
} from './transaction.ts';

/** What is benchmarked. */
export type BenchApp = 'memory' | 'kvstore' | 'evm-transfer' | 'evm-erc20';

/** An account that sends. */
export type BenchSender = {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly address: string;
};

/** One request, ready to be written; its `id` is its place in the list. */
export type BenchTx = {
  readonly frame: Buffer;
  /** Upper-case hex of the transaction's hash; on an Ethereum node its own, in lower case. */
  readonly hash: string;
  readonly sender: number;
  /** Size of the transaction. */
  readonly bytes: number;
};

const sign: SignHash = (hash, secret) => secp.ecdsaSign(hash, secret).signature;

/** A random account of a benchmark. */
export function createSender(prefix: string): BenchSender {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    if (!secp.privateKeyVerify(secret)) continue;
    const publicKey = secp.publicKeyCreate(secret, true);
    return { secret, publicKey, address: encodeBech32(prefix, hash160(publicKey)) };
  }
}

function frameOf(index: number, tx: Uint8Array, sender: number): BenchTx {
  const text =
    `{"jsonrpc":"2.0","id":${index},"method":"broadcast_tx_sync",` +
    `"params":{"tx":"${toBase64(tx)}"}}`;
  const hash = toHex(sha256(tx)).toUpperCase();
  return { frame: Buffer.from(text), hash, sender, bytes: tx.length };
}

/** A frame of Ethereum's JSON-RPC. */
function ethereumFrame(index: number, raw: Uint8Array, sender: number): BenchTx {
  const text =
    `{"jsonrpc":"2.0","id":${index},"method":"eth_sendRawTransaction",` +
    `"params":["0x${toHex(raw)}"]}`;
  const hash = `0x${toHex(keccak256(raw))}`;
  return { frame: Buffer.from(text), hash, sender, bytes: raw.length };
}

/** What to make. */
export type BenchLoad = {
  readonly app: BenchApp;
  readonly chainId: string;
  /** Accounts, at the chain's account numbers 0, 1, 2 …; of a ledger. */
  readonly senders: readonly BenchSender[];
  readonly count: number;
  /** Bytes of content per write. */
  readonly size: number;
  readonly opsPerTx: number;
  /** Of an EVM app: where the transactions go, and whether to a node of Ethereum's. */
  readonly ethereum?: EthereumLoad & { readonly bare: boolean };
};

/** Content that no other write has. */
function content(index: number, operation: number, size: number): Uint8Array {
  return utf8(`${index}/${operation} `.padEnd(size, 'memory of an agent; ').slice(0, size));
}

function kvstoreTx(run: string, index: number, size: number): Uint8Array {
  const key = `${run}${index}`;
  return utf8(`${key}=${'v'.repeat(Math.max(1, size - key.length - 1))}`);
}

function signedPuts(load: BenchLoad, terms: TxTerms, index: number): BenchTx {
  const { senders, opsPerTx, size, chainId } = load;
  const at = index % senders.length;
  const sender = senders[at] as BenchSender;
  const messages = Array.from({ length: opsPerTx }, (_, operation) =>
    putMessage(sender.address, { content: content(index, operation, size) }),
  );
  const signing = {
    secret: sender.secret,
    publicKey: sender.publicKey,
    chainId,
    accountNumber: BigInt(at),
    sequence: BigInt(Math.floor(index / senders.length)),
  };
  return frameOf(index, signTransaction(messages, signing, terms, sign), at);
}

function ethereumTxs({ senders, ethereum }: BenchLoad): (index: number) => BenchTx {
  const { bare, ...to } = present(ethereum, 'where Ethereum transactions go');
  const make = ethereumMaker(senders, to);
  return (index) => {
    const at = index % senders.length;
    const raw = make(at, Math.floor(index / senders.length));
    return bare ? ethereumFrame(index, raw, at) : frameOf(index, wrapEthereumTx(raw), at);
  };
}

/** Makes the transactions of a load by index; senders take turns. */
export function txMaker(load: BenchLoad, run: string): (index: number) => BenchTx {
  const { app, senders, opsPerTx, size } = load;
  if (app.startsWith('evm-')) return ethereumTxs(load);
  if (app === 'kvstore') return (index) => frameOf(index, kvstoreTx(run, index, size), index);
  // All are of one size, so one limit of gas fits all.
  const like = putMessage(senders[0]?.address ?? '', { content: new Uint8Array(size) });
  const terms = freeTerms(Array.from({ length: opsPerTx }, () => like));
  return (index) => signedPuts(load, terms, index);
}
