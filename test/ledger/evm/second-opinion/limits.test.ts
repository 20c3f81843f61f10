/**
 * Each reason for which a run is not compared, made on purpose; the block around it is.
 *
 * @module
 */
import { expect } from 'chai';
import { concatBytes, EMPTY } from '../../../../node/src/base/bytes.ts';
import { setBalance } from '../../../../node/src/ledger/bank/balances.ts';
import { Machine } from '../../../../node/src/ledger/evm/machine.ts';
import { codeRow } from '../../../../node/src/ledger/evm/records.ts';
import { BlockWitness } from '../../../../node/src/ledger/evm/second-opinion/block-witness.ts';
import { Mirror } from '../../../../node/src/ledger/evm/second-opinion/mirror.ts';
import type { SeenBlock } from '../../../../node/src/ledger/evm/second-opinion/port.ts';
import type { EvmBlock, EvmTx } from '../../../../node/src/ledger/evm/types.ts';
import { address, block, DENOM, FlatWorld, hex, ports, word } from '../world.ts';
import { CHAIN_ID } from './random-blocks.ts';

const [RICH, POOR, OTHER] = [address('a1'), address('a2'), address('a3')];
/** Stores its input in slot 0, and the balance of `OTHER` in slot 1. */
const [STORES, LOOKS, HASHES] = [address('c1'), address('c2'), address('c3')];
const CALLER = address('5ca11e7');
const GAS = 1_000_000n;
const DEAR: bigint = 10n ** 15n;

describe('second opinion: each limit', () => {
  const given = ports({ chainId: CHAIN_ID });
  let machine: Machine;
  let world: FlatWorld;
  let mirror: Mirror;
  let witness: BlockWitness;
  let height: number;

  before(async () => {
    machine = await Machine.create(given);
  });

  beforeEach(async () => {
    world = new FlatWorld().begin([
      [RICH, { balance: 10n ** 20n }],
      [POOR, { balance: 5n }],
      [OTHER, { balance: 10n ** 20n }],
      [STORES, { nonce: 1n, code: hex('5f355f5500') }],
      [LOOKS, { nonce: 1n, code: concatBytes(hex('73'), OTHER, hex('3160015500')) }],
      [HASHES, { nonce: 1n, code: hex('6001430340600255600354600101600355') }],
    ]);
    height = 4;
    mirror = await Mirror.open({
      chainId: CHAIN_ID,
      gasLimit: 30_000_000n,
      code: (hash) => world.state.row(codeRow(hash)) ?? EMPTY,
    });
    begin();
  });

  function begin(): void {
    witness = new BlockWitness(given, world.state);
    height++;
  }

  function at(more: Partial<EvmBlock> = {}): EvmBlock {
    return block({ height, time: BigInt(height), gasLimit: 30_000_000n, ...more });
  }

  async function send(from: Uint8Array, more: Partial<EvmTx>, env = at()): Promise<void> {
    const nonce = BigInt(world.accounts().get(Buffer.from(from).toString('hex'))?.nonce ?? 0n);
    const fees = { maxFeePerGas: env.baseFee, maxPriorityFeePerGas: 0n };
    const rest = { to: STORES, value: 0n, data: word(BigInt(height)), gasLimit: GAS };
    const tx = { from, nonce, ...fees, ...rest, accessList: [], ...more };
    const outcome = await machine.execute(world.state, env, tx, undefined, witness);
    witness.ran({ kind: 'transaction', hash: word(nonce), block: env, call: tx, outcome });
  }

  async function call(to: Uint8Array, env = at()): Promise<void> {
    const made = { from: CALLER, to, value: 0n, data: word(9n), gasLimit: GAS };
    const options = { keep: true, warm: true, gasPrice: env.baseFee, witness };
    const outcome = await machine.call(world.state, env, made, options);
    witness.ran({ kind: 'call', hash: EMPTY, block: env, call: made, outcome });
  }

  /** Ends the block, has it compared and begins another. @returns why runs were not compared */
  async function reasons(): Promise<readonly (string | undefined)[]> {
    const seen = witness.seen() as SeenBlock;
    world.settle();
    expect(await mirror.run(seen)).to.deep.equal([]);
    begin();
    return seen.runs.map(({ unmirrored }) => unmirrored);
  }

  it('blockHash, and what comes after it', async () => {
    await send(RICH, { to: HASHES });
    await send(OTHER, { to: STORES });
    await send(OTHER, { to: HASHES });
    expect(await reasons()).to.deep.equal(['blockHash', undefined, 'blockHash']);
    await send(RICH, { to: HASHES });
    await send(RICH, { to: STORES });
    expect(await reasons()).to.deep.equal(['blockHash', 'afterUnmirrored']);
    await send(RICH, { to: STORES });
    expect(await reasons()).to.deep.equal([undefined]);
  });

  it('funded', async () => {
    const priced = { maxFeePerGas: 10n, maxPriorityFeePerGas: 1n };
    await send(RICH, { to: POOR, value: DEAR, data: EMPTY });
    await send(POOR, { ...priced });
    expect(await reasons()).to.deep.equal([undefined, 'funded']);
    await send(POOR, { ...priced });
    expect(await reasons()).to.deep.equal([undefined]);
  });

  it('between', async () => {
    await call(LOOKS);
    const before = given.bank.balance(world.state, OTHER);
    setBalance(world.state, OTHER, DENOM, before, before - 3n);
    await call(LOOKS);
    expect(await reasons()).to.deep.equal([undefined, 'between']);
    await call(LOOKS);
    expect(await reasons()).to.deep.equal([undefined]);
  });

  it('between, by runs of which it is not told', async () => {
    for (const value of [5n, 9n]) {
      await call(STORES);
      witness.pause();
      const untold = { from: RICH, to: STORES, value: 0n, data: word(value), gasLimit: GAS };
      const options = { keep: true, warm: true, gasPrice: 0n };
      await machine.call(world.state, at(), untold, options);
      await call(STORES);
      const reason = value === 9n ? undefined : 'between';
      expect(await reasons(), `stored ${value}`).to.deep.equal([undefined, reason]);
      await call(STORES);
      witness.pause();
      await machine.call(world.state, at(), untold, options);
      expect(await reasons()).to.deep.equal([undefined]);
    }
  });

  it('callerFunds', async () => {
    await call(LOOKS);
    expect(await reasons()).to.deep.equal([undefined]);
    const env = at({ baseFee: 7n });
    await call(STORES, env);
    await call(LOOKS, env);
    expect(await reasons()).to.deep.equal([undefined, 'callerFunds']);
  });

  it('takenBack', async () => {
    const mark = world.state.mark();
    await call(STORES);
    world.state.revert(mark);
    witness.takenBack();
    await call(LOOKS);
    await call(STORES);
    expect(await reasons()).to.deep.equal(['takenBack', undefined, 'afterUnmirrored']);
    await call(STORES);
    expect(await reasons()).to.deep.equal([undefined]);
  });
});
