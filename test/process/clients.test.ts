/**
 * Unmodified clients on four real validators: CosmJS, ICS-23, an independent light client, proofs
 * and the commands.
 *
 * @module
 */
import { cometTests } from './clients-comet.ts';
import { commandTests } from './clients-commands.ts';
import { multisigTests } from './clients-multisig.ts';
import { ClientNet } from './clients-net.ts';
import { bundleTests, chainProofTests } from './clients-proofs.ts';
import { readingTests, signingTests } from './clients-stargate.ts';

describe('clients of a real devnet', function () {
  this.timeout(240_000);
  const net = new ClientNet();
  before(() => net.start());
  after(() => net.stop());

  describe('StargateClient', () => readingTests(net));
  describe('SigningStargateClient', () => signingTests(net));
  describe('multisig', () => multisigTests(net));
  describe('Comet38Client', () => cometTests(net));
  describe('ICS-23 and headers', () => chainProofTests(net));
  describe('MemoryClient', () => bundleTests(net));
  describe('commands', () => commandTests(net));
});
