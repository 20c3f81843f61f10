/**
 * The flat state against a model: any sequence of changes, checkpoints, commits and reverts.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { toHex } from '../../../node/src/base/bytes.ts';
import { CodeStore } from '../../../node/src/ledger/evm/code.ts';
import { WarmJournal } from '../../../node/src/ledger/evm/journal.ts';
import { wordHex } from '../../../node/src/ledger/evm/records.ts';
import { FlatState } from '../../../node/src/ledger/evm/state.ts';
import { address, FlatWorld, ports } from './world.ts';

type Model = {
  readonly accounts: Map<string, { balance: bigint; nonce: bigint; code: string }>;
  readonly slots: Map<string, bigint>;
  readonly warm: Set<string>;
};

const PLACES = ['a1', 'a2', 'a3'].map((digits) => address(digits));
const RICH = 1_000n;

type Change =
  | {
      readonly kind: 'account';
      readonly at: number;
      readonly balance: bigint;
      readonly nonce: bigint;
    }
  | { readonly kind: 'code'; readonly at: number; readonly code: Uint8Array }
  | { readonly kind: 'slot'; readonly at: number; readonly slot: bigint; readonly value: bigint }
  | { readonly kind: 'warm'; readonly at: number }
  | { readonly kind: 'open' }
  | { readonly kind: 'keep' }
  | { readonly kind: 'undo' };

const at = fc.nat(PLACES.length - 1);
const small = fc.bigInt({ min: 0n, max: 3n });
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant('account' as const), at, balance: small, nonce: small }),
  fc.record({ kind: fc.constant('code' as const), at, code: fc.uint8Array({ maxLength: 3 }) }),
  fc.record({ kind: fc.constant('slot' as const), at, slot: small, value: small }),
  fc.record({ kind: fc.constant('warm' as const), at }),
  fc.constantFrom<Change>({ kind: 'open' }, { kind: 'keep' }, { kind: 'undo' }),
);

function copyOf({ accounts, slots, warm }: Model): Model {
  const deep = [...accounts].map(([name, account]) => [name, { ...account }] as const);
  return { accounts: new Map(deep), slots: new Map(slots), warm: new Set(warm) };
}

/** The model beside the state. */
class Twins {
  readonly world: FlatWorld;
  readonly state: FlatState;
  readonly journal: WarmJournal;
  model: Model = { accounts: new Map(), slots: new Map(), warm: new Set() };
  readonly #stack: Model[] = [];

  constructor() {
    this.world = new FlatWorld().begin(PLACES.map((place) => [place, { balance: RICH }]));
    this.state = new FlatState(ports(), new CodeStore());
    this.journal = new WarmJournal(this.state);
    this.state.begin(this.world.state);
    this.journal.begin(false);
    for (const place of PLACES) this.#account(place).balance = RICH;
  }

  #account(place: Uint8Array): { balance: bigint; nonce: bigint; code: string } {
    const name = toHex(place);
    const known = this.model.accounts.get(name);
    if (known !== undefined) return known;
    const fresh = { balance: 0n, nonce: 0n, code: '' };
    this.model.accounts.set(name, fresh);
    return fresh;
  }

  apply(one: Change): void {
    if (one.kind === 'open' || one.kind === 'keep' || one.kind === 'undo') {
      this.#frame(one.kind);
      return;
    }
    const place = PLACES[one.at] as Uint8Array;
    const account = this.#account(place);
    if (one.kind === 'account') {
      const { balance, nonce } = one;
      this.state.setAccount(place, balance, nonce);
      Object.assign(account, { balance, nonce });
    } else if (one.kind === 'code') {
      this.state.setCode(place, one.code);
      account.code = toHex(one.code);
    } else if (one.kind === 'slot') {
      const hex = wordHex(one.slot);
      this.state.store(this.state.holder(place), hex, one.value);
      this.model.slots.set(toHex(place) + hex, one.value);
    } else {
      this.journal.warmAddress(place);
      this.model.warm.add(toHex(place));
    }
  }

  #frame(kind: 'open' | 'keep' | 'undo'): void {
    if (kind === 'open') {
      this.journal.open();
      this.#stack.push(copyOf(this.model));
    } else if (this.#stack.length > 0) {
      this.journal[kind]();
      const before = this.#stack.pop() as Model;
      if (kind === 'undo') this.model = before;
    }
  }

  close(): void {
    while (this.#stack.length > 0) this.#frame('keep');
  }

  compare(): void {
    for (const place of PLACES) {
      const { balance, nonce, code } = this.#account(place);
      const seen = this.state.account(place);
      expect([seen?.balance ?? 0n, seen?.nonce ?? 0n]).to.deep.equal([balance, nonce]);
      expect(toHex(this.state.code(place))).to.equal(code);
      expect(this.journal.isWarmedAddress(place)).to.equal(this.model.warm.has(toHex(place)));
      for (let slot = 0n; slot <= 3n; slot++) {
        const hex = wordHex(slot);
        const holder = this.state.holder(place);
        const value = this.model.slots.get(toHex(place) + hex) ?? 0n;
        expect(this.state.load(holder, hex)).to.equal(value);
        expect(this.state.original(holder, hex)).to.equal(0n);
      }
    }
  }
}

describe('EVM: flat state', () => {
  it('is what a model with copies for checkpoints is', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const twins = new Twins();
        for (const one of changes) {
          twins.apply(one);
          twins.compare();
        }
        twins.close();
        twins.state.finish();
        twins.compare();
        expect(twins.world.supply).to.equal(twins.world.total());
        const rows = twins.world.state.rows().map(([key]) => toHex(key));
        expect(new Set(rows).size).to.equal(rows.length, 'a row is written once');
        twins.world.settle();
        twins.state.begin(twins.world.state);
        expect(twins.world.supply).to.equal(twins.world.total());
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);

  it('refuses to make money', () => {
    const twins = new Twins();
    twins.state.setAccount(address('a1'), RICH + 1n, 0n);
    expect(() => twins.state.finish()).to.throw('the EVM makes no money');
  });
});
