/**
 * Calls that are asked for and not sent: overrides, reasons, estimates, access lists, traces,
 * bounds.
 *
 * @module
 */
import { expect } from 'chai';
import { AbiCoder, zeroPadValue } from 'ethers';
import { PLACES, SYSTEM_CALLER } from '../../node/src/gen/contracts/system.ts';
import type { EthNet, RawAnswer } from './eth-net.ts';

const A = `0x${'aa'.repeat(20)}`;
const B = `0x${'bb'.repeat(20)}`;
/** Returns the word in slot 0. */
const READ_SLOT = '0x5f545f5260205ff3';
/** Returns NUMBER, TIMESTAMP and BASEFEE. */
const READ_BLOCK = '0x435f52426020524860405260605ff3';
/** Calls B with no data and returns what it returns. */
const CALL_B = `0x60205f5f5f5f73${'bb'.repeat(20)}5af1503d5f5f3e3d5ff3`;
/** Goes round for ever. */
const LOOP = '0x5b5f56';

/** Code that reverts with this data. */
function reverting(data: string): string {
  const bytes = (data.length - 2) / 2;
  const size = bytes.toString(16).padStart(4, '0');
  // CODECOPY of what follows the 13 bytes of code.
  return `0x61${size}600d5f3961${size}5ffd00${data.slice(2)}`;
}

function word(value: bigint | number): string {
  return zeroPadValue(`0x${BigInt(value).toString(16).padStart(2, '0')}`, 32);
}

type Tree = {
  readonly type: string;
  readonly from: string;
  readonly to?: string;
  readonly output?: string;
  readonly error?: string;
  readonly calls?: readonly Tree[];
};

/** The tests. */
export function callTests(net: EthNet): void {
  it('replaces state and block for one call', async () => {
    const code = { [A]: { code: READ_SLOT, stateDiff: { [word(0)]: word(77) } } };
    expect(await net.result('eth_call', { to: A }, 'latest', code)).to.equal(word(77));
    const whole = { [A]: { code: READ_SLOT, state: { [word(1)]: word(5) } } };
    expect(await net.result('eth_call', { to: A }, 'latest', whole)).to.equal(word(0));
    const block = { number: '0x2a', time: '0x2b', baseFeePerGas: '0x2c' };
    const seen = await net.result<string>(
      'eth_call',
      { to: A, gasPrice: '0x2d', gas: '0x186a0', from: net.account(0).evmAddress },
      'latest',
      { [A]: { code: READ_BLOCK } },
      block,
    );
    expect(seen).to.equal(`${word(0x2a)}${word(0x2b).slice(2)}${word(0x2c).slice(2)}`);
    const rich = { [A]: { balance: '0x64' } };
    const paid = { from: A, to: B, value: '0x64' };
    expect(await net.result('eth_estimateGas', paid, 'latest', rich)).to.equal('0x5208');
    const { error } = await net.raw('eth_estimateGas', paid);
    expect(error?.code).to.equal(-32_000);
    expect(error?.message).to.match(/^insufficient funds/);
  });

  it('lets nobody speak as the system caller', async () => {
    const from = SYSTEM_CALLER;
    const calls = [
      { from, to: PLACES[2], data: '0x12345678' },
      { from, to: A },
      { from, data: '0x' },
    ];
    const error = { code: -32_000, message: 'the system caller sends no transactions' };
    for (const call of calls) {
      for (const method of ['eth_call', 'eth_estimateGas', 'eth_createAccessList']) {
        expect((await net.raw(method, call)).error, method).to.deep.equal(error);
      }
      const traced = await net.raw('debug_traceCall', call, 'latest', { tracer: 'callTracer' });
      expect(traced.error).to.deep.equal(error);
      const rich = { [from]: { balance: '0xffffff' } };
      expect((await net.raw('eth_call', call, 'latest', rich)).error).to.deep.equal(error);
    }
  });

  it('recovers keys', async () => {
    const wallet = net.wallet(0);
    const digest = `0x${'5a'.repeat(32)}`;
    const { r, s, v } = wallet.signingKey.sign(digest);
    const input = `${digest}${word(v).slice(2)}${r.slice(2)}${s.slice(2)}`;
    const to = `0x${'00'.repeat(19)}01`;
    const found = await net.result('eth_call', { to, data: input });
    expect(found).to.equal(zeroPadValue(wallet.address.toLowerCase(), 32));
  });

  it('answers a revert with code 3, its data and its reason', async () => {
    const abi = AbiCoder.defaultAbiCoder();
    const text = `0x08c379a0${abi.encode(['string'], ['no way']).slice(2)}`;
    const panic = `0x4e487b71${abi.encode(['uint256'], [0x11]).slice(2)}`;
    const cases: readonly (readonly [data: string, message: string])[] = [
      [text, 'execution reverted: no way'],
      [panic, 'execution reverted: arithmetic underflow or overflow'],
      ['0x12345678', 'execution reverted'],
    ];
    for (const [data, message] of cases) {
      const over = { [A]: { code: reverting(data) } };
      for (const method of ['eth_call', 'eth_estimateGas']) {
        const { error } = await net.raw(method, { to: A }, 'latest', over);
        expect(error, method).to.deep.equal({ code: 3, message, data });
      }
    }
    const empty = await net.raw('eth_call', { to: A }, 'latest', { [A]: { code: '0x5f5ffd' } });
    expect(empty.error).to.deep.equal({ code: 3, message: 'execution reverted', data: '0x' });
  });

  it('ends calls that go round for ever, by gas or by time', async () => {
    const over = { [A]: { code: LOOP } };
    const { error } = await net.raw('eth_call', { to: A, gas: '0xf4240' }, 'latest', over);
    expect(error).to.deep.include({ code: -32_000, message: 'out of gas' });
    const estimate = await net.raw('eth_estimateGas', { to: A, gas: '0x7a120' }, 'latest', over);
    expect(estimate.error?.message).to.equal('gas required exceeds allowance (500000)');
    const long = await net.raw('eth_call', { to: A }, 'latest', over);
    const message = 'execution aborted (timeout = 5s)';
    expect(long.error).to.deep.equal({ code: -32_000, message });
    expect(await net.result('eth_call', { to: A })).to.equal('0x');
  });

  it('gives a whole batch the time of one call, and goes on at once', async () => {
    const call = { jsonrpc: '2.0', method: 'eth_call', params: [{ data: LOOP }] };
    const batch = Array.from({ length: 20 }, (_, id) => ({ ...call, id }));
    const answers = (await net.post(JSON.stringify(batch))) as readonly RawAnswer[];
    expect(answers.map(({ id }) => id)).to.deep.equal(batch.map(({ id }) => id));
    for (const { error } of answers) expect(error?.message).to.match(/\(timeout = 5s\)$/);
    const since = performance.now();
    expect(await net.result('eth_call', { to: A })).to.equal('0x');
    expect(performance.now() - since).to.be.below(5_000);
  });

  it('runs nothing more of a batch whose client is gone', async () => {
    const call = { jsonrpc: '2.0', method: 'eth_call', params: [{ data: LOOP }] };
    const body = JSON.stringify(Array.from({ length: 20 }, (_, id) => ({ ...call, id })));
    const headers = { 'content-type': 'application/json' };
    const signal = AbortSignal.timeout(500);
    const left = fetch(net.url, { method: 'POST', headers, body, signal }).catch(() => 'gone');
    expect(await left).to.equal('gone');
    const since = performance.now();
    expect(await net.result('eth_call', { to: A })).to.equal('0x');
    expect(performance.now() - since).to.be.below(10_000);
  });

  it('lists what a call touches', async () => {
    const over = { [A]: { code: CALL_B }, [B]: { code: READ_SLOT } };
    const made = await net.result('eth_createAccessList', { to: A }, 'latest', over);
    expect(made)
      .to.have.property('accessList')
      .that.deep.equals([{ address: B, storageKeys: [word(0)] }]);
  });

  it('traces the calls of a call and of a transaction', async () => {
    const over = { [A]: { code: CALL_B }, [B]: { code: reverting('0x12345678') } };
    const options = { tracer: 'callTracer', stateOverrides: over };
    const tree = await net.result<Tree>('debug_traceCall', { to: A }, 'latest', options);
    expect([tree.type, tree.to, tree.calls?.length]).to.deep.equal(['CALL', A, 1]);
    expect(tree.calls?.[0]).to.deep.include({
      type: 'CALL',
      from: A,
      to: B,
      error: 'execution reverted',
      output: '0x12345678',
    });
    const sent = await net.wallet(0).sendTransaction({ to: B, value: 3n, gasLimit: 30_000 });
    await sent.wait();
    const traced = await net.result<Tree>('debug_traceTransaction', sent.hash, {
      tracer: 'callTracer',
    });
    expect(traced).to.deep.include({
      type: 'CALL',
      from: net.account(0).evmAddress.toLowerCase(),
      to: B,
      value: '0x3',
      gas: '0x7530',
      gasUsed: '0x5208',
    });
    const bare = await net.raw('debug_traceTransaction', sent.hash);
    expect(bare.error?.code).to.equal(-32_602);
    expect(bare.error?.message).to.include('{"tracer":"callTracer"}');
    const { error } = await net.raw('debug_traceTransaction', `0x${'11'.repeat(32)}`, {
      tracer: 'callTracer',
    });
    expect(error).to.deep.equal({ code: -32_000, message: 'transaction not found' });
  });

  it('refuses calls beyond what may wait, and goes on', async () => {
    const over = { [A]: { code: LOOP } };
    const asked = Array.from({ length: 20 }, () =>
      net.raw('eth_call', { to: A, gas: '0xc350' }, 'latest', over),
    );
    const codes = new Set((await Promise.all(asked)).map(({ error }) => error?.code));
    expect([...codes].sort()).to.deep.equal([-32_000, -32_005]);
    expect(await net.result('eth_call', { to: A })).to.equal('0x');
  });
}
