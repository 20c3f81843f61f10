/**
 * Deciding many transactions in one call gives what deciding each by itself gives.
 *
 * @module
 */
import { expect } from 'chai';
import { Interface } from 'ethers';
import fc from 'fast-check';
import { EMPTY, toHex, utf8 } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { abi as policyAbi } from '../../../node/src/gen/contracts/memory-policy.ts';
import type { Any } from '../../../node/src/ledger/tx/wire.ts';
import { freezeSpaceMessage } from '../../../node/src/ops/space-messages.ts';
import { putMessage, sendMessage } from '../../../node/src/ops/transaction.ts';
import { personalSpaceId } from '../../../node/src/types/memory.ts';
import type { FinalizeBlockResponse } from '../../../node/src/types/results.ts';
import { bytesOf, chainIdOf } from '../ethereum/support.ts';
import { coins, create, grant, initCode, SpaceWorld, spaceOf, update } from './support.ts';

const PEOPLE = 4;
const SPACES = 3;

/** So small that it is soon used up. */
const QUOTA = { maxEntries: 4n, maxBytes: 60n };

const selector = present(new Interface(policyAbi).getFunction('check'), 'check').selector.slice(2);
/** A policy that allows an author whose balance is odd. */
const ODD_BALANCE = [
  // The author's balance, its last bit.
  '6044353160011660',
  // Zero: revert.
  '0f5760006000fd',
  // Else answer the selector.
  `5b63${selector}60e01b60005260206000f3`,
].join('');

type Part =
  | { readonly kind: 'own'; readonly key: number; readonly expected: number | undefined }
  | { readonly kind: 'shared'; readonly space: number; readonly key: number; readonly size: number }
  | { readonly kind: 'foreign'; readonly owner: number }
  | { readonly kind: 'grant'; readonly space: number; readonly to: number; readonly rights: number }
  | { readonly kind: 'freeze'; readonly space: number; readonly frozen: boolean }
  | { readonly kind: 'policy'; readonly space: number; readonly on: boolean }
  | { readonly kind: 'send'; readonly to: number; readonly amount: number };

type Tx = {
  readonly from: number;
  readonly fee: number;
  readonly gas: number;
  readonly parts: readonly Part[];
};

const to = fc.nat(PEOPLE - 1);
/** Mostly the owner of the spaces. */
const from = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, to);
const space = fc.nat(SPACES - 1);
const key = fc.nat(2);

const part: fc.Arbitrary<Part> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('own' as const),
      key,
      expected: fc.option(fc.nat(2), { nil: undefined }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('shared' as const), space, key, size: fc.nat(30) }),
  },
  fc.record({ kind: fc.constant('foreign' as const), owner: to }),
  fc.record({ kind: fc.constant('grant' as const), space, to, rights: fc.nat(15) }),
  fc.record({ kind: fc.constant('freeze' as const), space, frozen: fc.boolean() }),
  fc.record({ kind: fc.constant('policy' as const), space, on: fc.boolean() }),
  fc.record({ kind: fc.constant('send' as const), to, amount: fc.nat(3) }),
);

const tx: fc.Arbitrary<Tx> = fc.record({
  from,
  fee: fc.nat(1),
  gas: fc.constantFrom(30_000, 150_000, 1_000_000),
  parts: fc.array(part, { minLength: 1, maxLength: 4 }),
});

const own = { kind: 'own', key: 0, expected: undefined } as const;
const shared = { kind: 'shared', space: 1, key: 0, size: 0 } as const;
const odd = { ...shared, space: 0 };
const plain = { fee: 0, gas: 150_000 };

/** A block in which transactions end in every way. */
const EVERY_CODE: Tx[] = [
  { ...plain, from: 1, parts: [shared] },
  { ...plain, from: 0, parts: [{ ...own, key: 1, expected: 2 }] },
  { ...plain, from: 1, parts: [{ kind: 'foreign', owner: 3 }] },
  { ...plain, from: 0, parts: [{ kind: 'freeze', space: 1, frozen: true }] },
  { ...plain, from: 0, parts: [shared] },
  { ...plain, from: 0, parts: [odd] },
  { ...plain, from: 0, fee: 1, parts: [odd] },
  { ...plain, from: 0, gas: 30_000, parts: [own, own, own, own] },
];

/** Chains that differ in how much the rules decide in one call, and get the same blocks. */
class Chains {
  readonly all: readonly SpaceWorld[];
  /** Signs for all of them. */
  readonly chain: SpaceWorld;
  #policy: Uint8Array = EMPTY;

  constructor() {
    this.chain = new SpaceWorld(PEOPLE, { maxRulesBatch: 1 });
    this.all = [this.chain, new SpaceWorld(PEOPLE, { maxRulesBatch: 3 }), new SpaceWorld(PEOPLE)];
  }

  /** Executes a block on each of them. */
  async #execute(...txs: readonly Uint8Array[]): Promise<readonly FinalizeBlockResponse[]> {
    return await Promise.all(this.all.map(({ world }) => world.block(...txs)));
  }

  /** Makes spaces, and a policy that waits to be used. */
  async start(): Promise<this> {
    const { chain } = this;
    await Promise.all(this.all.map((each) => each.start()));
    await this.#execute();
    const [owner, maker] = [chain.who(0), chain.who(1)];
    const spaces = Array.from({ length: SPACES }, (_, i) => create(owner, i, QUOTA));
    const chainId = await chainIdOf(chain.world.ledger);
    const deploy = await chain.evm(maker, null, initCode(ODD_BALANCE), chainId);
    const [answer] = await this.#execute(chain.tx(owner, spaces), deploy);
    const results = answer?.txResults ?? [];
    expect(results.map(({ code }) => code)).to.deep.equal([0, 0]);
    const created = results[1]?.events.flatMap(({ attributes }) => attributes);
    this.#policy = bytesOf(created?.find((attribute) => attribute.key === 'created')?.value ?? '');
    const policy = update(owner, spaceOf(owner, 0), {
      policy: this.#policy,
      ...QUOTA,
      maxEntries: 40n,
      maxBytes: 900n,
    });
    await this.#execute(chain.tx(owner, [policy]));
    return this;
  }

  #message(from: number, some: Part): Any {
    const { chain } = this;
    const author = chain.who(from);
    const { address } = author;
    const at = 'space' in some ? spaceOf(chain.who(0), some.space) : EMPTY;
    const name = 'key' in some && some.key > 0 ? `key ${some.key}` : '';
    switch (some.kind) {
      case 'own': {
        const version = name === '' ? undefined : some.expected;
        const expectedVersion = version === undefined ? undefined : BigInt(version);
        return putMessage(address, { content: utf8('own'), key: name, expectedVersion });
      }
      case 'shared':
        return putMessage(address, {
          content: utf8('x'.repeat(some.size + 1)),
          key: name,
          space: at,
        });
      case 'foreign':
        return putMessage(address, {
          content: utf8('foreign'),
          space: personalSpaceId(chain.who(some.owner).id),
        });
      case 'grant':
        return grant(author, at, chain.who(some.to).address, some.rights);
      case 'freeze':
        return freezeSpaceMessage({ author: address, space: at, frozen: some.frozen });
      case 'policy': {
        const policy = some.on ? this.#policy : EMPTY;
        return update(author, at, { policy, ...QUOTA });
      }
      case 'send':
        return sendMessage(address, chain.who(some.to).address, coins(BigInt(some.amount + 1)));
    }
  }

  block(txs: readonly Tx[]): Promise<readonly FinalizeBlockResponse[]> {
    const signed = txs.map(({ from, fee, gas, parts }) => {
      const messages = parts.map((some) => this.#message(from, some));
      return this.chain.tx(this.chain.who(from), messages, BigInt(gas), BigInt(fee));
    });
    return this.#execute(...signed);
  }
}

const shown = ({ txResults, appHash }: FinalizeBlockResponse): string =>
  JSON.stringify([txResults, toHex(appHash)], (_, value) =>
    value instanceof Uint8Array ? toHex(value) : typeof value === 'bigint' ? `${value}n` : value,
  );

describe('ledger: batches of the rules', () => {
  it('of any size give the same results, gas and app hash', async () => {
    const seen = new Set<string>();
    const txs = fc.array(tx, { minLength: 6, maxLength: 14 });
    const blocks = fc.array(txs, { minLength: 1, maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(blocks, async (heights) => {
        const chains = await new Chains().start();
        for (const txs of heights) {
          const [alone, ...batched] = await chains.block(txs);
          for (const answer of batched) expect(shown(answer)).to.equal(shown(present(alone, '')));
          const dumps = new Set(chains.all.map(({ store }) => store.dump()));
          expect(dumps.size).to.equal(1);
          for (const { codespace, code } of alone?.txResults ?? [])
            seen.add(`${codespace}/${code}`);
        }
      }),
      { numRuns: 16, examples: [[[EVERY_CODE]]] },
    );
    const [conflict, unknown, frozen, notGranted, policy] = [2, 10, 11, 12, 16];
    for (const code of [conflict, unknown, frozen, notGranted, policy]) {
      expect([...seen]).to.include(`memory/${code}`);
    }
    expect([...seen]).to.include.members(['/0', 'sdk/11']);
  }).timeout(60_000);
});
