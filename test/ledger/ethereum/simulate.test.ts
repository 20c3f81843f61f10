/**
 * Estimates of gas that cannot be made: the reason in geth's words, not that of the gas.
 *
 * @module
 */
import { expect } from 'chai';
import { EMPTY } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { secp256k1Keys } from '../../../node/src/crypto/secp256k1.ts';
import { getChain } from '../../../node/src/ledger/chain.ts';
import type { CallAnswer, CallRequest } from '../../../node/src/ledger/ethereum/call-request.ts';
import { EthereumHost } from '../../../node/src/ledger/ethereum/host.ts';
import { call, estimate } from '../../../node/src/ledger/ethereum/simulate.ts';
import { returnedBy } from '../../../node/src/rpc/eth/revert.ts';
import { World } from '../world.ts';
import { bytesOf } from './support.ts';

/** What the node answers: gas, or the text of an error. */
function said(answer: CallAnswer): string {
  if (answer.kind === 'estimate') return `gas ${answer.gas}`;
  if (answer.kind === 'fault') return answer.text;
  try {
    if (answer.kind === 'call') returnedBy(answer.outcome);
  } catch (thrown) {
    if (thrown instanceof Error) return thrown.message;
  }
  return answer.kind;
}

describe('estimates', () => {
  let host: EthereumHost;
  let view: NonNullable<ReturnType<World['store']['view']>>;
  before(async () => {
    const world = await new World().start();
    await world.block();
    view = present(world.store.view(world.height), 'view');
    const chain = present(getChain(view), 'record of the chain');
    host = new EthereumHost(chain, view, secp256k1Keys, () => new Uint8Array(32));
  });

  const creation = (init: Uint8Array): CallRequest => ({
    block: { state: 1, height: 2, time: 2_000_000_000n, proposer: EMPTY },
    from: new Uint8Array(20).fill(0xab),
    to: undefined,
    value: 0n,
    data: init,
    gas: undefined,
    maxFeePerGas: 0n,
    maxPriorityFeePerGas: 0n,
    nonce: undefined,
    accessList: [],
    authorizations: undefined,
    overrides: [],
    blockOverride: {},
    gasCap: 50_000_000n,
  });
  const estimated = async (init: Uint8Array): Promise<string> =>
    said(await estimate(host, view, creation(init)));

  it('of init code that is too large say its size and the limit', async () => {
    for (const size of [49_153, 1_000_000]) {
      const text = `max initcode size exceeded: code size ${size} limit 49152`;
      expect(await estimated(new Uint8Array(size))).to.equal(text);
      expect(said(await call(host, view, creation(new Uint8Array(size))))).to.equal(text);
    }
    expect(await estimated(new Uint8Array(49_152))).to.match(/^gas \d+$/);
  });

  it('of code that is too large, or is none, say so', async () => {
    // PUSH3 size, PUSH0, RETURN.
    const returns = (size: number): Uint8Array =>
      bytesOf(`0x62${size.toString(16).padStart(6, '0')}5ff3`);
    expect(await estimated(returns(24_577))).to.equal('max code size exceeded');
    expect(await estimated(returns(24_576))).to.match(/^gas \d+$/);
    // MSTORE8 of 0xef at 0, and one byte returned.
    const begins = await estimated(bytesOf('0x60ef5f5360015ff3'));
    expect(begins).to.equal('invalid code: must not begin with 0xef');
    expect(await estimated(bytesOf('0xfe'))).to.equal('invalid opcode');
  });

  it('of what no gas is enough for name the allowance', async () => {
    expect(await estimated(bytesOf('0x5b5f56'))).to.match(
      /^gas required exceeds allowance \(\d+\)$/,
    );
  });
});
