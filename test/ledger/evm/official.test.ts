/**
 * The official state tests of Ethereum on the module's own engine and flat state, set to Cancun.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import { EMPTY, toHex } from '../../../node/src/base/bytes.ts';
import { encodeRlp } from '../../../node/src/ledger/ethereum/rlp.ts';
import { Machine } from '../../../node/src/ledger/evm/machine.ts';
import type { EvmLog, EvmTx } from '../../../node/src/ledger/evm/types.ts';
import { faultOf } from '../../../node/src/ledger/evm/validity.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { block, FlatWorld, hex, left, ports } from './world.ts';

type Post = {
  readonly hash: string;
  readonly logs: string;
  readonly indexes: { readonly data: number; readonly gas: number; readonly value: number };
  readonly expectException?: string;
};
type Access = { readonly address: string; readonly storageKeys: readonly string[] };
type Case = {
  readonly env: Readonly<Record<string, string>>;
  readonly pre: Readonly<
    Record<
      string,
      { balance: string; nonce: string; code: string; storage: Record<string, string> }
    >
  >;
  readonly transaction: {
    readonly data: readonly string[];
    readonly gasLimit: readonly string[];
    readonly value: readonly string[];
    readonly nonce: string;
    readonly to: string;
    readonly sender: string;
    readonly gasPrice?: string;
    readonly maxFeePerGas?: string;
    readonly maxPriorityFeePerGas?: string;
    readonly accessLists?: readonly (readonly Access[] | null)[];
    readonly maxFeePerBlobGas?: string;
  };
  readonly post: { readonly Cancun: readonly Post[] };
};

const HIGH_NONCE = 'a nonce of 2^53 or more is out of reach: each costs a transaction';
const STORAGE_ALONE =
  'storage without code or nonce (EIP-7610) cannot come about: only code writes storage';
/** Files of cases that are not run, each with its reason; so are blob transactions (type 3). */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'stCreate2/CREATE2_HighNonce.json': HIGH_NONCE,
  'stCreate2/CREATE2_HighNonceDelegatecall.json': HIGH_NONCE,
  'stCreate2/CREATE2_HighNonceMinus1.json': HIGH_NONCE,
  'stCreate2/RevertInCreateInInitCreate2Paris.json': STORAGE_ALONE,
  'stCreate2/create2collisionStorageParis.json': STORAGE_ALONE,
  'stExtCodeHash/dynamicAccountOverwriteEmpty_Paris.json': STORAGE_ALONE,
  'stRevertTest/RevertInCreateInInit_Paris.json': STORAGE_ALONE,
  'stSStoreTest/InitCollisionParis.json': STORAGE_ALONE,
};

const file = new URL('../../vectors/ethereum-state/cancun.json.gz', import.meta.url);
const files = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Readonly<
  Record<string, Readonly<Record<string, Case>>>
>;

function transactionOf({ transaction: tx }: Case, { indexes }: Post): EvmTx {
  const price = tx.gasPrice ?? '0x0';
  const list = tx.accessLists?.[indexes.data] ?? [];
  return {
    from: hex(tx.sender),
    to: tx.to === '' ? undefined : hex(tx.to),
    value: BigInt(tx.value[indexes.value] ?? '0'),
    data: hex(tx.data[indexes.data] ?? ''),
    gasLimit: BigInt(tx.gasLimit[indexes.gas] ?? '0'),
    nonce: BigInt(tx.nonce),
    maxFeePerGas: BigInt(tx.maxFeePerGas ?? price),
    maxPriorityFeePerGas: BigInt(tx.maxPriorityFeePerGas ?? price),
    accessList: list.map(({ address, storageKeys }) => ({
      address: hex(address),
      slots: storageKeys.map(hex),
    })),
  };
}

function worldOf({ pre }: Case): FlatWorld {
  return new FlatWorld().begin(
    Object.entries(pre).map(([address, { balance, nonce, code, storage }]) => [
      hex(address),
      {
        balance: BigInt(balance),
        nonce: BigInt(nonce),
        code: hex(code),
        storage: Object.entries(storage).map(([slot, value]) => [left(hex(slot)), hex(value)]),
      },
    ]),
  );
}

function logsHash(logs: readonly EvmLog[]): string {
  return toHex(keccak256(encodeRlp(logs.map((l) => [l.address, [...l.topics], l.data]))));
}

describe('EVM: official state tests', () => {
  const given = ports();
  let machine: Machine;
  before(async () => {
    machine = await Machine.create(given, 'cancun');
  });

  async function run(one: Case, post: Post): Promise<void> {
    const world = worldOf(one);
    const { supply } = world;
    const tx = transactionOf(one, post);
    const { env } = one;
    const environment = block({
      height: Number(env['currentNumber']),
      time: BigInt(env['currentTimestamp'] ?? '0'),
      proposer: hex(env['currentCoinbase'] ?? ''),
      baseFee: BigInt(env['currentBaseFee'] ?? '0'),
      gasLimit: BigInt(env['currentGasLimit'] ?? '0'),
      prevRandao: left(hex(env['currentRandom'] ?? '')),
    });
    const fault = faultOf(given, world.state, environment, tx, { hardfork: 'cancun' });
    expect(fault !== undefined, fault?.text ?? 'no fault').to.equal('expectException' in post);
    const outcome =
      fault === undefined ? await machine.execute(world.state, environment, tx) : undefined;
    expect(logsHash(outcome?.logs ?? [])).to.equal(post.logs.slice(2), 'logs');
    expect(toHex(world.mptRoot())).to.equal(post.hash.slice(2), 'state root');
    expect(world.supply).to.equal(world.total(), 'supply');
    expect(world.supply <= supply).to.equal(true, 'nothing is made');
    expect(outcome?.returned ?? EMPTY).to.be.instanceOf(Uint8Array);
  }

  let ran = 0;
  async function runFile(name: string, cases: Readonly<Record<string, Case>>): Promise<string[]> {
    const failures: string[] = [];
    for (const one of Object.values(cases)) {
      if (one.transaction.maxFeePerBlobGas !== undefined) continue;
      for (const [index, post] of one.post.Cancun.entries()) {
        ran++;
        await run(one, post).catch((thrown: unknown) => {
          failures.push(`${name} ${index}: ${String(thrown).slice(0, 200)}`);
        });
      }
    }
    return failures;
  }

  const names = Object.keys(files).filter((name) => !(name in EXCEPTIONS));
  const folders = new Set(names.map((name) => name.split('/').slice(0, -1).join('/')));
  for (const folder of folders) {
    it(folder, async () => {
      const failures: string[] = [];
      for (const name of names.filter((one) => one.startsWith(`${folder}/`))) {
        failures.push(...(await runFile(name, files[name] ?? {})));
      }
      expect(failures).to.deep.equal([]);
    }).timeout(60_000);
  }

  it('is all of them but for the named exceptions', () => {
    const skipped = Object.keys(EXCEPTIONS).filter((name) => !(name in files));
    expect(skipped).to.deep.equal([]);
    expect(ran).to.equal(2_530);
  });
});
