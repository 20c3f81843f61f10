/**
 * The rules on the ledger's own engine: verdicts, refusals and their reasons, batches and single
 * calls.
 *
 * @module
 */
import { expect } from 'chai';
import { concat, getAddress, Interface, keccak256, type Result, sha256, toUtf8Bytes } from 'ethers';
import fc from 'fast-check';
import { toHex } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import * as ledger from '../../node/src/gen/contracts/ledger.ts';
import * as rules from '../../node/src/gen/contracts/memory-rules.ts';
import * as rateLimit from '../../node/src/gen/contracts/rate-limit-policy.ts';
import { PLACES, SYSTEM_CALLER } from '../../node/src/gen/contracts/system.ts';
import { codeRow, contractKey } from '../../node/src/ledger/evm/records.ts';
import { personalSpaceId } from '../../node/src/types/memory.ts';
import { bytes, PLACED, PlacedWorld, type Step, type Tx, type Verdict } from './placed.ts';

const RULES = new Interface(rules.abi);
const ALICE = { author: `0x${'a1'.repeat(20)}`, account: `0x${'a2'.repeat(20)}` };
const BOB = { author: `0x${'b1'.repeat(20)}`, account: `0x${'b2'.repeat(20)}` };
const SALT = `0x${'5a'.repeat(32)}`;
const SHARED = sha256(concat([toUtf8Bytes('metatron/space/shared/'), ALICE.author, SALT]));
const PUT = { kind: 1, size: 100 };

function personal({ account }: { readonly account: string }): string {
  return `0x${toHex(personalSpaceId(bytes(account)))}`;
}

function tx(...steps: readonly Step[]): Tx {
  return { policyGas: 1_000_000n, signers: [], steps };
}

function call(name: string, ...args: readonly unknown[]): string {
  return RULES.encodeFunctionData(name, [...args]);
}

function names(verdicts: readonly Verdict[]): readonly (string | undefined)[] {
  return verdicts.map(({ reason }) => {
    return reason === undefined ? undefined : RULES.parseError(reason)?.name;
  });
}

/** A world in which ALICE has a shared space, in which BOB may write. */
async function shared(policy: string): Promise<PlacedWorld> {
  const world = await PlacedWorld.create();
  const create = call('createSpace', SALT, 0, policy, 10, 5_000);
  const grant = call('grant', SHARED, BOB.account, 2, 0);
  const verdicts = await world.decide([
    tx({ ...ALICE, action: create }, { ...ALICE, action: grant }),
  ]);
  expect(verdicts[0]?.refused).to.equal(undefined);
  return world;
}

const NONE = `0x${'00'.repeat(20)}`;

describe('the contracts of the genesis', () => {
  it('are placed by their constructors, with the code that was hashed', async () => {
    const world = await PlacedWorld.create();
    world.flat.settle();
    expect(PLACED.map(([{ address }]) => address)).to.deep.equal([...PLACES]);
    for (const [{ address, codeHash }] of PLACED) {
      const record = present(world.flat.state.get(contractKey(bytes(address)).bytes), address);
      const code = present(world.flat.state.row(codeRow(record)), address);
      expect(`0x${toHex(record)}`).to.equal(codeHash);
      expect(keccak256(code)).to.equal(codeHash);
      expect(code.length).to.be.at.most(24_576);
    }
    expect(PLACES.includes(SYSTEM_CALLER as never)).to.equal(false);
  });
});

describe("the rules on the ledger's engine", () => {
  it('know the personal space of a native account', async () => {
    const world = await PlacedWorld.create();
    const verdicts = await world.decide([
      tx({ ...ALICE, space: personal(ALICE), operations: [PUT] }),
      tx({ ...BOB, space: personal(ALICE), operations: [PUT] }),
      tx({ ...BOB, space: personal(BOB), operations: [PUT, PUT] }),
    ]);
    expect(names(verdicts)).to.deep.equal([undefined, 'MemoryRulesNotGranted', undefined]);
    const space = await world.ask(NONE, rules, 'spaceOf', [personal(BOB)]);
    expect((space as Result).toObject()).to.include({ owner: getAddress(BOB.account), size: 200n });
  });

  it('tell what a policy reverted with', async () => {
    const world = await shared(rateLimit.address);
    await world.ask(ALICE.author, rateLimit, 'configure', [SHARED, [2, 9, 9_000, 9_000]]);
    const operations = [PUT, PUT, PUT];
    const [verdict] = await world.decide([tx({ ...BOB, space: SHARED, operations })]);
    expect(verdict?.refused).to.deep.equal([0, 2]);
    expect(verdict?.policyGas).to.be.greaterThan(0n);
    const outer = RULES.parseError(verdict?.reason ?? '');
    expect(outer?.name).to.equal('MemoryRulesPolicyRefused');
    const inner = new Interface(rateLimit.abi).parseError(outer?.args[2] as string);
    expect(inner?.name).to.equal('RateLimitTooManyWrites');
    expect(inner?.args[2]).to.equal(2n);
  });

  it('let a contract write through the ledger, and say why not', async () => {
    const world = await shared(NONE);
    const args = [SHARED, 1, 'key', '0x01', []];
    expect(await world.ask(BOB.author, ledger, 'put', args)).to.equal('MemoryRulesNotGranted');
    expect(await world.ask(ALICE.author, ledger, 'put', args)).to.match(/^0x[0-9a-f]{64}$/);
  });

  it('decide a batch as its transactions one by one', async () => {
    const who = fc.constantFrom(ALICE, BOB);
    const space = fc.constantFrom(SHARED, personal(ALICE), personal(BOB), SALT);
    const operation = fc.record({
      kind: fc.integer({ min: 1, max: 7 }),
      size: fc.integer({ min: 0, max: 900 }),
    });
    const operations = fc.array(operation, { minLength: 1, maxLength: 4 });
    const write = fc.tuple(who, space, operations).map(([by, at, list]): Step => {
      return { ...by, space: at, operations: list };
    });
    const act = fc.tuple(who, fc.constantFrom('freeze', 'unfreeze')).map(([by, name]): Step => {
      return { ...by, action: call(name, SHARED) };
    });
    const steps = fc.array(fc.oneof({ weight: 5, arbitrary: write }, act), {
      minLength: 1,
      maxLength: 3,
    });
    const world = await shared(NONE);
    world.flat.settle();
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 8 }), async (lists) => {
        const txs = lists.map((list) => tx(...list));
        const mark = world.flat.state.mark();
        const whole = await world.decide(txs);
        const after = world.flat.state.changes();
        world.flat.state.revert(mark);
        const single: Verdict[] = [];
        for (const one of txs) single.push(...(await world.decide([one])));
        expect(single).to.deep.equal(whole);
        expect(world.flat.state.changes()).to.deep.equal(after);
        world.flat.state.revert(mark);
      }),
      { numRuns: 60 },
    );
  });
});
