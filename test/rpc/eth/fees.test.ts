/**
 * Suggested prices: never below what the node asks, and above it where blocks were full of more.
 *
 * @module
 */
import { expect } from 'chai';
import { EthChain } from '../../../node/src/rpc/eth/chain.ts';
import { Fees, feeMethods } from '../../../node/src/rpc/eth/fees.ts';
import { Params } from '../../../node/src/rpc/eth/params.ts';
import type { EthPorts } from '../../../node/src/rpc/eth/ports.ts';
import { Turn } from '../../../node/src/rpc/eth/turn.ts';

/** A chain of three empty blocks. @param least - what the node asks for gas */
function ask(least: bigint, method: string, ...params: unknown[]): unknown {
  const ports = {
    chain: { base: 1, height: 3 },
    ledger: {
      summaries: () => Promise.resolve([]),
      baseFee: () => Promise.resolve(7n),
    },
  } as unknown as EthPorts;
  const chain = new EthChain(ports);
  const known = { blockGasLimit: 100n } as Awaited<ReturnType<EthChain['params']>>;
  chain.params = () => Promise.resolve(known);
  const found = feeMethods(new Fees(chain, least))[method];
  const turn = new Turn('', new AbortController().signal, 1_000);
  return found?.call(new Params(params, found.most), turn);
}

describe('rpc/eth fees', () => {
  it('suggests nothing below the price that the node asks', async () => {
    expect(await ask(1_000n, 'eth_maxPriorityFeePerGas')).to.equal('0x3e8');
    expect(await ask(1_000n, 'eth_gasPrice')).to.equal('0x3ef');
    const history = await ask(1_000n, 'eth_feeHistory', '0x2', 'latest', [10, 90]);
    expect(history).to.deep.include({
      oldestBlock: '0x2',
      baseFeePerGas: ['0x7', '0x7', '0x7'],
      reward: [
        ['0x3e8', '0x3e8'],
        ['0x3e8', '0x3e8'],
      ],
    });
  });

  it('suggests no tip where gas is free and blocks have room', async () => {
    expect(await ask(0n, 'eth_maxPriorityFeePerGas')).to.equal('0x0');
    expect(await ask(0n, 'eth_gasPrice')).to.equal('0x7');
  });
});
