/**
 * Codes by hash: what is read once in a run, and what is remembered after it.
 *
 * @module
 */
import { expect } from 'chai';
import { latin1 } from '../../../node/src/base/bytes.ts';
import { CodeStore } from '../../../node/src/ledger/evm/code.ts';
import { codeRow } from '../../../node/src/ledger/evm/records.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { Overlay } from '../../../node/src/ledger/overlay.ts';

const CODE_BYTES = 24_576;
const MANY = 300;

describe('EVM: codes', () => {
  const rows = new Map<string, Uint8Array>();
  const hashes: Uint8Array[] = [];
  before(() => {
    for (let i = 0; i < MANY; i++) {
      const code = new Uint8Array(CODE_BYTES);
      new DataView(code.buffer).setUint32(0, i);
      const hash = keccak256(code);
      hashes.push(hash);
      rows.set(latin1(codeRow(hash)), code);
    }
  });

  it('are read once in a run, however many there are, and few of them after it', () => {
    let reads = 0;
    const row = (key: Uint8Array): Uint8Array | undefined => {
      reads++;
      return rows.get(latin1(key))?.slice();
    };
    const codes = new CodeStore();
    codes.begin(new Overlay({ get: () => undefined, row }));
    const first = hashes.map((hash) => codes.get(hash));
    for (let round = 0; round < 3; round++) {
      for (const [i, hash] of hashes.entries()) expect(codes.get(hash)).to.equal(first[i]);
    }
    expect(reads).to.equal(MANY);
    codes.end();
    codes.begin(new Overlay({ get: () => undefined, row }));
    const last = Math.floor(4_194_304 / CODE_BYTES);
    for (const hash of hashes.slice(-last)) codes.get(hash);
    expect(reads).to.equal(MANY);
    codes.get(hashes[0] as Uint8Array);
    expect(reads).to.equal(MANY + 1);
  });
});
