/**
 * The ledger with a second opinion: rules of memory, policies, transactions of both sides.
 *
 * @module
 */
import { expect } from 'chai';
import { encodeBech32 } from '../../../../node/src/base/bech32.ts';
import { toHex } from '../../../../node/src/base/bytes.ts';
import { present } from '../../../../node/src/base/errors.ts';
import {
  Opinion,
  type OpinionReport,
} from '../../../../node/src/ledger/evm/second-opinion/opinion.ts';
import { key, ROW } from '../../../../node/src/ledger/keys.ts';
import { sendMessage } from '../../../../node/src/ops/transaction.ts';
import { bytesOf, chainIdOf } from '../../ethereum/support.ts';
import {
  coins,
  create,
  grant,
  initCode,
  POLICY_CODE,
  put,
  SpaceWorld,
  spaceOf,
} from '../../spaces/support.ts';
import { Random } from './programs.ts';

const BLOCKS = Number(process.env['SOAK_BLOCKS'] ?? 25);
const SEED = Number(process.env['SOAK_SEED'] ?? 1);

/** Policies that keep the height, their balance, or another's balance, when they are not asked. */
const LOOKING: readonly string[] = ['5f5450435f5500', '5f5450475f5500', '33315f54015f5500'];

describe('second opinion: a ledger', () => {
  const reports: OpinionReport[] = [];
  const notes: string[] = [];
  let chain: SpaceWorld;
  let opinion: Opinion;

  beforeEach(async () => {
    reports.length = 0;
    notes.length = 0;
    opinion = new Opinion({
      mode: 'halt',
      code: (hash) => present(chain.store.row(key(ROW.code, hash)), 'code'),
      differs: (report) => reports.push(report),
      note: (text, about) => notes.push(`${text} ${JSON.stringify(about)}`),
      failed: (cause) => notes.push(String(cause)),
      processBytes: () => 0,
      monotonicMs: () => performance.now(),
    });
    chain = await new SpaceWorld(4, { secondOpinion: opinion }).start();
  });

  async function agreed(): Promise<void> {
    await opinion.settled();
    expect(reports).to.deep.equal([]);
    expect(notes).to.deep.equal([]);
  }

  async function deploy(code: string): Promise<Uint8Array> {
    const chainId = await chainIdOf(chain.world.ledger);
    const [result] = await chain.block(
      await chain.evm(chain.who(3), null, initCode(code), chainId),
    );
    const created = result?.events
      .find(({ type }) => type === 'ethereum_tx')
      ?.attributes.find((attribute) => attribute.key === 'created');
    return bytesOf(created?.value ?? '');
  }

  it('agrees on what the rules decide, policies that misbehave among it', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = (number: number) => spaceOf(alice, number);
    await chain.block(chain.tx(bob, [put(bob, 'wake')]));
    const policies: Uint8Array[] = [];
    for (const code of Object.values(POLICY_CODE)) policies.push(await deploy(code));
    const creations = policies.map((policy, i) => create(alice, i, { policy }));
    await chain.block(chain.tx(alice, creations));
    const txs = policies.flatMap((_, i) => [
      chain.tx(alice, [put(alice, 'against a policy', space(i))]),
      chain.tx(bob, [put(bob, `honest ${i}`)]),
    ]);
    await chain.block(...txs);
    await chain.block(
      chain.tx(alice, [create(alice, 20), grant(alice, space(20), bob.address, 3)]),
    );
    await chain.block(chain.tx(bob, [put(bob, 'in', space(20)), put(bob, 'again', space(20))]));
    await agreed();
    const { runs, unmirrored } = opinion.counts;
    expect(runs).to.be.above(10);
    expect(unmirrored).to.equal(0);
  }).timeout(60_000);

  it('agrees when what a policy is asked about changes later in the block', async () => {
    const [alice, bob, carol] = [chain.who(0), chain.who(1), chain.who(2)];
    await chain.block(chain.tx(bob, [put(bob, 'wake')]));
    const chainId = await chainIdOf(chain.world.ledger);
    // Reads slot 0, and stores the height there, which it may not do when it is asked.
    const policy = await deploy('5f5450435f5500');
    await chain.block(chain.tx(alice, [create(alice, 1, { policy })]));
    const payee = encodeBech32('metatron', policy);
    for (let i = 0; i < 2; i++) {
      await chain.block(
        chain.tx(alice, [put(alice, 'asked', spaceOf(alice, 1))]),
        chain.tx(bob, [sendMessage(bob.address, payee, coins(7n))]),
        await chain.evm(carol, `0x${toHex(policy)}`, '0x', chainId),
      );
    }
    await agreed();
    expect(opinion.counts.unmirrored).to.equal(0);
  }).timeout(60_000);

  it('agrees on writes, transfers and Ethereum transactions mixed at random', async () => {
    const random = new Random(SEED);
    const [alice] = [chain.who(0)];
    await chain.block(chain.tx(alice, [put(alice, 'wake')]));
    const chainId = await chainIdOf(chain.world.ledger);
    const policies: Uint8Array[] = [];
    for (const code of [...LOOKING, ...Object.values(POLICY_CODE)]) {
      policies.push(await deploy(code));
    }
    await chain.block(
      chain.tx(
        alice,
        policies.map((policy, i) => create(alice, i, { policy })),
      ),
    );
    const native = (): Uint8Array => {
      const who = chain.who(random.below(3));
      const policy = random.below(policies.length);
      const payee = encodeBech32('metatron', policies[policy] as Uint8Array);
      const kinds = [
        [put(who, 'own')],
        [put(alice, 'asked', spaceOf(alice, policy))],
        [sendMessage(who.address, payee, coins(1n))],
        [put(alice, 'asked', spaceOf(alice, policy)), sendMessage(alice.address, payee, coins(2n))],
      ];
      const kind = random.below(kinds.length);
      return chain.tx(kind % 2 === 1 ? alice : who, kinds[kind] ?? []);
    };
    const ethereum = (): Promise<Uint8Array> => {
      const to = policies[random.below(LOOKING.length)] as Uint8Array;
      return chain.evm(chain.who(random.below(4)), `0x${toHex(to)}`, '0x', chainId);
    };
    for (let i = 0; i < BLOCKS; i++) {
      const txs = Array.from({ length: random.below(8) }, native);
      for (let j = random.below(4); j > 0; j--) txs.push(await ethereum());
      await chain.block(...txs);
      await agreed();
    }
    expect(opinion.counts.runs).to.be.above(2 * opinion.counts.unmirrored);
  }).timeout(600_000);

  it('agrees when coins come from both sides and keys are first seen in between', async () => {
    await chain.block(chain.tx(chain.who(3), [put(chain.who(3), 'wake')]));
    const chainId = await chainIdOf(chain.world.ledger);
    const reader = await deploy(`73${toHex(chain.who(0).face)}31600055`.concat('00'));
    const target = `0x${toHex(reader)}`;
    const [alice, bob, carol] = [chain.who(0), chain.who(1), chain.who(2)];
    const send = sendMessage(bob.address, alice.faceAddress, coins(7n));
    await chain.block(
      chain.tx(bob, [send]),
      chain.tx(carol, [put(carol, 'note')]),
      await chain.evm(alice, target, '0x', chainId),
      await chain.evm(bob, `0x${toHex(alice.face)}`, '0x', chainId),
      await chain.evm(carol, target, '0x', chainId),
    );
    await chain.block(
      chain.tx(alice, [sendMessage(alice.address, bob.faceAddress, coins(5n))]),
      await chain.evm(alice, target, '0x', chainId),
      await chain.evm(carol, `0x${toHex(alice.id)}`, '0x', chainId),
    );
    await agreed();
    const { runs, unmirrored } = opinion.counts;
    expect(runs).to.be.above(6);
    // The last one names Alice's account by its other address.
    expect(unmirrored).to.equal(1);
  }).timeout(60_000);
});
