/**
 * The rules contract decides: who may write where, and what a policy may do.
 *
 * @module
 */
import { expect } from 'chai';
import { keccak256 as ethersKeccak, toUtf8Bytes } from 'ethers';
import { toHex } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { Operation } from '../../../node/src/gen/metatron/memory/v1/state.ts';
import { GAS, POLICY_GAS_WEIGHT } from '../../../node/src/ledger/gas.ts';
import { getSpace, operationRow } from '../../../node/src/ledger/memory/schema.ts';
import { spaceRules } from '../../../node/src/ledger/rules/state.ts';
import {
  freezeSpaceMessage,
  revokeMessage,
  transferSpaceMessage,
} from '../../../node/src/ops/space-messages.ts';
import { personalSpaceId } from '../../../node/src/types/memory.ts';
import type { ExecTxResult } from '../../../node/src/types/results.ts';
import { bytesOf, chainIdOf } from '../ethereum/support.ts';
import {
  create,
  grant,
  initCode,
  POLICY_CODE,
  put,
  SpaceWorld,
  spaceOf,
  update,
} from './support.ts';

const codes = (results: readonly ExecTxResult[]): readonly (readonly [string, number])[] =>
  results.map(({ codespace, code }) => [codespace, code] as const);

const OK = ['', 0] as const;
const refusedBy = (code: number) => ['memory', code] as const;

describe('ledger: rules of spaces', () => {
  let chain: SpaceWorld;
  beforeEach(async () => {
    chain = await new SpaceWorld().start();
  });

  /** The kinds of operations in a space's log. */
  const logOf = (space: Uint8Array): readonly string[] => {
    const size = Number(getSpace(chain.store, space)?.size ?? 0n);
    return Array.from({ length: size }, (_, i) => {
      const leaf = present(chain.store.row(operationRow(space, i)), 'leaf');
      return present(Operation.decode(leaf).kind, 'kind').$case;
    });
  };

  it('let an owner in, a stranger not, and who was granted the right', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    const made = await chain.block(chain.tx(alice, [create(alice, 1)]));
    expect(codes(made)).to.deep.equal([OK]);
    const [own, foreign] = await chain.block(
      chain.tx(alice, [put(alice, 'mine', space)]),
      chain.tx(bob, [put(bob, 'not mine', space)]),
    );
    expect(codes([own as ExecTxResult, foreign as ExecTxResult])).to.deep.equal([
      OK,
      refusedBy(12),
    ]);
    expect(foreign?.log).to.equal(
      'failed to execute message: no right to do this in the space: ' +
        `MemoryRulesNotGranted(0x${toHex(space)}, 0x${toHex(bob.face)}, needed=write, held=read)`,
    );
    expect(foreign?.gasUsed).to.be.above(20_000);
    const results = await chain.block(
      chain.tx(alice, [grant(alice, space, bob.address, 2)]),
      chain.tx(bob, [put(bob, 'now I may', space)]),
    );
    expect(codes(results)).to.deep.equal([OK, OK]);
    expect(logOf(space)).to.deep.equal(['created', 'put', 'granted', 'put']);
    const revoke = revokeMessage({ author: alice.address, space, subject: bob.address });
    const after = await chain.block(
      chain.tx(alice, [revoke]),
      chain.tx(bob, [put(bob, 'no more', space)]),
    );
    expect(codes(after)).to.deep.equal([OK, refusedBy(12)]);
  });

  it('know a grant under either face of its subject', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    const results = await chain.block(
      chain.tx(alice, [create(alice, 1), grant(alice, space, bob.faceAddress, 2)]),
      chain.tx(bob, [put(bob, 'by my other face', space)]),
    );
    expect(codes(results)).to.deep.equal([OK, OK]);
    expect(logOf(space)).to.deep.equal(['created', 'granted', 'put']);
  });

  it('let nobody into a personal space but whom its owner grants', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = personalSpaceId(alice.id);
    const results = await chain.block(
      chain.tx(bob, [put(bob, 'before it is there', space)]),
      chain.tx(alice, [put(alice, 'mine')]),
      chain.tx(bob, [put(bob, 'intruding', space)]),
      chain.tx(alice, [grant(alice, space, bob.address, 2)]),
      chain.tx(bob, [put(bob, 'invited', space)]),
    );
    const expected = [refusedBy(10), OK, refusedBy(12), OK, OK];
    expect(codes(results)).to.deep.equal(expected);
    expect(logOf(space)).to.deep.equal(['put', 'granted', 'put']);
    // The grant alone makes the space, too.
    const theirs = personalSpaceId(bob.id);
    const granted = await chain.block(
      chain.tx(bob, [grant(bob, theirs, alice.address, 2)]),
      chain.tx(alice, [put(alice, 'first', theirs)]),
    );
    expect(codes(granted)).to.deep.equal([OK, OK]);
    expect(toHex(getSpace(chain.store, theirs)?.owner as Uint8Array)).to.equal(toHex(bob.id));
  });

  it('end with the expiry, by block time', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    // The block at height h has time h seconds.
    const results = await chain.block(
      chain.tx(alice, [create(alice, 1), grant(alice, space, bob.address, 2, 3n)]),
    );
    expect(codes(results)).to.deep.equal([OK]);
    expect(codes(await chain.block(chain.tx(bob, [put(bob, 'in time', space)])))).to.deep.equal([
      OK,
    ]);
    const late = await chain.block(chain.tx(bob, [put(bob, 'late', space)]));
    expect(codes(late)).to.deep.equal([refusedBy(13)]);
    const past = await chain.block(chain.tx(alice, [grant(alice, space, bob.address, 2, 3n)]));
    expect(codes(past)).to.deep.equal([refusedBy(23)]);
  });

  it('count a transaction against the quota as a whole', async () => {
    const alice = chain.who(0);
    const space = spaceOf(alice, 1);
    const three = [put(alice, 'a', space), put(alice, 'b', space), put(alice, 'c', space)];
    const results = await chain.block(
      chain.tx(alice, [create(alice, 1, { maxEntries: 4n, maxBytes: 100n })]),
      chain.tx(alice, three),
      chain.tx(alice, three),
      chain.tx(alice, [put(alice, 'd', space)]),
      chain.tx(alice, [put(alice, 'e', space)]),
      chain.tx(alice, [put(alice, 'mine')]),
    );
    const expected = [OK, OK, refusedBy(14), OK, refusedBy(14), OK];
    expect(codes(results)).to.deep.equal(expected);
    expect(results[2]?.log).to.match(/TooManyEntries\(0x[0-9a-f]{64}, 4, 6\)$/);
    expect(spaceRules(chain.store, space)).to.include({ entries: 4n, bytes: 4n, maxEntries: 4n });
    const wider = await chain.block(
      chain.tx(alice, [update(alice, space, { maxEntries: 9n, maxBytes: 10n })]),
      chain.tx(alice, [put(alice, 'seven b', space)]),
    );
    expect(codes(wider)).to.deep.equal([OK, refusedBy(15)]);
  });

  it('freeze a space, and let it go on', async () => {
    const alice = chain.who(0);
    const space = spaceOf(alice, 1);
    const author = alice.address;
    const results = await chain.block(
      chain.tx(alice, [create(alice, 1), freezeSpaceMessage({ author, space, frozen: true })]),
      chain.tx(alice, [put(alice, 'cold', space)]),
      chain.tx(alice, [freezeSpaceMessage({ author, space, frozen: false })]),
      chain.tx(alice, [put(alice, 'warm', space)]),
    );
    expect(codes(results)).to.deep.equal([OK, refusedBy(11), OK, OK]);
    expect(logOf(space)).to.deep.equal(['created', 'frozen', 'frozen', 'put']);
  });

  it('give a space away, with all grants void', async () => {
    const [alice, bob, carol] = [chain.who(0), chain.who(1), chain.who(2)];
    const space = spaceOf(alice, 1);
    const transfer = transferSpaceMessage({ author: alice.address, space, to: carol.address });
    const results = await chain.block(
      chain.tx(alice, [create(alice, 1), grant(alice, space, bob.address, 2), transfer]),
      chain.tx(bob, [put(bob, 'void', space)]),
      chain.tx(alice, [put(alice, 'gone', space)]),
      chain.tx(carol, [put(carol, 'mine', space)]),
    );
    expect(codes(results)).to.deep.equal([OK, refusedBy(12), refusedBy(12), OK]);
    expect(toHex(getSpace(chain.store, space)?.owner as Uint8Array)).to.equal(toHex(carol.id));
  });

  it('do all of a transaction or nothing, other messages included', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    await chain.block(chain.tx(alice, [create(alice, 1)]));
    const before = chain.store.dump();
    const results = await chain.block(
      // The put before and the one after the refused one are undone with it.
      chain.tx(bob, [put(bob, 'a', undefined, 'k'), put(bob, 'b', space), put(bob, 'c')]),
    );
    expect(codes(results)).to.deep.equal([refusedBy(12)]);
    expect(getSpace(chain.store, personalSpaceId(bob.id))).to.equal(undefined);
    expect(spaceRules(chain.store, personalSpaceId(bob.id))).to.equal(undefined);
    expect(chain.store.dump()).to.not.equal(before);
    const self = await chain.block(
      chain.tx(alice, [put(alice, 'kept?', space), grant(alice, space, alice.address, 2)]),
    );
    expect(codes(self)).to.deep.equal([refusedBy(21)]);
    expect(spaceRules(chain.store, space)?.entries).to.equal(0n);
  });

  describe('with policies that misbehave', () => {
    const space = (number: number) => spaceOf(chain.who(0), number);

    /** Deploys a policy. @returns its address */
    const deploy = async (runtime: string): Promise<Uint8Array> => {
      const tx = await chain.evm(
        chain.who(3),
        null,
        initCode(runtime),
        await chainIdOf(chain.world.ledger),
      );
      const [result] = await chain.block(tx);
      expect(result?.code, result?.log).to.equal(0);
      const created = result?.events
        .find(({ type }) => type === 'ethereum_tx')
        ?.attributes.find(({ key }) => key === 'created');
      return bytesOf(created?.value ?? '');
    };

    it('refuse that space, charge the writer, and disturb nobody else', async () => {
      const [alice, bob] = [chain.who(0), chain.who(1)];
      await chain.block(chain.tx(bob, [put(bob, 'wake')]));
      const policies: Uint8Array[] = [];
      for (const code of Object.values(POLICY_CODE)) policies.push(await deploy(code));
      policies.push(bytesOf(`0x${'de'.repeat(20)}`));
      const creations = policies.map((policy, i) => create(alice, i, { policy }));
      expect(codes(await chain.block(chain.tx(alice, creations)))).to.deep.equal([OK]);
      const txs = policies.flatMap((_, i) => [
        chain.tx(alice, [put(alice, 'against a policy', space(i))], 3_000_000n),
        chain.tx(bob, [put(bob, `honest ${i}`)]),
      ]);
      const results = await chain.block(...txs);
      const refusals = results.filter((_, i) => i % 2 === 0);
      expect(codes(refusals)).to.deep.equal([17, 17, 18, 16, 16, 18].map(refusedBy));
      const honest = results.filter((_, i) => i % 2 === 1);
      expect(codes(honest)).to.deep.equal(policies.map(() => OK));
      const [loops, , , shouts, own] = refusals;
      // All gas of the policy is the writer's to pay.
      expect(loops?.gasUsed).to.be.above(100_000 * POLICY_GAS_WEIGHT);
      expect(own?.gasUsed).to.be.below(60_000);
      const tooLate = ethersKeccak(toUtf8Bytes('TooLate(uint256)')).slice(2, 10);
      expect(own?.log).to.contain(`0x${tooLate}${'7'.padStart(64, '0')})`);
      expect(shouts?.log).to.contain('(1024 bytes)');
      for (const [i] of policies.entries()) {
        expect(logOf(space(i)), `space ${i}`).to.deep.equal(['created']);
      }
      expect(logOf(personalSpaceId(bob.id)).length).to.equal(1 + policies.length);
    });

    it('are asked about a write in the transaction that named them', async () => {
      const alice = chain.who(0);
      await chain.block(chain.tx(alice, [put(alice, 'wake')]));
      const policy = await deploy(POLICY_CODE['loops'] as string);
      const messages = [create(alice, 0, { policy }), put(alice, 'too early', space(0))];
      expect(codes(await chain.block(chain.tx(alice, messages)))).to.deep.equal([refusedBy(17)]);
    });

    it('are paid for where an action before may have named one', async () => {
      const alice = chain.who(0);
      await chain.block(chain.tx(alice, [put(alice, 'wake')]));
      await chain.block(chain.tx(alice, [create(alice, 0)]));
      const write = put(alice, 'same size', space(0));
      const [plain] = await chain.block(chain.tx(alice, [write]));
      const [after] = await chain.block(chain.tx(alice, [update(alice, space(0)), write]));
      expect(codes([plain, after] as ExecTxResult[])).to.deep.equal([OK, OK]);
      const { spaceChange, policy, policyCall } = GAS;
      const more = (after?.gasUsed ?? 0) - (plain?.gasUsed ?? 0);
      expect(more).to.be.within(spaceChange + policy + policyCall, spaceChange + 30_000);
    });

    it('get no more gas than the writer has left', async () => {
      const alice = chain.who(0);
      await chain.block(chain.tx(alice, [put(alice, 'wake')]));
      const policy = await deploy(POLICY_CODE['loops'] as string);
      await chain.block(chain.tx(alice, [create(alice, 0, { policy })]));
      const [result] = await chain.block(chain.tx(alice, [put(alice, 'poor', space(0))], 75_000n));
      expect(codes([result as ExecTxResult])).to.deep.equal([refusedBy(17)]);
      expect(result?.gasUsed).to.be.within(75_000 - POLICY_GAS_WEIGHT, 75_000);
    });
  });
});
