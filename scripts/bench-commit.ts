/**
 * Measures what follows execution: `npx node scripts/bench-commit.ts [--txs N] [--ops N] …`.
 *
 * Blocks of memory puts, executed by the ledger, go the way of a validator that does not propose:
 * state, results hash, index, chain store, one synced batch in a real database. Prints one line of
 * JSON: CPU of the whole process per transaction for each step, the longest and the usual time of
 * a height, memory. Execution itself and signatures are left out. Not part of the tests.
 *
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeBech32 } from '../node/src/base/bech32.ts';
import { concatBytes, EMPTY, u64be, utf8 } from '../node/src/base/bytes.ts';
import { invariant, present } from '../node/src/base/errors.ts';
import { hash160, sha256 } from '../node/src/base/hash.ts';
import { secp256k1Keys } from '../node/src/crypto/secp256k1.ts';
import { makeBlock, nextState } from '../node/src/engine/chain-rules.ts';
import { wholeBlockOf } from '../node/src/engine/collector.ts';
import { ChainIndex } from '../node/src/indexer/chain-index.ts';
import { Ledger } from '../node/src/ledger/ledger.ts';
import { ledgerState } from '../node/src/ops/ledger-state.ts';
import { freeTerms, putMessage, signTransaction } from '../node/src/ops/transaction.ts';
import { type Block, blockCodec } from '../node/src/types/block.ts';
import { type ChainState, firstState } from '../node/src/types/chain-state.ts';
import { BLOCK_ID_FLAG, type Commit, EMPTY_COMMIT } from '../node/src/types/commit.ts';
import { DEFAULT_PARAMS } from '../node/src/types/params.ts';
import { PartSet } from '../node/src/types/part-set.ts';
import { resultsHash } from '../node/src/types/results.ts';
import { LevelChainStore } from '../node/state/chain-store.ts';
import { Database } from '../node/state/database.ts';
import { SPACE } from '../node/state/spaces.ts';
import { LevelStateStore } from '../node/state/state-store.ts';
import { Costs, collect, memoryMiB, rounded } from './bench/measure.ts';

const CHAIN_ID = 'bench-commit';
const VALIDATORS = 4;

const { values: options } = parseArgs({
  options: {
    txs: { type: 'string', default: '500' },
    ops: { type: 'string', default: '1' },
    size: { type: 'string', default: '64' },
    blocks: { type: 'string', default: '30' },
    warm: { type: 'string', default: '10' },
    senders: { type: 'string', default: '256' },
    keyed: { type: 'boolean', default: false },
  },
});
const [txsPerBlock, ops, size, blocks, warm, senderCount] = [
  options.txs,
  options.ops,
  options.size,
  options.blocks,
  options.warm,
  options.senders,
].map(Number) as [number, number, number, number, number, number];

/** By step: microseconds of CPU for a transaction, and milliseconds of the clock for a block. */
function perStep(costs: Costs, txs: number): object {
  const micros = costs.micros(txs);
  const entries = [...costs.sums].map(([name, { wallMs }]) => {
    return [name, [micros[name], rounded(wallMs / blocks)]] as const;
  });
  const all = Object.values(micros).reduce((sum, cpu) => sum + cpu, 0);
  return { ...Object.fromEntries(entries), all: rounded(all) };
}

let costs = new Costs();

const senders = Array.from({ length: senderCount }, (_, i) => {
  const publicKey = concatBytes(Uint8Array.of(2), sha256(u64be(i)));
  const address = encodeBech32('metatron', hash160(publicKey));
  return { secret: sha256(u64be(i)), publicKey, address };
});

function makeTx(index: number): Uint8Array {
  const at = index % senders.length;
  const sender = present(senders[at], 'sender');
  const messages = Array.from({ length: ops }, (_, op) => {
    const content = utf8(`${index}/${op} `.padEnd(size, 'memory of an agent; ').slice(0, size));
    return putMessage(
      sender.address,
      options.keyed ? { content, key: `k${index % 999}` } : { content },
    );
  });
  const sequence = BigInt(Math.floor(index / senders.length));
  const signing = { ...sender, chainId: CHAIN_ID, accountNumber: BigInt(at), sequence };
  // The bytes of a signature, for a ledger that takes any.
  return signTransaction(messages, signing, freeTerms(messages), (hash) => {
    return concatBytes(hash, hash);
  });
}

async function start(path: string) {
  const db = await Database.open(path);
  const chain = await LevelChainStore.open(db);
  const store = await LevelStateStore.open(db);
  const finalize = store.finalize.bind(store);
  store.finalize = (...change) => costs.add('finalize', () => finalize(...change));
  const space = db.space(SPACE.index);
  const index = new ChainIndex(
    {
      get: (key) => space.get(key),
      stage: (key, value) => space.stage(key, value),
      range: async (range) => (await space.range(range)).map(([key, value]) => ({ key, value })),
      remove: (keys) => db.write(keys.map((key) => [SPACE.index, key, undefined])),
    },
    chain,
  );
  const ledger = new Ledger({
    store,
    keys: secp256k1Keys,
    verifySecp256k1: () => true,
    blockHash: (height) => sha256(u64be(height)),
  });
  await ledger.initChain({
    time: 0n,
    chainId: CHAIN_ID,
    params: DEFAULT_PARAMS,
    validators: [],
    appState: utf8(JSON.stringify(ledgerState({}, senders))),
    initialHeight: 1,
  });
  const validators = Array.from({ length: VALIDATORS }, (_, i) => {
    return { publicKey: { type: 'ed25519' as const, bytes: sha256(u64be(i)) }, power: 10n };
  });
  const of = { chainId: CHAIN_ID, initialHeight: 1, params: DEFAULT_PARAMS };
  const state = firstState({ ...of, time: 0n, validators, appHash: sha256(EMPTY) });
  await chain.saveGenesis(state);
  return { db, chain, store, index, ledger, state };
}

type Node = Awaited<ReturnType<typeof start>>;

/** A block as one that was received in parts. */
function received(made: Block) {
  const whole = wholeBlockOf(made);
  const parts = PartSet.collecting(whole.parts.header);
  for (let i = 0; i < parts.header.total; i++) {
    const part = present(whole.parts.get(i), 'part');
    parts.add({ ...part, bytes: part.bytes.slice() });
  }
  return { parts, block: blockCodec.decode(parts.join()), blockId: whole.blockId };
}

async function runBlock(
  node: Node,
  state: ChainState,
  txs: readonly Uint8Array[],
  lastCommit: Commit,
) {
  const { ledger, chain, index } = node;
  const proposerAddress = state.validators.proposer.address;
  const made = makeBlock(state, { txs, evidence: [], lastCommit, proposerAddress });
  const { block, parts, blockId } = received(made);
  const height = block.header.height;
  const context = {
    height,
    time: BigInt(height) * 1_000_000_000n,
    misbehavior: [],
    nextValidatorsHash: EMPTY,
    proposerAddress,
    hash: blockId.hash,
    txs: block.data.txs,
  };
  const votes = { round: 0, votes: [] };
  const accepted = await ledger.processProposal({ ...context, proposedLastCommit: votes });
  const results = await costs.add('finalizeBlock', () =>
    ledger.finalizeBlock({ ...context, decidedLastCommit: votes }),
  );
  invariant(accepted && results.txResults.every(({ code }) => code === 0), 'all is executed');
  await costs.add('resultsHash', () => resultsHash(results.txResults));
  const next = nextState(state, blockId, block, results);
  await costs.add('state.commit', () => ledger.commit());
  const signatures = state.validators.validators.map(({ address }) => ({
    blockIdFlag: BLOCK_ID_FLAG.commit,
    validatorAddress: address,
    timestamp: context.time,
    signature: concatBytes(blockId.hash, blockId.hash),
  }));
  const seenCommit = { height, round: 0, blockId, signatures };
  const committed = { block, blockId, parts, seenCommit, results, state: next };
  await costs.add('index.stage', () => index.stage(committed));
  await costs.add('chain.commit', () => chain.commit(committed));
  return { state: next, lastCommit: seenCommit };
}

/** Memory in MiB. */
function memory(): object {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const mib = (bytes: number): number => rounded(bytes / 2 ** 20);
  return {
    rss: memoryMiB('VmRSS'),
    peak: memoryMiB('VmHWM'),
    anonymous: memoryMiB('RssAnon'),
    heapUsed: mib(heapUsed),
    external: mib(external),
    arrayBuffers: mib(arrayBuffers),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'metatron-bench-'));
try {
  const node = await start(join(folder, 'db'));
  let at: { state: ChainState; lastCommit: Commit } = {
    state: node.state,
    lastCommit: EMPTY_COMMIT,
  };
  let made = 0;
  for (let n = 0; n < warm + blocks; n++) {
    if (n === warm) costs = new Costs();
    const txs = Array.from({ length: txsPerBlock }, () => makeTx(made++));
    at = await runBlock(node, at.state, txs, at.lastCommit);
  }
  const micros = perStep(costs, blocks * txsPerBlock);
  const busy = memory();
  collect();
  console.log(JSON.stringify({ ...options, micros, busy, rest: memory() }));
  await node.db.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
