/**
 * What the ledger tells its own contracts at a block's end is handed to the second opinion too:
 * differences planted there are found.
 *
 * @module
 */
import { expect } from 'chai';
import { equalBytes, toHex } from '../../../../node/src/base/bytes.ts';
import { present } from '../../../../node/src/base/errors.ts';
import { address as auditAddress } from '../../../../node/src/gen/contracts/audit-log.ts';
import { address as reputationAddress } from '../../../../node/src/gen/contracts/reputation.ts';
import type { Difference } from '../../../../node/src/ledger/evm/second-opinion/compare.ts';
import { Opinion } from '../../../../node/src/ledger/evm/second-opinion/opinion.ts';
import type { SeenBlock, SeenRun } from '../../../../node/src/ledger/evm/second-opinion/port.ts';
import { key, ROW } from '../../../../node/src/ledger/keys.ts';
import { addressBytes } from '../../../../node/src/ledger/rules/state.ts';
import { chainIdOf } from '../../ethereum/support.ts';
import { put, SpaceWorld } from '../../spaces/support.ts';

const [AUDIT_LOG, REPUTATION] = [addressBytes(auditAddress), addressBytes(reputationAddress)];

/** A block with one of its runs, slots or accounts said to be different. */
type Plant = (seen: SeenBlock, at: number) => SeenBlock;

function withRun(change: (run: SeenRun) => Partial<SeenRun['outcome']>): Plant {
  return (seen, at) => ({
    ...seen,
    runs: seen.runs.map((run, i) =>
      i === at ? { ...run, outcome: { ...run.outcome, ...change(run) } } : run,
    ),
  });
}

const PLANTS: Readonly<Partial<Record<Difference['field'], Plant>>> = {
  status: withRun(() => ({ status: 0, error: 'revert', logs: [] })),
  gasUsed: withRun(({ outcome }) => ({ gasUsed: 2n * outcome.gasUsed + 100_000n })),
  logs: withRun(({ outcome: { logs } }) => ({ logs: [...logs, ...logs] })),
  slot: (seen, at) => {
    const own = present(seen.runs[at]?.slots.at(-1), 'slot that the run met');
    const slots = seen.slots.map((slot, i) =>
      i === own ? { ...slot, after: slot.after + 1n } : slot,
    );
    return { ...seen, slots };
  },
};

describe('second opinion: calls at the end of a block', () => {
  let seen: SeenBlock[];
  let chain: SpaceWorld;

  beforeEach(async () => {
    seen = [];
    const secondOpinion = {
      block: (one: SeenBlock) => seen.push(one),
      ready: () => Promise.resolve(),
    };
    chain = await new SpaceWorld(4, { secondOpinion }).start();
    await chain.block(chain.tx(chain.who(0), [put(chain.who(0), 'wake')]));
  });

  /** Judges blocks. @returns the differences of the first that differs */
  async function judge(blocks: readonly SeenBlock[]): Promise<readonly Difference[]> {
    const found: Difference[][] = [];
    const faults: unknown[] = [];
    const opinion = new Opinion({
      mode: 'report',
      code: (hash) => present(chain.store.row(key(ROW.code, hash)), 'code'),
      differs: ({ differences }) => found.push([...differences]),
      note: (text) => faults.push(text),
      failed: (cause) => faults.push(cause),
      processBytes: () => 0,
      monotonicMs: () => performance.now(),
    });
    for (const block of blocks) {
      opinion.block(block);
      await opinion.settled();
    }
    expect(faults).to.deep.equal([]);
    return found[0] ?? [];
  }

  /** Expects that each difference planted in the last call of the contract is found and named. */
  async function finds(contract: Uint8Array, fields: readonly Difference['field'][]) {
    const block = present(
      seen.findLast(({ runs }) => runs.some((run) => isCall(run, contract))),
      'block with the call',
    );
    const at = block.runs.findLastIndex((run) => isCall(run, contract));
    expect(block.runs[at]?.unmirrored).to.equal(undefined);
    expect(await judge(seen)).to.deep.equal([]);
    for (const field of fields) {
      const plant = present(PLANTS[field], 'way to plant it');
      const [first] = await judge([plant(block, at)]);
      const { height } = block.block;
      expect(first, field).to.include({ height, run: at, transaction: 'system call', field });
    }
  }

  function isCall({ kind, call }: SeenRun, contract: Uint8Array): boolean {
    return kind === 'call' && call.to !== undefined && equalBytes(call.to, contract);
  }

  it('that append to the audit log are compared, also after Ethereum transactions', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    await chain.block(chain.tx(alice, [put(alice, 'alone')]));
    await finds(AUDIT_LOG, ['status', 'gasUsed', 'logs', 'slot']);
    const chainId = await chainIdOf(chain.world.ledger);
    await chain.block(
      chain.tx(alice, [put(alice, 'and')]),
      await chain.evm(bob, `0x${toHex(alice.face)}`, '0x', chainId),
    );
    await finds(AUDIT_LOG, ['status', 'gasUsed', 'logs', 'slot']);
  }).timeout(30_000);

  it('that move reputations are compared', async () => {
    const evidence = {
      type: 'duplicateVote' as const,
      address: new Uint8Array(20).fill(4),
      power: 1n,
      height: 1,
      time: 0n,
      totalPower: 4n,
    };
    const { ledger } = chain.world;
    const alice = chain.who(0);
    for (const txs of [[], [chain.tx(alice, [put(alice, 'meanwhile')])]]) {
      await ledger.finalizeBlock({
        ...chain.world.context(),
        txs,
        decidedLastCommit: { round: 0, votes: [] },
        misbehavior: [evidence],
      });
      await ledger.commit();
      chain.world.height++;
      await finds(REPUTATION, ['status', 'gasUsed', 'logs', 'slot']);
    }
  }).timeout(30_000);
});
