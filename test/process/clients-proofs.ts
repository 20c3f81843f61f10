/**
 * Proofs over a real chain: by unmodified ICS-23, by a second verifier, by our own client.
 *
 * @module
 */
import { ics23, tendermintSpec, verifyMembership, verifyNonMembership } from '@confio/ics23';
import { Comet38Client } from '@cosmjs/tendermint-rpc';
import { expect } from 'chai';
import { fromHex, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { trustGenesis } from '../../node/src/client/chain.ts';
import { follow, startAt, trustIn } from '../../node/src/client/light.ts';
import { MemoryClient } from '../../node/src/client/memory-client.ts';
import {
  verifyAbsence,
  verifyConsistency,
  verifyHead,
  verifyListing,
  verifyProof,
} from '../../node/src/client/proof.ts';
import { spaceOfOwner } from '../../node/src/client/prover.ts';
import { httpRpc, type Rpc } from '../../node/src/client/rpc.ts';
import type { AbsenceProof, HeadProof } from '../../node/src/types/bundles.ts';
import { headKey, spaceKey } from '../../node/src/types/memory.ts';
import { packKey } from '../../node/src/types/packed-key.ts';
import type { ClientNet } from './clients-net.ts';
import { holds } from './clients-verifier.ts';

type SignedJson = { readonly header: object; readonly commit: object };

async function signedJson(rpc: Rpc, height: number): Promise<[SignedJson, readonly unknown[]]> {
  const at = { height: String(height) };
  const { signed_header } = (await rpc('commit', at)) as { signed_header: SignedJson };
  const { validators } = (await rpc('validators', at)) as { validators: readonly unknown[] };
  return [signed_header, validators];
}

/** Copies of a JSON value, each with one character of one text changed to another digit. */
function* changed(value: unknown, rebuild = (part: unknown): unknown => part): Generator<unknown> {
  if (typeof value === 'string') {
    for (let at = 0; at < value.length; at += Math.max(1, Math.floor(value.length / 3))) {
      if (!/[0-9A-Fa-f]/.test(value[at] ?? '')) continue;
      const other = value[at] === '1' ? '2' : '1';
      yield rebuild(value.slice(0, at) + other + value.slice(at + 1));
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) {
      const inner = (part: unknown): unknown => {
        const copy = structuredClone(value) as Record<string, unknown>;
        copy[name] = part;
        return rebuild(copy);
      };
      yield* changed(item, inner);
    }
  }
}

function stillHolds(signed: unknown, validators: readonly unknown[]): boolean {
  try {
    return holds(signed, validators);
  } catch {
    return false;
  }
}

/** Written before the proofs are asked for. */
type Written = {
  readonly owner: string;
  readonly ids: readonly string[];
  readonly heights: number[];
};

async function write(net: ClientNet): Promise<Written> {
  const signer = await net.signer('bob');
  const owner = net.account('bob').address;
  const memory = new MemoryClient(httpRpc(net.rpc()));
  const ids: string[] = [];
  const heights: number[] = [];
  for (const content of ['one', 'two', 'three']) {
    const { id, height } = await memory.put(signer, owner, { content, key: 'proven' });
    ids.push(id);
    heights.push(height);
  }
  await net.reaches((heights.at(-1) ?? 0) + 2);
  return { owner, ids, heights };
}

/** ICS-23 and headers. */
export function chainProofTests(net: ClientNet): void {
  it('gives proofs that unmodified @confio/ics23 verifies under the next app hash', async () => {
    const { owner } = await write(net);
    const comet = net.closing(await Comet38Client.connect(net.rpc(1)));
    const space = spaceOfOwner(owner);
    for (const [key, there] of [
      [spaceKey(space), true],
      [headKey(space, 'proven'), true],
      [headKey(space, 'nothing'), false],
      [utf8('no record'), false],
      [Uint8Array.of(0), false],
      [Uint8Array.of(255), false],
    ] as const) {
      const query = { path: '/store/key', data: key, prove: true };
      const { value, proof, height = 0 } = await comet.abciQuery(query);
      const op = present(proof?.ops[0], 'proof');
      expect(toHex(op.key)).to.equal(toHex(key));
      await net.reaches(height + 1, 1);
      const { appHash } = (await comet.block(height + 1)).block.header;
      const decoded = ics23.CommitmentProof.decode(op.data);
      const packed = packKey(key);
      const forged = Uint8Array.from(appHash, (byte, i) => (i === 7 ? byte ^ 1 : byte));
      for (const [root, good] of [
        [appHash, true],
        [forged, false],
      ] as const) {
        const verdict = there
          ? verifyMembership(decoded, tendermintSpec, root, packed, value)
          : verifyNonMembership(decoded, tendermintSpec, root, packed);
        expect(verdict, toHex(key)).to.equal(good);
      }
      expect(value.length > 0).to.equal(there);
    }
  });

  it('serves headers and commits that verify from their bytes alone, and no others', async () => {
    const rpc = httpRpc(net.rpc(3));
    const comet = net.closing(await Comet38Client.connect(net.rpc(3)));
    const height = (await comet.status()).syncInfo.latestBlockHeight - 1;
    for (const at of [1, 2, height]) {
      const [signed, validators] = await signedJson(rpc, at);
      expect(holds(signed, validators), `height ${at}`).to.equal(true);
    }
    const [signed, validators] = await signedJson(rpc, height);
    let count = 0;
    for (const other of changed(signed)) {
      if (JSON.stringify(other) === JSON.stringify(signed)) continue;
      count++;
      expect(stillHolds(other, validators), JSON.stringify(other)).to.equal(false);
    }
    expect(count).to.be.greaterThan(60);
  });

  it('lets a light client step and skip from the genesis to the tip', async () => {
    const rpc = httpRpc(net.rpc(2));
    const { genesis } = (await rpc('genesis', {})) as { genesis: unknown };
    const trusted = trustGenesis(genesis);
    const start = await startAt(rpc, trusted);
    const now = BigInt(Date.now()) * 1_000_000n;
    const second = await follow(rpc, start, 2, now);
    const comet = net.closing(await Comet38Client.connect(net.rpc(2)));
    const tip = (await comet.status()).syncInfo.latestBlockHeight - 1;
    const last = await follow(rpc, second, tip, now);
    expect(last.header.height).to.equal(tip);
    expect(toHex(trustIn(last).validatorsHash)).to.equal(toHex(trusted.validatorsHash));
    const late = now + 200n * 3_600_000_000_000n;
    const refused = await follow(rpc, start, tip, late).catch((thrown: unknown) => thrown);
    expect(refused).to.be.instanceOf(LedgerError).and.to.include({ space: 'light', code: 5 });
  });
}

/** Bundles of our client. */
export function bundleTests(net: ClientNet): void {
  it('proves entries, heads, absence, listings and growth, offline', async () => {
    const { owner, ids, heights } = await write(net);
    const rpc = httpRpc(net.rpc());
    const memory = new MemoryClient(rpc);
    const { genesis } = (await rpc('genesis', {})) as { genesis: unknown };
    const trusted = trustGenesis(genesis);
    const [id = ''] = ids;
    const api = present(net.devnet.summary.nodes[1], 'node 1').api;
    await net.reaches((heights.at(-1) ?? 0) + 2, 1);
    const served = await (await fetch(`${api}/v1/memories/${id}/proof`)).text();
    for (const bundle of [served, JSON.stringify(await memory.proof(id))]) {
      const found = verifyProof(bundle, trusted);
      expect(found).to.include({ id, height: heights[0] });
      expect(Buffer.from(found.content).toString()).to.equal('one');
      const flipped = bundle.replace(/"content":"./, (start) => `${start.slice(0, -1)}A`);
      expect(() => verifyProof(flipped, trusted)).to.throw(LedgerError, /does not hold/);
    }
    const head = (await memory.headProof(owner, 'proven')) as HeadProof;
    expect(verifyHead(head, trusted)).to.include({ id: ids.at(-1) });
    const none = (await memory.headProof(owner, 'never written')) as AbsenceProof;
    expect(verifyAbsence(none, trusted)).to.include({ key: 'never written' });
    const listing = await memory.listingProof(owner);
    const all = verifyListing(JSON.stringify(listing), trusted).map((entry) => entry.id);
    expect(all.slice(-3)).to.deep.equal(ids);
    const short = { ...listing, entries: listing.entries.toSpliced(1, 1) };
    expect(() => verifyListing(short, trusted)).to.throw(LedgerError, /entries are listed/);
    const growth = await memory.consistencyProof(owner, heights[0] ?? 0);
    const shown = verifyConsistency(JSON.stringify(growth), trusted);
    expect(shown.to.size - shown.from.size).to.equal(2);
    const other = { ...growth, path: growth.path.toReversed() };
    if (growth.path.length > 1) {
      expect(() => verifyConsistency(other, trusted)).to.throw(LedgerError, /path/);
    }
    expect(fromHex(shown.space)).to.deep.equal(spaceOfOwner(owner));
  });
}
