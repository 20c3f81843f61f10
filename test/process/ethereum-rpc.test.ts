/**
 * Ethereum's JSON-RPC of a real node: unmodified clients, calls and traces, proofs, filters,
 * bounds, bad input.
 *
 * @module
 */
import { callTests } from './eth-calls.ts';
import { ethersTests } from './eth-ethers.ts';
import { EthNet } from './eth-net.ts';
import { protocolTests } from './eth-protocol.ts';
import { viemTests } from './eth-viem.ts';

describe("Ethereum's JSON-RPC of a real node", function () {
  this.timeout(240_000);
  const net = new EthNet();
  before(() => net.start());
  after(() => net.stop());

  describe('ethers', () => ethersTests(net));
  describe('viem', () => viemTests(net));
  describe('calls', () => callTests(net));
  describe('protocol', () => protocolTests(net));
});
