/**
 * The chain store: everything a height leaves behind, over restarts and pruning.
 *
 * @module
 */
import { join } from 'node:path';
import { expect } from 'chai';
import { EMPTY, toHex, u64be, utf8 } from '../../node/src/base/bytes.ts';
import { LedgerError, present } from '../../node/src/base/errors.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import type { ChainStore } from '../../node/src/engine/ports.ts';
import { type Block, blockCodec, dataHash } from '../../node/src/types/block.ts';
import {
  type ChainState,
  type CommittedHeight,
  firstState,
} from '../../node/src/types/chain-state.ts';
import { BLOCK_ID_FLAG, type Commit, EMPTY_COMMIT } from '../../node/src/types/commit.ts';
import { type Evidence, evidenceHash } from '../../node/src/types/evidence.ts';
import { BLOCK_PROTOCOL, headerHash } from '../../node/src/types/header.ts';
import { DEFAULT_PARAMS } from '../../node/src/types/params.ts';
import { PartSet, partCodec } from '../../node/src/types/part-set.ts';
import {
  rotate,
  updateValidatorSet,
  type ValidatorSet,
  type ValidatorUpdate,
  validatorsHash,
} from '../../node/src/types/validators.ts';
import { LevelChainStore } from '../../node/state/chain-store.ts';
import { Database } from '../../node/state/database.ts';
import { errors } from '../../node/state/errors.ts';
import { heightKey, SPACE } from '../../node/state/spaces.ts';
import { folder, removeFolders } from './support.ts';

const FIRST = 5;

function validator(seed: number, power: bigint): ValidatorUpdate {
  return { publicKey: { type: 'ed25519', bytes: sha256(u64be(seed)) }, power };
}

function genesisState(): ChainState {
  return firstState({
    chainId: 'test-chain',
    initialHeight: FIRST,
    time: 1_000n,
    validators: [1, 2, 3, 4].map((n) => validator(n, BigInt(10 * n))),
    params: DEFAULT_PARAMS,
    appHash: sha256(EMPTY),
  });
}

/** The height after `state`, with a block of about `size` bytes. */
function nextHeight(
  state: ChainState,
  size: number,
  updates: readonly ValidatorUpdate[] = [],
  evidence: readonly Evidence[] = [],
): CommittedHeight {
  const height = state.lastHeight === 0 ? FIRST : state.lastHeight + 1;
  const txs = [utf8(`tx of ${height}`), new Uint8Array(size).fill(height)];
  const commit = (at: number): Commit => ({
    height: at,
    round: 0,
    blockId: state.lastBlockId,
    signatures: [
      {
        blockIdFlag: BLOCK_ID_FLAG.commit,
        validatorAddress: state.validators.proposer.address,
        timestamp: 5n,
        signature: new Uint8Array(64).fill(at),
      },
    ],
  });
  const block: Block = {
    header: {
      version: { block: BLOCK_PROTOCOL, app: 0 },
      chainId: state.chainId,
      height,
      time: BigInt(height) * 1_000_000_000n,
      lastBlockId: state.lastBlockId,
      lastCommitHash: sha256(EMPTY),
      dataHash: dataHash(txs),
      validatorsHash: validatorsHash(state.validators),
      nextValidatorsHash: validatorsHash(state.nextValidators),
      consensusHash: sha256(EMPTY),
      appHash: state.appHash,
      lastResultsHash: state.lastResultsHash,
      evidenceHash: sha256(EMPTY),
      proposerAddress: state.validators.proposer.address,
    },
    data: { txs },
    evidence: { evidence },
    lastCommit: height === FIRST ? EMPTY_COMMIT : commit(height - 1),
  };
  const parts = PartSet.of(blockCodec.encode(block));
  const blockId = { hash: headerHash(block.header), partSetHeader: parts.header };
  const changed = updates.length > 0;
  return {
    block,
    blockId,
    parts,
    seenCommit: commit(height),
    results: {
      events: [],
      txResults: [],
      validatorUpdates: updates,
      paramUpdates: undefined,
      appHash: sha256(u64be(height)),
    },
    state: {
      ...state,
      lastHeight: height,
      lastBlockId: blockId,
      lastTime: block.header.time,
      lastValidators: state.validators,
      validators: state.nextValidators,
      nextValidators: rotate(updateValidatorSet(state.nextValidators, updates), 1),
      validatorsChangedHeight: changed ? height + 2 : state.validatorsChangedHeight,
      appHash: sha256(u64be(height)),
    },
  };
}

function duplicateVote(height: number): Evidence {
  const value = { voteA: undefined, voteB: undefined, totalPower: 4n, validatorPower: 1n };
  return { kind: 'duplicateVote', value: { ...value, timestamp: BigInt(height) } };
}

/** Every value as text, bigints and bytes included. */
function plain(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value)
    .sort()
    .map(([name, field]) => `${name}:${plain(field)}`)}}`;
}

/** Commits 200 heights with pruning and restarts in between. */
async function twoHundred(path: string): Promise<{
  readonly heights: readonly CommittedHeight[];
  readonly sets: ReadonlyMap<number, ValidatorSet>;
}> {
  let state = genesisState();
  const sets = new Map([
    [FIRST, state.validators],
    [FIRST + 1, state.nextValidators],
  ]);
  const heights: CommittedHeight[] = [];
  for (let round = 0; round < 4; round++) {
    const db = await Database.open(path);
    const store = await LevelChainStore.open(db);
    if (round === 0) await store.saveGenesis(state);
    for (let i = 50 * round; i < 50 * round + 50; i++) {
      const updates = [30, 31, 150].includes(i) ? [validator(9, BigInt(i))] : [];
      const made = nextHeight(state, i % 40 === 7 ? 200_000 : 50, updates);
      state = made.state;
      heights.push(made);
      sets.set(made.block.header.height + 2, state.nextValidators);
      await store.commit(made);
      if (i === 110) await store.prune(FIRST + 77);
    }
    await db.close();
  }
  return { heights, sets };
}

describe('chain store', () => {
  after(removeFolders);

  it('gives back everything of every height, after restarts and pruning', async function () {
    this.timeout(30_000);
    const path = join(folder(), 'db');
    const { heights, sets } = await twoHundred(path);
    const db = await Database.open(path);
    const store = await LevelChainStore.open(db);
    await store.prune(FIRST + 155);
    expect([store.base, store.height]).to.deep.equal([FIRST + 155, FIRST + 199]);
    expect(plain(store.state())).to.equal(plain(heights.at(-1)?.state));
    for (const made of heights) check(store, made, heights);
    for (const [height, set] of sets) {
      const expected = height >= store.base ? set : undefined;
      expect(plain(store.validators(height)), `set ${height}`).to.equal(plain(expected));
    }
    await db.close();
  });

  it('is empty before genesis', async () => {
    const db = await Database.open(join(folder(), 'db'));
    const store: ChainStore = await LevelChainStore.open(db);
    expect([store.base, store.height, store.state()]).to.deep.equal([0, 0, undefined]);
    await db.close();
  });

  it('keeps evidence until a block has it or it is too old', async () => {
    const path = join(folder(), 'db');
    const db = await Database.open(path);
    const store = await LevelChainStore.open(db);
    const evidence = { maxAgeNumBlocks: 2, maxAgeDuration: 1n, maxBytes: 1_000 };
    const genesis = genesisState();
    await store.saveGenesis({ ...genesis, params: { ...genesis.params, evidence } });
    const [used, old] = [duplicateVote(1), duplicateVote(2)];
    await store.savePendingEvidence(used);
    await store.savePendingEvidence(old);
    await db.close();
    const again = await Database.open(path);
    const reopened = await LevelChainStore.open(again);
    expect(reopened.pendingEvidence().length).to.equal(2);
    let state = present(reopened.state(), 'state');
    const made = nextHeight({ ...state, params: genesis.params }, 10, [], [used]);
    await reopened.commit(made);
    expect(reopened.isEvidenceCommitted(evidenceHash(used))).to.equal(true);
    expect(plain(reopened.pendingEvidence())).to.equal(plain([old]));
    await reopened.savePendingEvidence(used);
    expect(reopened.pendingEvidence().length).to.equal(1);
    state = { ...made.state, params: { ...genesis.params, evidence } };
    await reopened.commit(nextHeight(state, 10));
    expect(reopened.pendingEvidence()).to.deep.equal([]);
    await again.close();
  });

  it('refuses to open when a height is missing', async () => {
    const db = await Database.open(join(folder(), 'db'));
    const store = await LevelChainStore.open(db);
    let state = genesisState();
    await store.saveGenesis(state);
    for (let i = 0; i < 5; i++) {
      const made = nextHeight(state, 10);
      await store.commit(made);
      state = made.state;
    }
    await db.write([[SPACE.metas, heightKey(FIRST + 2), undefined]]);
    const thrown = await LevelChainStore.open(db).catch((error: unknown) => error);
    expect(LedgerError.is(thrown as Error, errors.Damaged)).to.equal(true);
    await db.close();
  });
});

/** Checks all that the store says about one height. */
function check(
  store: LevelChainStore,
  made: CommittedHeight,
  all: readonly CommittedHeight[],
): void {
  const { height } = made.block.header;
  if (height < store.base) {
    expect(store.meta(height)).to.equal(undefined);
    expect(store.block(height)).to.equal(undefined);
    expect(store.part(height, 0)).to.equal(undefined);
    expect(store.results(height)).to.equal(undefined);
    expect(store.heightOf(made.blockId.hash)).to.equal(undefined);
    return;
  }
  expect(plain(store.block(height))).to.equal(plain(made.block));
  expect(plain(store.meta(height)?.blockId)).to.equal(plain(made.blockId));
  expect(store.meta(height)?.blockSize).to.equal(made.parts.byteSize);
  expect(store.meta(height)?.txCount).to.equal(2);
  expect(store.heightOf(made.blockId.hash)).to.equal(height);
  for (let i = 0; i < made.parts.header.total; i++) {
    const part = partCodec.encode(present(store.part(height, i), 'part'));
    expect(toHex(part)).to.equal(toHex(partCodec.encode(present(made.parts.get(i), 'part'))));
  }
  expect(store.part(height, made.parts.header.total)).to.equal(undefined);
  expect(plain(store.seenCommit(height))).to.equal(plain(made.seenCommit));
  const next = all[height - FIRST + 1];
  expect(plain(store.commitOf(height))).to.equal(plain(next?.block.lastCommit));
  expect(plain(store.results(height))).to.equal(plain(made.results));
  expect(plain(store.params(height + 1))).to.equal(plain(made.state.params));
}
