/**
 * Bad transactions: a valid one spoiled in its bytes, and well-formed ones that say what is wrong.
 *
 * Upholds: the spoiled ones were valid before, which `prepare` shows; an accepted one is a failure
 * unless it then fails in its block by a declared code.
 *
 * @module
 */

import { secp256k1 } from '@noble/curves/secp256k1.js';
import { equalBytes, fromHex, toBase64 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { EntryType } from '../../node/src/gen/metatron/memory/v1/state.ts';
import {
  type Any,
  authInfoCodec,
  type Coin,
  pubKeyCodec,
  SIGN_MODE,
  signDocCodec,
  txBodyCodec,
  txRawCodec,
} from '../../node/src/ledger/tx/wire.ts';
import { createAccount, type SecretAccount } from '../../node/src/ops/accounts.ts';
import { account, committed, deliver } from '../../node/src/ops/chain-client.ts';
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { call, pick, pickText } from '../../node/src/ops/rpc-client.ts';
import {
  type PutContent,
  putMessage,
  sendMessage,
  signHash,
} from '../../node/src/ops/transaction.ts';
import type { Prng } from '../sim/prng.ts';
import type { Tally } from './bad-input-judge.ts';
import { spoil } from './bad-input-mutate.ts';

/** An account as it signs. */
type Signer = {
  readonly address: string;
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly accountNumber: bigint;
};

/** What a transaction says; what is left out is right. */
type Draft = {
  readonly messages: readonly Any[];
  readonly signer: Signer;
  readonly sequence: bigint;
  readonly chainId: string;
  readonly accountNumber?: bigint;
  readonly memo?: string;
  readonly timeoutHeight?: bigint;
  readonly extension?: Any;
  readonly gasLimit?: bigint;
  readonly fee?: readonly Coin[];
  readonly payer?: string;
  readonly granter?: string;
  readonly publicKey?: Any | undefined;
  readonly mode?: number;
  readonly signatures?: (signature: Uint8Array) => readonly Uint8Array[];
};

const GAS = 10_000_000n;

function build(draft: Draft): Uint8Array {
  const { signer, chainId } = draft;
  const bodyBytes = txBodyCodec.encode({
    messages: draft.messages,
    memo: draft.memo ?? '',
    timeoutHeight: draft.timeoutHeight ?? 0n,
    extensionOptions: draft.extension === undefined ? [] : [draft.extension],
    nonCriticalExtensionOptions: [],
  });
  const publicKey = {
    typeUrl: '/cosmos.crypto.secp256k1.PubKey',
    value: pubKeyCodec.encode({ key: signer.publicKey }),
  };
  const authInfoBytes = authInfoCodec.encode({
    signerInfos: [
      {
        publicKey: 'publicKey' in draft ? draft.publicKey : publicKey,
        modeInfo: { single: { mode: draft.mode ?? SIGN_MODE.direct }, multi: undefined },
        sequence: draft.sequence,
      },
    ],
    fee: {
      amount: draft.fee ?? [],
      gasLimit: draft.gasLimit ?? GAS,
      payer: draft.payer ?? '',
      granter: draft.granter ?? '',
    },
  });
  const accountNumber = draft.accountNumber ?? signer.accountNumber;
  const doc = signDocCodec.encode({ bodyBytes, authInfoBytes, chainId, accountNumber });
  const signature = signHash(sha256(doc), signer.secret);
  const signatures = draft.signatures?.(signature) ?? [signature];
  return txRawCodec.encode({ bodyBytes, authInfoBytes, signatures });
}

async function signerOf(rpc: string, known: SecretAccount): Promise<Signer> {
  const secret = fromHex(known.privateKey) ?? new Uint8Array(32);
  const { accountNumber } = await account(rpc, known.address);
  const publicKey = secp256k1.getPublicKey(secret, true);
  return { address: known.address, secret, publicKey, accountNumber };
}

const bytesOf = (size: number): Uint8Array => new Uint8Array(size).fill(0x61);
const times = (count: number, text: string): string[] =>
  Array.from({ length: count }, (_, i) => `${text}${i}`);

type Case = readonly [name: string, tx: Uint8Array];

/** The malleated signature: the other s, which secp256k1 takes and this chain does not. */
function highS(signature: Uint8Array): Uint8Array {
  const { r, s } = secp256k1.Signature.fromBytes(signature);
  return new secp256k1.Signature(r, secp256k1.Point.Fn.ORDER - s).toBytes();
}

/** Makes bad transactions of accounts that never get anything into a block. */
export class BadTxs {
  readonly #signer: Signer;
  readonly #other: Signer;
  /** An account whose public key no node ever saw. */
  readonly #silent: Signer;
  readonly #chainId: string;
  readonly #valid: readonly Uint8Array[];
  readonly #random: Prng;

  private constructor(signers: readonly [Signer, Signer, Signer], chainId: string, random: Prng) {
    const [signer, other, silent] = signers;
    this.#signer = signer;
    this.#other = other;
    this.#silent = silent;
    this.#chainId = chainId;
    this.#random = random;
    const coins = [{ denom: 'aphi', amount: '7' }];
    const send = sendMessage(signer.address, other.address, coins);
    const put = this.#put({ key: 'k', tags: ['a', 'b'], expectedVersion: 0n });
    this.#valid = [
      this.#draft({ messages: [put], memo: 'a memory' }),
      this.#draft({ messages: [send], fee: [{ denom: 'aphi', amount: '100' }] }),
      this.#draft({ messages: [put, send, put], timeoutHeight: 1_000_000n }),
    ];
  }

  /** The generator for a devnet. @throws Error if what is to be spoiled is not valid */
  static async prepare(net: DevnetSummary, random: Prng): Promise<BadTxs> {
    const [first, second, third] = net.accounts;
    if (first === undefined || second === undefined || third === undefined) {
      throw new Error('a devnet has three accounts');
    }
    // The genesis tells the keys of its own accounts.
    const silent = createAccount('silent', 'metatron');
    const { chainId } = net;
    const payer = await signerOf(net.rpc, third);
    const coins = [{ denom: 'aphi', amount: '9' }];
    const messages = [sendMessage(payer.address, silent.address, coins)];
    await deliver(net.rpc, build({ messages, signer: payer, chainId, sequence: 0n }));
    const signers = [
      await signerOf(net.rpc, first),
      await signerOf(net.rpc, second),
      await signerOf(net.rpc, silent),
    ] as const;
    const made = new BadTxs(signers, net.chainId, random);
    for (const tx of made.#valid) {
      const answer = await call(net.rpc, 'check_tx', { tx: toBase64(tx) });
      const code = pick(answer, 'code');
      if (code !== 0) throw new Error(`a transaction to be spoiled is refused: ${String(code)}`);
    }
    return made;
  }

  #put(put: Partial<PutContent> = {}, author: string = this.#signer.address): Any {
    return putMessage(author, { content: bytesOf(40), ...put });
  }

  #draft(more: Partial<Draft>): Uint8Array {
    const { signer, chainId } = { signer: this.#signer, chainId: this.#chainId };
    return build({ messages: [this.#put()], signer, chainId, sequence: 0n, ...more });
  }

  /** One that is valid, for those who spoil it themselves. */
  valid(): Uint8Array {
    return this.#random.pick(this.#valid);
  }

  /** One that no node may take. */
  next(): Case {
    if (this.#random.chance(0.3)) return this.#wrong();
    const tx = this.valid();
    const spoiled = spoil(tx, this.#random);
    return equalBytes(tx, spoiled) ? this.next() : ['spoiled', spoiled];
  }

  #wrong(): Case {
    const random = this.#random;
    return random.pick([
      () => this.#wrongTerms(random),
      () => this.#wrongSigner(random),
      () => this.#wrongContent(random),
      () => this.#wrongSize(random),
    ])();
  }

  #wrongTerms(random: Prng): Case {
    const huge = { denom: 'aphi', amount: '9'.repeat(random.int(25, 90)) };
    const any = { typeUrl: '/x.Option', value: random.bytes(8) };
    const coin = (denom: string, amount: string): Coin => ({ denom, amount });
    const fee = random.pick<readonly Coin[]>([
      [huge],
      [coin('nothing', '5')],
      [coin('aphi', '-5')],
      [coin('aphi', '05')],
      [coin('aphi', '')],
      [coin('', '5')],
      [coin('aphi', '1'), coin('aphi', '1')],
      [coin('z', '1'), coin('a', '1')],
      [coin('aphi', '1.5')],
      [coin('aphi', '0x10')],
    ]);
    const draft = random.pick<Partial<Draft>>([
      { sequence: BigInt(random.int(1, 1_000_000)) },
      { sequence: 2n ** 64n - 1n },
      { fee },
      { gasLimit: BigInt(random.int(0, 900)) },
      { gasLimit: 2n ** 63n },
      { extension: any },
      { memo: 'm'.repeat(random.int(257, 60_000)) },
      { timeoutHeight: 1n },
      { granter: this.#other.address },
    ]);
    return [`terms ${Object.keys(draft).join()}`, this.#draft(draft)];
  }

  #wrongSigner(random: Prng): Case {
    const key = (value: Uint8Array, typeUrl = '/cosmos.crypto.secp256k1.PubKey'): Any => ({
      typeUrl,
      value,
    });
    const draft = random.pick<Partial<Draft>>([
      { chainId: 'another-chain' },
      { accountNumber: BigInt(random.int(100, 1_000)) },
      { payer: this.#other.address },
      { payer: random.pick(['x', 'cosmos1qqqq', `${this.#signer.address}x`]) },
      { messages: [this.#put({}, this.#other.address)] },
      { messages: [this.#put(), this.#put({}, this.#other.address)] },
      { messages: [this.#put({}, 'metatron1')] },
      { signatures: () => [] },
      { signatures: (s) => [s, s] },
      { signatures: (s) => [s.subarray(0, 63)] },
      { signatures: (s) => [highS(s)] },
      { signatures: () => [new Uint8Array(64)] },
      { signatures: (s) => Array.from({ length: 100 }, () => s) },
      { mode: random.pick([0, 2, 127, 191, 2 ** 31]) },
      // The valid ones were checked, so the keys of the others may be known.
      {
        signer: this.#silent,
        messages: [this.#put({}, this.#silent.address)],
        publicKey: undefined,
      },
      { publicKey: key(pubKeyCodec.encode({ key: new Uint8Array(33) })) },
      { publicKey: key(random.bytes(20)) },
      { publicKey: key(random.bytes(34), '/cosmos.crypto.ed25519.PubKey') },
      { publicKey: key(random.bytes(34), '/cosmos.crypto.multisig.LegacyAminoPubKey') },
    ]);
    return [`signer ${Object.keys(draft).join()}`, this.#draft(draft)];
  }

  #wrongContent(random: Prng): Case {
    const { address } = this.#signer;
    const coins = (denom: string, amount: string): Any =>
      sendMessage(address, this.#other.address, [{ denom, amount }]);
    const message = random.pick<Any>([
      this.#put({ content: bytesOf(65_537) }),
      this.#put({ content: new Uint8Array(0) }),
      this.#put({ key: 'k'.repeat(2_000) }),
      this.#put({ tags: ['same', 'same'] }),
      this.#put({ tags: [''] }),
      this.#put({ tags: times(500, 't') }),
      this.#put({ tags: ['t'.repeat(5_000)] }),
      this.#put({ type: random.pick([0, 7, 99, -1]) as EntryType }),
      this.#put({ expectedVersion: 2n ** 64n - 1n, key: '' }),
      coins('aphi', '0'),
      coins('aphi', '-1'),
      coins('', '1'),
      coins('!!', '1'),
      sendMessage(address, 'nobody', [{ denom: 'aphi', amount: '1' }]),
      sendMessage(address, this.#other.address, []),
      { typeUrl: '/cosmos.gov.v1.MsgVote', value: random.bytes(10) },
      { typeUrl: '', value: random.bytes(10) },
      { typeUrl: '/metatron.memory.v1.MsgPut', value: random.bytes(30) },
    ]);
    const before = random.chance(0.5) ? [this.#put()] : [];
    return ['content', this.#draft({ messages: [...before, message] })];
  }

  #wrongSize(random: Prng): Case {
    const draft = random.pick<() => Uint8Array>([
      () => this.#draft({ messages: [] }),
      () => this.#draft({ messages: Array.from({ length: 1_001 }, () => this.#put()) }),
      () => new Uint8Array(0),
      () => random.bytes(random.int(1, 200)),
      () => new Uint8Array(1_048_577).fill(10),
      () => this.#draft({ messages: [this.#put({ content: bytesOf(1_048_000) })] }),
    ]);
    return ['size', draft()];
  }

  /** One that passes its check and must fail in its block. */
  failing(sequence: bigint): Case {
    const { address } = this.#other;
    const draft = { signer: this.#other, sequence };
    const put = this.#put({ key: `never`, expectedVersion: 9n }, address);
    const all = '9'.repeat(30);
    const send = sendMessage(address, this.#signer.address, [{ denom: 'aphi', amount: all }]);
    const foreign = { content: bytesOf(9), tags: times(3, 't') };
    return this.#random.pick<() => Case>([
      () => ['stale version', this.#draft({ ...draft, messages: [put] })],
      () => ['too little money', this.#draft({ ...draft, messages: [send] })],
      () => [
        'second fails',
        this.#draft({ ...draft, messages: [this.#put(foreign, address), put] }),
      ],
    ])();
  }

  /** Sequence of the account that pays for the failing ones. */
  async failingSequence(rpc: string): Promise<bigint> {
    return (await account(rpc, this.#other.address)).sequence;
  }
}

function judge(tally: Tally, name: string, codespace: string, code: number, log: string): void {
  if (log === '') tally.failed(`${name}: refused without a word: ${codespace}/${code}`);
  else tally.refused(`${codespace}/${code}`, `${name}: ${log}`);
}

/** Judges the answer of `broadcast_tx_sync`. @returns whether the transaction was taken */
export function judgeBroadcast(
  tally: Tally,
  name: string,
  answer: unknown,
  messageCode: (text: string) => string | undefined,
): boolean {
  const error = pick(answer, 'error');
  if (error !== undefined) {
    const text = pickText(error, 'data');
    const code = messageCode(text);
    if (code === undefined) tally.failed(`${name}: ${JSON.stringify(error).slice(0, 300)}`);
    else tally.refused(code, text);
    return false;
  }
  const result = pick(answer, 'result');
  const code = Number(pick(result, 'code'));
  if (code === 0) return true;
  judge(tally, name, pickText(result, 'codespace'), code, pickText(result, 'log'));
  return false;
}

/** Sends transactions that fail in their block, one after the other, and judges their results. */
export async function runFailing(
  txs: BadTxs,
  rpc: string,
  count: number,
  tally: Tally,
): Promise<void> {
  for (let done = 0; done < count; done++) {
    const [name, tx] = txs.failing(await txs.failingSequence(rpc));
    const answer = await call(rpc, 'broadcast_tx_commit', { tx: toBase64(tx) });
    const result = pick(answer, 'tx_result');
    const code = Number(pick(result, 'code'));
    if (code === 0) tally.failed(`${name}: succeeded in a block`);
    else judge(tally, name, pickText(result, 'codespace'), code, pickText(result, 'log'));
    await committed(rpc, sha256(tx)).catch(() => undefined);
  }
}
