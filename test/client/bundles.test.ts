/**
 * Every form of proof bundle: holds as fetched, fails with any bit changed and for any lie.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { fromBase64, toBase64, toHex } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { hashOfValidators, type Trusted } from '../../node/src/client/anchor.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import {
  verifyAbsence,
  verifyBundle,
  verifyConsistency,
  verifyHead,
  verifyListing,
} from '../../node/src/client/proof.ts';
import { spaceOfOwner } from '../../node/src/client/prover.ts';
import type { ConsistencyProof, HeadProof, ProofBundle } from '../../node/src/types/bundles.ts';
import { type Actor, CHAIN_ID, putMessage, sign, theActors } from '../ledger/world.ts';
import { SignedChain, VALIDATORS } from './signed-chain.ts';

const trusted: Trusted = { chainId: CHAIN_ID, validatorsHash: hashOfValidators(VALIDATORS) };

function refusal(check: () => unknown): number | undefined {
  try {
    check();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof LedgerError && thrown.space === 'proof') return thrown.code;
    throw thrown;
  }
}

/** Blocks 2, 3, … with one entry each, and an empty one at the end. */
async function chainOf(alice: Actor, texts: readonly string[]): Promise<SignedChain> {
  const chain = await SignedChain.start();
  for (const [sequence, text] of texts.entries()) {
    const messages = [putMessage(alice.address, text, { key: sequence % 2 === 0 ? 'even' : '' })];
    await chain.block(await sign({ from: alice, messages, sequence }));
  }
  await chain.block();
  return chain;
}

/** Every text in a JSON value, with a function that gives the value with another text there. */
function* textsIn(
  value: unknown,
  rebuild: (part: unknown) => unknown = (part) => part,
  path = '',
): Generator<{ path: string; text: string; with: (text: string) => unknown }> {
  if (typeof value === 'string') yield { path, text: value, with: (text) => rebuild(text) };
  else if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      yield* textsIn(item, (part) => rebuild(value.with(i, part)), `${path}[${i}]`);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const inner = (part: unknown): unknown => rebuild({ ...value, [name]: part });
      yield* textsIn(item, inner, `${path}.${name}`);
    }
  }
}

/** A member with one bit flipped: its first, its last, and some between. */
function* flips(path: string, text: string): Generator<string> {
  const isText = ['.format', '.key', '.anchor.chainId', '.power'].some((n) => path.endsWith(n));
  const bytes = isText ? Buffer.from(text) : Buffer.from(present(fromBase64(text), path));
  if (bytes.length === 0) return;
  const places = fc.sample(fc.tuple(fc.nat(bytes.length - 1), fc.nat(7)), 6);
  for (const [at, bit] of [...places, [0, 0], [bytes.length - 1, 7]] as [number, number][]) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] as number) ^ (1 << bit);
    yield isText ? flipped.toString('latin1') : toBase64(flipped);
  }
}

describe('client: bundles', function () {
  this.timeout(60_000);
  let honest: SignedChain;
  let rewritten: SignedChain;
  let alice: Actor;
  let memory: MemoryClient;
  let bundles: readonly ProofBundle[];

  before(async () => {
    [alice] = (await theActors()) as [Actor];
    honest = await chainOf(alice, ['a', 'b', 'c', 'd', 'e']);
    rewritten = await chainOf(alice, ['a', 'B', 'c', 'd', 'e']);
    memory = new MemoryClient(honest.rpc);
    const [first] = (await memory.list(alice.address)).memories;
    bundles = [
      await memory.proof(present(first, 'entry').id),
      await memory.listingProof(alice.address),
      await memory.headProof(alice.address, 'even'),
      await memory.headProof(alice.address, 'no such key'),
      await memory.consistencyProof(alice.address, 4),
    ];
  });
  after(async () => {
    await honest.stop();
    await rewritten.stop();
  });

  it('shows the newest version under a key, and that another has none', () => {
    const [, , head, absent] = bundles;
    const found = verifyHead(JSON.stringify(head), trusted);
    expect(found).to.include({ index: 4, height: 6, provenHeight: 6 });
    expect(found.entry).to.include({ key: 'even', version: 3n });
    const none = verifyAbsence(JSON.stringify(absent), trusted);
    const space = toHex(spaceOfOwner(alice.address));
    const at = { provenHeight: 6, provenTime: 7_000_000_000n };
    expect(none).to.deep.equal({ space, key: 'no such key', ...at });
  });

  it('refuses an older version as the newest, and absence of a key that is there', async () => {
    const old = (await new MemoryClient(honest.rpc).list(alice.address)).memories[2];
    const head = bundles[2] as HeadProof;
    const entry = await memory.proof(present(old, 'entry').id);
    expect(refusal(() => verifyHead({ ...head, entry: entry.entry }, trusted))).to.equal(2);
    const absent = { ...bundles[3], key: 'even' };
    expect(refusal(() => verifyAbsence(absent, trusted))).to.equal(2);
  });

  it('shows that a space only grew, between any two heights', async () => {
    for (let from = 2; from <= 6; from++) {
      for (let to = from; to <= 6; to++) {
        const proof = await memory.consistencyProof(alice.address, from, to);
        const shown = verifyConsistency(JSON.stringify(proof), trusted);
        expect([shown.from.size, shown.to.size]).to.deep.equal([from - 1, to - 1]);
      }
    }
  });

  it('refuses consistency when an entry was changed, whatever path is shown', async () => {
    const now = new MemoryClient(rewritten.rpc);
    // Before the changed entry both chains say the same.
    const agreed = await memory.consistencyProof(alice.address, 2);
    const other = await now.consistencyProof(alice.address, 2);
    expect(verifyConsistency({ ...other, from: agreed.from }, trusted).to.size).to.equal(5);
    for (const from of [3, 4, 5, 6]) {
      const mine = await memory.consistencyProof(alice.address, from);
      const theirs = await now.consistencyProof(alice.address, from);
      expect(verifyConsistency(theirs, trusted).to.size).to.equal(5);
      for (const path of [mine.path, theirs.path, []]) {
        const forged: ConsistencyProof = { ...theirs, from: mine.from, path };
        expect(
          refusal(() => verifyConsistency(forged, trusted)),
          `from ${from}`,
        ).to.equal(2);
      }
      const backwards = { ...mine, from: mine.to, to: mine.from };
      if (from < 6) expect(refusal(() => verifyConsistency(backwards, trusted))).to.equal(2);
    }
  });

  it('refuses a listing with a changed entry, and an earlier one as a later', async () => {
    const mine = await memory.listingProof(alice.address);
    const theirs = await new MemoryClient(rewritten.rpc).listingProof(alice.address);
    const forged = { ...mine, entries: theirs.entries };
    expect(refusal(() => verifyListing(forged, trusted))).to.equal(2);
    const short = { ...mine, entries: mine.entries.slice(0, 4) };
    expect(refusal(() => verifyListing(short, trusted))).to.equal(2);
  });

  it('fails when any one bit of any member is flipped', () => {
    for (const bundle of bundles) {
      expect(() => verifyBundle(bundle, trusted)).not.to.throw();
      for (const { path, text, with: changed } of textsIn(bundle)) {
        for (const flipped of flips(path, text)) {
          const code = refusal(() => verifyBundle(changed(flipped), trusted));
          expect(code, `${bundle.format}${path}: ${flipped}`).to.be.oneOf([1, 2, 3]);
        }
      }
    }
  });

  it('fails when any one bit of the JSON text is flipped', () => {
    for (const bundle of bundles) {
      const bytes = Buffer.from(JSON.stringify(bundle));
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.nat(7), (at, bit) => {
          const changed = Buffer.from(bytes);
          changed[at] = (changed[at] as number) ^ (1 << bit);
          const code = refusal(() => verifyBundle(changed.toString('latin1'), trusted));
          expect(code).to.be.oneOf([1, 2, 3]);
        }),
        { numRuns: 200 },
      );
    }
  });
});
