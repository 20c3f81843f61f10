/**
 * Ethereum transactions on the wire: one form, one wrapper, one sender; everything else is refused.
 *
 * @module
 */
import { decodeTxRaw } from '@cosmjs/proto-signing';
import { expect } from 'chai';
import { Signature, Transaction, type TransactionLike } from 'ethers';
import fc from 'fast-check';
import { concatBytes, equalBytes, toHex } from '../../../node/src/base/bytes.ts';
import { attempt, LedgerError, present } from '../../../node/src/base/errors.ts';
import { secp256k1Keys } from '../../../node/src/crypto/secp256k1.ts';
import { Addresses } from '../../../node/src/ledger/addresses.ts';
import { decodeRlp, encodeRlp, type RlpItem } from '../../../node/src/ledger/ethereum/rlp.ts';
import { decodeEthereumTx } from '../../../node/src/ledger/ethereum/transaction.ts';
import { wrapEthereumTx } from '../../../node/src/ledger/ethereum/wrapper.ts';
import { decode } from '../../../node/src/ledger/executor.ts';
import type { DecodedTx } from '../../../node/src/ledger/tx/decode.ts';
import { txBodyCodec, txRawCodec } from '../../../node/src/ledger/tx/wire.ts';
import { PREFIX } from '../world.ts';
import { bytesOf, person } from './support.ts';

const addresses = new Addresses(PREFIX);
const alice = person(1);
const decodeBytes = (bytes: Uint8Array): DecodedTx => decode(bytes, addresses, secp256k1Keys);

const hexOf = (size: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => `0x${toHex(bytes)}`);
const amounts = fc.bigInt({ min: 0n, max: 2n ** 80n });
const accessList = fc.array(
  fc.record({ address: hexOf(20), storageKeys: fc.array(hexOf(32), { maxLength: 3 }) }),
  { maxLength: 3 },
);

/** Any transaction of the four types, signed by ethers. */
const signed = fc
  .record({
    type: fc.constantFrom(0, 1, 2, 4),
    chainId: fc.bigInt({ min: 1n, max: 2n ** 52n }),
    nonce: fc.nat(),
    gasLimit: fc.bigInt({ min: 0n, max: 2n ** 40n }),
    price: amounts,
    tip: amounts,
    to: fc.option(hexOf(20)),
    value: amounts,
    data: fc.uint8Array({ maxLength: 300 }).map((bytes) => `0x${toHex(bytes)}`),
    accessList,
    delegate: hexOf(20),
  })
  .map((one): Uint8Array => {
    const { type, price, tip, accessList: list, delegate, to, ...rest } = one;
    const fees =
      type < 2 ? { gasPrice: price } : { maxFeePerGas: price + tip, maxPriorityFeePerGas: tip };
    const signature = Signature.from({
      r: `0x${'11'.repeat(32)}`,
      s: `0x${'22'.repeat(32)}`,
      v: 27,
    });
    const authorization = { address: delegate, chainId: rest.chainId, nonce: 1n, signature };
    const tx: TransactionLike = {
      ...rest,
      ...fees,
      type,
      to: type === 4 ? (to ?? delegate) : to,
      ...(type > 0 && { accessList: list }),
      ...(type === 4 && { authorizationList: [authorization] }),
    };
    const made = Transaction.from(tx);
    made.signature = alice.wallet.signingKey.sign(made.unsignedHash);
    return bytesOf(made.serialized);
  });

/** The bytes, encoded again. */
function again(bytes: Uint8Array): Uint8Array {
  const at = (bytes[0] as number) < 0x80 ? 1 : 0;
  return concatBytes(bytes.subarray(0, at), encodeRlp(decodeRlp(bytes.subarray(at))));
}

function isDeclared(result: unknown): boolean {
  return result instanceof LedgerError && (result.space === 'evm' || result.space === 'sdk');
}

describe('ledger: Ethereum transactions on the wire', () => {
  it('are read as ethers wrote them, and their sender is who signed', () => {
    fc.assert(
      fc.property(signed, (raw) => {
        const theirs = Transaction.from(`0x${toHex(raw)}`);
        const { ethereum, signers, sequences } = decodeBytes(wrapEthereumTx(raw));
        const { tx, sender, run } = present(ethereum, 'Ethereum transaction');
        expect(`0x${toHex(tx.hash)}`).to.equal(theirs.hash);
        expect(toHex(sender.address)).to.equal(toHex(alice.face));
        expect(toHex(run.from)).to.equal(toHex(alice.face));
        expect(signers.map(toHex)).to.deep.equal([toHex(alice.id)]);
        expect(sequences).to.deep.equal([theirs.nonce]);
        expect([tx.type, tx.chainId, tx.gasLimit, tx.value]).to.deep.equal([
          theirs.type,
          theirs.chainId,
          theirs.gasLimit,
          theirs.value,
        ]);
        expect(tx.to === undefined ? null : `0x${toHex(tx.to)}`).to.equal(
          theirs.to?.toLowerCase() ?? null,
        );
        expect(`0x${toHex(tx.data)}`).to.equal(theirs.data);
        expect(tx.maxFeePerGas).to.equal(theirs.maxFeePerGas ?? theirs.gasPrice);
        expect(tx.accessList.length).to.equal(theirs.accessList?.length ?? 0);
      }),
      { numRuns: 60 },
    );
  });

  it('ride in a transaction that CosmJS decodes, and in no other', () => {
    fc.assert(
      fc.property(signed, fc.nat(), fc.integer({ min: 1, max: 255 }), (raw, at, by) => {
        const bytes = wrapEthereumTx(raw);
        const { body, authInfo } = decodeTxRaw(bytes);
        expect(body.messages.map(({ typeUrl }) => typeUrl)).to.deep.equal([
          '/metatron.evm.v1.MsgEthereumTx',
        ]);
        expect(authInfo.fee?.gasLimit).to.equal(decodeEthereumTx(raw).gasLimit);
        const changed = bytes.slice();
        changed[at % bytes.length] = (bytes[at % bytes.length] as number) ^ by;
        const result = attempt(() => decodeBytes(changed));
        if (isDeclared(result)) return;
        // What still decodes is another transaction, in its own wrapper.
        const other = (result as DecodedTx).ethereum;
        expect(equalBytes(other?.tx.raw ?? raw, raw)).to.equal(false);
        expect(equalBytes(wrapEthereumTx(other?.tx.raw ?? raw), changed)).to.equal(true);
      }),
      { numRuns: 300 },
    );
  });

  it('are refused in a wrapper with a memo, another fee, a signature more, a message more', () => {
    const raw = bytesOf(
      '0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a7640000' +
        '8025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276' +
        'a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    );
    // The example of EIP-155.
    const bytes = wrapEthereumTx(raw);
    const { ethereum } = decodeBytes(bytes);
    expect(toHex(ethereum?.sender.address ?? raw)).to.equal(
      '9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f',
    );
    const parts = txRawCodec.decode(bytes);
    const body = txBodyCodec.decode(parts.bodyBytes);
    const withBody = (changed: object): Uint8Array =>
      txRawCodec.encode({ ...parts, bodyBytes: txBodyCodec.encode({ ...body, ...changed }) });
    const message = present(body.messages[0], 'message');
    const others = [
      withBody({ memo: 'x' }),
      withBody({ timeoutHeight: 9n }),
      withBody({ messages: [message, message] }),
      withBody({ messages: [] }),
      withBody({ extensionOptions: [...body.extensionOptions, ...body.extensionOptions] }),
      txRawCodec.encode({ ...parts, signatures: [] }),
      txRawCodec.encode({ ...parts, signatures: [...parts.signatures, raw.slice(0, 65)] }),
      txRawCodec.encode({ ...parts, authInfoBytes: new Uint8Array(0) }),
    ];
    for (const other of others) {
      const result = attempt(() => decodeBytes(other));
      expect(result).to.be.instanceOf(LedgerError).with.property('code', 6);
    }
    const plain = withBody({ extensionOptions: [] });
    expect(attempt(() => decodeBytes(plain)))
      .to.be.instanceOf(LedgerError)
      .with.property('code', 2);
  });

  it('answer any bytes by a declared code, and what decodes has one encoding', () => {
    fc.assert(
      fc.property(signed, fc.nat(), fc.integer({ min: 0, max: 255 }), (raw, at, value) => {
        for (const bytes of [
          raw.subarray(0, at % raw.length),
          concatBytes(raw, Uint8Array.of(value)),
          raw.map((byte, i) => (i === at % raw.length ? value : byte)),
        ]) {
          const result = attempt(() => decodeEthereumTx(bytes));
          if (result instanceof LedgerError) expect(result.space).to.equal('evm');
          else expect(toHex(again(bytes))).to.equal(toHex(bytes));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('are refused as geth words it', () => {
    const refusal = (hex: string): string => {
      const result = attempt(() => decodeEthereumTx(bytesOf(hex)));
      return result instanceof LedgerError ? result.message : 'decoded';
    };
    expect(refusal('0x')).to.equal('typed transaction too short');
    expect(refusal('0x02')).to.equal('typed transaction too short');
    expect(refusal('0x03c0')).to.equal('transaction type not supported');
    expect(refusal('0xc0')).to.equal('rlp: too few elements for types.LegacyTx');
    expect(refusal('0xc1')).to.equal('rlp: element is larger than containing list');
    expect(refusal('0x02c000')).to.equal('rlp: input contains more than one value');
    expect(refusal('0xb800')).to.equal('rlp: expected input list for types.LegacyTx');
    const legacy = '0xc9808080808080xx0101';
    expect(refusal(legacy.replace('xx', '1b'))).to.match(/^only replay-protected \(EIP-155\)/);
    expect(refusal(legacy.replace('xx', '1d'))).to.equal('invalid transaction v, r, s values');
    expect(refusal(legacy.replace('xx', '00'))).to.match(/^rlp: non-canonical integer/);
  });

  it('are refused with the high s of a valid signature', () => {
    const made = Transaction.from({ chainId: 7n, nonce: 1, type: 2, gasLimit: 21_000n });
    made.signature = alice.wallet.signingKey.sign(made.unsignedHash);
    const fields = decodeRlp(bytesOf(made.serialized).subarray(1)) as RlpItem[];
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
    const s = (order - BigInt(present(made.signature, 'signature').s))
      .toString(16)
      .padStart(64, '0');
    fields[11] = bytesOf(`0x${s}`);
    fields[9] = made.signature?.yParity === 0 ? Uint8Array.of(1) : new Uint8Array(0);
    const result = attempt(() =>
      decodeEthereumTx(concatBytes(Uint8Array.of(2), encodeRlp(fields))),
    );
    expect(result).to.be.instanceOf(LedgerError).with.property('code', 4);
  });

  it('read RLP to a bounded depth', () => {
    const nested = encodeRlp([[[[[[[[[[]]]]]]]]]]);
    expect(attempt(() => decodeRlp(nested))).to.be.instanceOf(LedgerError);
    const deep = new Uint8Array(100_000).fill(0xc1);
    expect(attempt(() => decodeRlp(deep))).to.be.instanceOf(LedgerError);
  });
});
