/**
 * Ethereum transactions in blocks: order, fees, receipts, and the same state however they are run.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import {
  QueryBaseFeeResponse,
  QueryBlockReceiptsRequest,
  QueryBlockReceiptsResponse,
  QueryBlockResponse,
  QueryReceiptRequest,
  QueryReceiptResponse,
} from '../../../node/src/gen/metatron/evm/v1/query.ts';
import type { Receipt } from '../../../node/src/gen/metatron/evm/v1/state.ts';
import { getAccount } from '../../../node/src/ledger/auth/accounts.ts';
import { getBalance, getSupply } from '../../../node/src/ledger/bank/balances.ts';
import { nextBaseFee } from '../../../node/src/ledger/ethereum/fee-market.ts';
import { wrapEthereumTx } from '../../../node/src/ledger/ethereum/wrapper.ts';
import { evmBlockGas } from '../../../node/src/ledger/gas.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { FEE_COLLECTOR } from '../../../node/src/ledger/tx/fees.ts';
import { MemoryStore } from '../memory-store.ts';
import { DENOM, World } from '../world.ts';
import {
  ask,
  carried,
  chainIdOf,
  cosmosSend,
  ethereumTx,
  fundedState,
  person,
  sumOfBalances,
} from './support.ts';

const people = [person(1), person(2), person(3)] as const;
const [alice, bob, carol] = people;
const RICH = 10n ** 20n;
const EMPTY = new Uint8Array(0);
const VALIDATOR = new Uint8Array(20).fill(9);
/** Emits one log; reverts if it is given anything. */
const RUNTIME = '366011576001600052' + '60aa60206000a1005b60006000fd';
const INIT = `0x601780600b6000396000f3${RUNTIME}`;

async function start(evm: object = {}, maxGas = 60_000_000, store = new MemoryStore()) {
  const balances = people.map(({ address }) => [address, RICH] as const);
  const world = await new World(store).start(fundedState(balances, evm), maxGas);
  await world.block();
  return { world, store, chainId: await chainIdOf(world.ledger) };
}

const balance = (world: World, id: Uint8Array): bigint => getBalance(world.store, id, DENOM);
const supply = (world: World): bigint => getSupply(world.store, DENOM);

async function receiptOf(world: World, raw: Uint8Array): Promise<Receipt> {
  const data = QueryReceiptRequest.encode({ hash: keccak256(raw) }).finish();
  const answer = await ask(world.ledger, '/metatron.evm.v1.Query/Receipt', data);
  return present(QueryReceiptResponse.decode(answer).receipt, 'receipt');
}

async function baseFees(world: World): Promise<readonly [bigint, bigint]> {
  const answer = await ask(world.ledger, '/metatron.evm.v1.Query/BaseFee', EMPTY);
  const { baseFee, nextBaseFee: next } = QueryBaseFeeResponse.decode(answer);
  return [BigInt(baseFee), BigInt(next)];
}

describe('ledger: Ethereum transactions in blocks', () => {
  it('come after native ones; another order is refused', async () => {
    const { world, chainId } = await start();
    const native = cosmosSend(alice, bob.address, 1n, { sequence: 0, number: 0 });
    const ethereum = await carried(bob, { chainId, nonce: 0, to: carol.wallet.address, value: 2n });
    expect(await world.acceptable(native, ethereum)).to.equal(true);
    expect(await world.acceptable(ethereum, native)).to.equal(false);
    expect(await world.propose([ethereum, native])).to.deep.equal([ethereum]);
    expect(await world.propose([native, ethereum, ethereum])).to.deep.equal([native, ethereum]);
    const { txResults } = await world.block(native, ethereum);
    expect(txResults.map(({ code }) => code)).to.deep.equal([0, 0]);
  });

  it('burn the base fee and pay the tip to whom genesis names for the proposer', async () => {
    const receivers = [{ validator: toHex(VALIDATOR), account: carol.address }];
    const evm = { min_base_fee: '100', base_fee: '1000', tip_receivers: receivers };
    const { world, chainId } = await start(evm);
    const before = supply(world);
    const [, baseFee] = await baseFees(world);
    const fees = { maxFeePerGas: 5_000n, maxPriorityFeePerGas: 30n };
    const to = bob.wallet.address;
    world.proposer = VALIDATOR;
    await world.block(await carried(alice, { chainId, nonce: 0, to, ...fees }));
    expect(balance(world, alice.id)).to.equal(RICH - 21_000n * (baseFee + 30n));
    expect(balance(world, carol.id)).to.equal(RICH + 21_000n * 30n);
    expect(supply(world)).to.equal(before - 21_000n * baseFee);
    // A validator without a receiver leaves the tip with the fee collector.
    world.proposer = new Uint8Array(20);
    const at = balance(world, FEE_COLLECTOR);
    await world.block(await carried(alice, { chainId, nonce: 1, to, ...fees }));
    expect(balance(world, FEE_COLLECTOR) - at).to.equal(21_000n * 30n);
    const low = await carried(alice, { chainId, nonce: 2, to, maxFeePerGas: 99n });
    const { code, log } = await world.ledger.checkTx({ tx: low, kind: 'new' });
    expect(code).to.equal(12);
    expect(log).to.match(/^max fee per gas less than block base fee: address 0x/);
  });

  it('have receipts, logs, bloom and events; a failed one keeps fee and nonce', async () => {
    const { world, chainId } = await start();
    const gasLimit = 200_000n;
    const create = await ethereumTx(alice, { chainId, nonce: 0, data: INIT, gasLimit });
    await world.block(wrapEthereumTx(create));
    const { created } = await receiptOf(world, create);
    const to = `0x${toHex(created)}`;
    const good = await ethereumTx(alice, { chainId, nonce: 1, to, gasLimit });
    const bad = await ethereumTx(alice, { chainId, nonce: 2, to, data: '0x01', gasLimit });
    const late = await ethereumTx(bob, { chainId, nonce: 0, to, gasLimit });
    const txs = [good, bad, late].map(wrapEthereumTx);
    const { txResults } = await world.block(...txs);
    expect(txResults.map(({ code, codespace, log }) => [code, codespace, log])).to.deep.equal([
      [0, '', ''],
      [21, 'evm', 'execution reverted'],
      [0, '', ''],
    ]);
    const receipts = await Promise.all([good, bad, late].map((raw) => receiptOf(world, raw)));
    expect(receipts.map((r) => [r.status, r.logs.length, r.firstLogIndex])).to.deep.equal([
      [1, 1, 0],
      [0, 0, 1],
      [1, 1, 1],
    ]);
    let sum = 0n;
    for (const receipt of receipts) {
      sum += receipt.gasUsed;
      expect(receipt.cumulativeGasUsed).to.equal(sum);
    }
    const request = QueryBlockReceiptsRequest.encode({ height: 3n }).finish();
    const all = await ask(world.ledger, '/metatron.evm.v1.Query/BlockReceipts', request);
    expect(QueryBlockReceiptsResponse.decode(all).receipts).to.deep.equal(receipts);
    const block = await ask(world.ledger, '/metatron.evm.v1.Query/Block', EMPTY);
    const summary = present(QueryBlockResponse.decode(block).summary, 'summary');
    expect([summary.txCount, summary.logCount, summary.gasUsed]).to.deep.equal([3, 2, sum]);
    // Three bits for the address, three for the topic, at most.
    const bits = [...summary.bloom].reduce(
      (n, b) => n + b.toString(2).replaceAll('0', '').length,
      0,
    );
    expect(bits).to.be.within(2, 6);
    const events = txResults[0]?.events.find(({ type }) => type === 'ethereum_tx')?.attributes;
    const hash = `0x${toHex(keccak256(good))}`;
    expect(events?.[0]).to.deep.equal({ key: 'ethereumTxHash', value: hash, index: true });
  });

  it('move the base fee as EIP-1559 says, and empty blocks leave the app hash', async () => {
    const { world, chainId, store } = await start({ base_fee: '1000000' }, 600_000);
    const fees = { maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 0n };
    const to = bob.wallet.address;
    const [, first] = await baseFees(world);
    const txs = await Promise.all(
      [0, 1, 2, 3].map((nonce) => carried(alice, { chainId, nonce, to, ...fees })),
    );
    await world.block(...txs);
    const [now, next] = await baseFees(world);
    expect(now).to.equal(first);
    expect(next)
      .to.equal(nextBaseFee(first, 84_000n, 100_000n))
      .and.to.be.above(first);
    const { appHash } = store;
    let expected = next;
    for (let i = 0; i < 5; i++) {
      await world.block();
      expect(toHex(store.appHash)).to.equal(toHex(appHash));
      const [current] = await baseFees(world);
      expect(current).to.equal(expected);
      expected = nextBaseFee(expected, 0n, 100_000n);
    }
  });

  it('count six times their gas of a block, beside native ones', async () => {
    const { world, chainId } = await start({}, 600_000);
    const to = bob.wallet.address;
    const send = (nonce: number, gasLimit: bigint) =>
      carried(alice, { chainId, nonce, to, gasLimit });
    const checked = await world.ledger.checkTx({ tx: await send(0, 40_000n), kind: 'new' });
    expect([checked.code, checked.gasWanted]).to.deep.equal([0, 240_000]);
    expect(await world.acceptable(await send(0, 100_000n))).to.equal(true);
    expect(await world.acceptable(await send(0, 100_001n))).to.equal(false);
    const [first, second] = [await send(0, 40_000n), await send(1, 60_000n)];
    expect(await world.acceptable(first, second)).to.equal(true);
    const more = await send(1, 60_001n);
    expect(await world.acceptable(first, more)).to.equal(false);
    // 200,000 of its own gas leave 400,000, which is 66,666 of the EVM's.
    const native = cosmosSend(carol, bob.address, 1n, { sequence: 0, number: 2 });
    expect(await world.acceptable(native, await send(0, 66_666n))).to.equal(true);
    expect(await world.acceptable(native, await send(0, 66_667n))).to.equal(false);
    const picked = await world.propose([first, more]);
    expect(picked.length).to.equal(1);
    const { txResults } = await world.block(first);
    expect([txResults[0]?.gasWanted, txResults[0]?.gasUsed]).to.deep.equal([40_000, 21_000]);
  });

  it('keep to the gas of an EVM block where a block has no limit', async () => {
    const { world, chainId } = await start({}, -1);
    const to = bob.wallet.address;
    const send = (nonce: number, gasLimit: bigint) =>
      carried(alice, { chainId, nonce, to, gasLimit });
    const most = BigInt(evmBlockGas(0));
    expect(await world.acceptable(await send(0, most))).to.equal(true);
    expect(await world.acceptable(await send(0, most + 1n))).to.equal(false);
    const both = [await send(0, most - 21_000n), await send(1, 21_001n)];
    expect(await world.acceptable(...both)).to.equal(false);
  });

  it('are refused as geth words it, and nothing changes', async () => {
    const { world, chainId, store } = await start();
    const to = bob.wallet.address;
    const cases: readonly (readonly [number, RegExp, Uint8Array])[] = [
      [
        5,
        /^invalid chain id for signer: have 1 want/,
        await carried(alice, { chainId: 1n, nonce: 0, to }),
      ],
      [8, /^nonce too high: address 0x/, await carried(alice, { chainId, nonce: 65, to })],
      [
        13,
        /^insufficient funds for gas \* price \+ value: address/,
        await carried(alice, { chainId, nonce: 0, to, value: RICH + 1n }),
      ],
      [
        14,
        /^intrinsic gas too low: have 20000, want 21000/,
        await carried(alice, { chainId, nonce: 0, to, gasLimit: 20_000n }),
      ],
      [
        16,
        /^exceeds block gas limit/,
        await carried(alice, { chainId, nonce: 0, to, gasLimit: 10_000_001n }),
      ],
      [
        15,
        /^insufficient gas for floor data gas cost/,
        await carried(alice, {
          chainId,
          nonce: 0,
          to,
          data: `0x${'01'.repeat(1000)}`,
          gasLimit: 40_000n,
        }),
      ],
      [
        17,
        /^max initcode size exceeded/,
        await carried(alice, {
          chainId,
          nonce: 0,
          data: `0x${'00'.repeat(49_153)}`,
          gasLimit: 9_000_000n,
        }),
      ],
    ];
    const before = store.dump();
    for (const [code, text, tx] of cases) {
      const checked = await world.ledger.checkTx({ tx, kind: 'new' });
      expect([checked.code, checked.codespace], checked.log).to.deep.equal([code, 'evm']);
      expect(checked.log).to.match(text);
      expect(await world.acceptable(tx)).to.equal(false);
      const run = await world.block(tx);
      expect([run.txResults[0]?.code, run.txResults[0]?.gasUsed]).to.deep.equal([code, 0]);
      expect(store.dump()).to.equal(before);
    }
  });
});

/** One transaction of a random block. */
const step = fc.record({
  from: fc.nat(2),
  to: fc.nat(2),
  kind: fc.constantFrom('native', 'transfer', 'create', 'call', 'face' as const),
  value: fc.bigInt({ min: 0n, max: RICH / 3n }),
  tip: fc.bigInt({ min: 0n, max: 100n }),
  skip: fc.constantFrom(0, 0, 0, 0, 1),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function txOf(one: Step, nonces: number[], chainId: bigint): Uint8Array | Promise<Uint8Array> {
  const [from, to] = [present(people[one.from], 'from'), present(people[one.to], 'to')];
  const nonce = (nonces[one.from] ?? 0) + one.skip;
  if (one.skip === 0) nonces[one.from] = nonce + 1;
  if (one.kind === 'native') {
    const terms = { sequence: nonce, number: one.from, fee: one.tip };
    return cosmosSend(from, one.skip === 0 ? to.address : to.faceAddress, one.value + 1n, terms);
  }
  const fees = { maxFeePerGas: 10n ** 6n, maxPriorityFeePerGas: one.tip };
  const terms = { chainId, nonce, ...fees, gasLimit: 120_000n };
  if (one.kind === 'create') return carried(from, { ...terms, data: INIT });
  if (one.kind === 'call')
    return carried(from, { ...terms, to: `0x${'00'.repeat(19)}04`, data: '0x0102' });
  const target = one.kind === 'face' ? `0x${toHex(to.id)}` : to.wallet.address;
  return carried(from, { ...terms, to: target, value: one.value });
}

describe('ledger: random blocks of both sides', () => {
  it('keep the supply the sum of balances, and give one state however they are run', async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 2, maxLength: 6 }), { minLength: 2, maxLength: 4 }),
        async (blocks) => {
          const evm = { base_fee: '1000', min_base_fee: '10' };
          const [judge, replay] = [await start(evm), await start(evm)];
          const nonces = [0, 0, 0];
          for (const steps of blocks) {
            const made: Uint8Array[] = [];
            for (const one of steps) made.push(await txOf(one, nonces, judge.chainId));
            const picked = await judge.world.propose(made);
            expect(await judge.world.acceptable(...picked)).to.equal(true);
            expect(await replay.world.acceptable(...[...picked].reverse(), ...made)).to.be.a(
              'boolean',
            );
            ran += picked.length;
            const results = await judge.world.block(...picked);
            // A node that crashed runs the block again, without having judged it.
            const again = await replay.world.ledger.finalizeBlock({
              ...replay.world.context(),
              txs: picked,
              decidedLastCommit: { round: 0, votes: [] },
            });
            expect(toHex(again.appHash)).to.equal(toHex(results.appHash));
            expect(again.txResults).to.deep.equal(results.txResults);
            await replay.world.block(...picked);
            expect(replay.store.dump()).to.equal(judge.store.dump());
            expect(sumOfBalances(judge.store)).to.equal(supply(judge.world));
            for (const [i, { id }] of people.entries()) {
              nonces[i] = getAccount(judge.store, id)?.sequence ?? 0;
            }
          }
        },
      ),
      { numRuns: 12 },
    );
    expect(ran).to.be.above(20);
  }).timeout(30_000);
});
