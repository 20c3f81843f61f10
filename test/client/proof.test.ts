/**
 * Memories written by CosmJS, read back and proven offline; changed proofs fail.
 *
 * @module
 */
import { ics23, tendermintSpec, verifyMembership } from '@confio/ics23';
import { expect } from 'chai';
import fc from 'fast-check';
import { decodeBech32 } from '../../node/src/base/bech32.ts';
import { fromBase64, toHex } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { hashOfValidators, type Trusted } from '../../node/src/client/anchor.ts';
import { trustNode } from '../../node/src/client/chain.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import { verifyListing, verifyProof } from '../../node/src/client/proof.ts';
import type { EntryProof, ListingProof } from '../../node/src/types/bundles.ts';
import { headerCodec } from '../../node/src/types/header.ts';
import { entryId, personalSpaceId, spaceKey } from '../../node/src/types/memory.ts';
import { packKey } from '../../node/src/types/packed-key.ts';
import { type Actor, CHAIN_ID, putMessage, sign, theActors } from '../ledger/world.ts';
import { SignedChain, VALIDATORS } from './signed-chain.ts';

const trusted: Trusted = { chainId: CHAIN_ID, validatorsHash: hashOfValidators(VALIDATORS) };

/** Whether checking throws a declared refusal of a proof. */
function refused(check: () => unknown): boolean {
  try {
    check();
    return false;
  } catch (thrown) {
    if (thrown instanceof LedgerError && thrown.space === 'proof') return true;
    throw thrown;
  }
}

describe('client: proofs', () => {
  let chain: SignedChain;
  let alice: Actor;
  let memory: MemoryClient;
  let entry: EntryProof;
  let listing: ListingProof;
  let id: string;

  before(async () => {
    [alice] = (await theActors()) as [Actor, Actor, Actor];
    chain = await SignedChain.start();
    const messages = ['one', 'two', 'three'].map((text, i) =>
      putMessage(alice.address, text, { key: i === 2 ? '' : 'colour' }),
    );
    await chain.block(await sign({ from: alice, messages, sequence: 0 }));
    await chain.block(
      await sign({ from: alice, messages: [putMessage(alice.address, 'four')], sequence: 1 }),
    );
    await chain.block();
    memory = new MemoryClient(chain.rpc);
    const account = present(decodeBech32(alice.address), 'address').bytes;
    id = toHex(entryId(personalSpaceId(account), account, 0, 1));
    entry = await memory.proof(id);
    listing = await memory.listingProof(alice.address);
  });
  after(() => chain.stop());

  it('reads entries by id, key, version and place', async () => {
    expect(await memory.get(id)).to.include({ text: 'two', index: 1, height: 2 });
    expect(await memory.head(alice.address, 'colour')).to.include({ text: 'two' });
    const versions = await memory.history(alice.address, 'colour');
    expect(versions).to.include({ total: 2, next: undefined });
    expect(versions.memories.map(({ text }) => text)).to.deep.equal(['one', 'two']);
    const all = await memory.list(alice.address);
    expect(all.memories.map(({ text }) => text)).to.deep.equal(['one', 'two', 'three', 'four']);
    const then = await memory.list(alice.address, { height: 2 });
    expect([then.total, then.memories.length, then.readAt]).to.deep.equal([3, 3, 2]);
    const page = await memory.list(alice.address, { start: 1, limit: 2 });
    expect(page.memories.map(({ text }) => text)).to.deep.equal(['two', 'three']);
    expect(page.next).to.equal(3);
  });

  it('verifies an entry offline, from its JSON text', () => {
    const proven = verifyProof(JSON.stringify(entry), trusted);
    expect(proven).to.include({ id, index: 1, height: 2, provenHeight: 3 });
    expect(Buffer.from(proven.content).toString()).to.equal('two');
  });

  it('verifies a complete listing, and refuses one with an entry left out or moved', () => {
    expect(verifyListing(JSON.stringify(listing), trusted).length).to.equal(4);
    for (let i = 0; i < 4; i++) {
      const entries = listing.entries.toSpliced(i, 1);
      expect(refused(() => verifyListing({ ...listing, entries }, trusted))).to.equal(true);
    }
    const entries = listing.entries.toReversed();
    expect(refused(() => verifyListing({ ...listing, entries }, trusted))).to.equal(true);
  });

  it('fails when any one bit of a bundle is flipped', function () {
    this.timeout(60_000);
    const bundles = [
      { text: JSON.stringify(entry), verify: verifyProof },
      { text: JSON.stringify(listing), verify: verifyListing },
    ] as const;
    for (const { text, verify } of bundles) {
      const bytes = Buffer.from(text);
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] as number) ^ (1 << bit);
          expect(refused(() => verify(changed.toString('latin1'), trusted))).to.equal(true);
        }),
        { numRuns: 400 },
      );
    }
  });

  it('refuses another chain and other validators', async () => {
    const other = { ...trusted, chainId: 'other' };
    expect(refused(() => verifyProof(entry, other))).to.equal(true);
    const few = { ...trusted, validatorsHash: hashOfValidators(VALIDATORS.slice(1)) };
    expect(refused(() => verifyProof(entry, few))).to.equal(true);
    expect(await trustNode(chain.rpc)).to.deep.equal(trusted);
  });

  it('gives state proofs that unmodified ics23 verifies', () => {
    const proof = ics23.CommitmentProof.decode(
      present(fromBase64(entry.anchor.stateProof), 'proof'),
    );
    const header = headerCodec.decode(present(fromBase64(entry.anchor.header), 'header'));
    const space = present(fromBase64(entry.space.id), 'id');
    const record = present(fromBase64(entry.space.record), 'record');
    const key = packKey(spaceKey(space));
    expect(verifyMembership(proof, tendermintSpec, header.appHash, key, record)).to.equal(true);
  });
});
