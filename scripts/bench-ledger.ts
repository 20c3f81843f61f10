/**
 * Measures the ledger alone: `npx node scripts/bench-ledger.ts [--txs N] [--blocks N]
 * [--only put|keyedPut|send|puts50]`.
 *
 * Prints one line of JSON: CPU per transaction of each call the engine makes, with 1 and with 50
 * puts in a transaction, on a store that is a map, so that storage does not count. As on a
 * validator that does not propose, a block's transactions are other arrays than those that were
 * checked. `signature` is one native check alone, which `checkTx` contains. Not part of the tests.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import secp from 'secp256k1';
import { u64be, utf8 } from '../node/src/base/bytes.ts';
import { invariant } from '../node/src/base/errors.ts';
import { sha256 } from '../node/src/base/hash.ts';
import { secp256k1Keys, verifySecp256k1 } from '../node/src/crypto/secp256k1.ts';
import { Ledger } from '../node/src/ledger/ledger.ts';
import { ledgerState } from '../node/src/ops/ledger-state.ts';
import { putMessage, sendMessage } from '../node/src/ops/transaction.ts';
import { DEFAULT_PARAMS } from '../node/src/types/params.ts';
import { RowlessStore } from './bench/map-store.ts';
import { Costs, cost, none, rounded } from './bench/measure.ts';
import { makeSenders, senderOf, signed } from './bench/senders.ts';

const CHAIN_ID = 'bench-ledger';
const SENDERS = 20;
const CONTENT_BYTES = 200;
/** Blocks before measuring, so that code is compiled. */
const WARM_BLOCKS = 6;
const EMPTY = new Uint8Array(0);

const { values: options } = parseArgs({
  options: {
    txs: { type: 'string', default: '400' },
    blocks: { type: 'string', default: '10' },
    only: { type: 'string' },
  },
});
const [txsPerBlock, blocks] = [Number(options.txs), Number(options.blocks)];

const senders = makeSenders(SENDERS);

type Load = { readonly ops: number; readonly kind: 'put' | 'keyed' | 'send' };

function makeTx(index: number, { ops, kind }: Load): Uint8Array {
  const sender = senderOf(senders, index);
  const to = senderOf(senders, index + 7);
  const messages = Array.from({ length: ops }, (_, op) => {
    if (kind === 'send') {
      return sendMessage(sender.address, to.address, [{ denom: 'aphi', amount: '1' }]);
    }
    const content = utf8(`${index}/${op} `.padEnd(CONTENT_BYTES, 'memory of an agent; '));
    const key = kind === 'keyed' ? `key ${index}/${op}` : '';
    return putMessage(sender.address, { content, key });
  });
  return signed(messages, CHAIN_ID, senders, index);
}

async function start(): Promise<Ledger> {
  const ledger = new Ledger({
    store: new RowlessStore(),
    keys: secp256k1Keys,
    verifySecp256k1,
    blockHash: (height) => sha256(u64be(height)),
  });
  const state = ledgerState({}, senders);
  await ledger.initChain({
    time: 0n,
    chainId: CHAIN_ID,
    params: DEFAULT_PARAMS,
    validators: [],
    appState: utf8(JSON.stringify(state)),
    initialHeight: 1,
  });
  return ledger;
}

function context(height: number) {
  return {
    height,
    time: BigInt(height) * 1_000_000_000n,
    misbehavior: [],
    nextValidatorsHash: EMPTY,
    proposerAddress: EMPTY,
    hash: sha256(u64be(height)),
  };
}

const COMMIT = { round: 0, votes: [] };

async function runBlock(ledger: Ledger, height: number, txs: Uint8Array[], costs: Costs) {
  const of = context(height);
  const passed = await costs.add('checkTx', () =>
    txs.every((tx) => ledger.checkTx({ tx, kind: 'new' }).code === 0),
  );
  invariant(passed, 'every transaction passes');
  const picked = await costs.add('prepare', () =>
    ledger.prepareProposal({ ...of, txs, maxTxBytes: 2 ** 25, localLastCommit: COMMIT }),
  );
  const received = picked.map((tx) => tx.slice());
  const accepted = await costs.add('process', () =>
    ledger.processProposal({ ...of, txs: received, proposedLastCommit: COMMIT }),
  );
  const { txResults } = await costs.add('finalize', () =>
    ledger.finalizeBlock({ ...of, txs: received, decidedLastCommit: COMMIT }),
  );
  invariant(accepted && txResults.every(({ code }) => code === 0), 'every transaction is executed');
  await costs.add('commit', () => ledger.commit());
  return txResults.reduce((sum, { gasUsed }) => sum + gasUsed, 0);
}

async function measure(load: Load): Promise<object> {
  const ledger = await start();
  const count = Math.max(SENDERS, Math.floor(txsPerBlock / load.ops / SENDERS) * SENDERS);
  const costs = new Costs();
  let index = 0;
  let gas = 0;
  for (let height = 1; height <= blocks + WARM_BLOCKS; height++) {
    const txs = Array.from({ length: count }, () => makeTx(index++, load));
    const warm = height > WARM_BLOCKS;
    const used = await runBlock(ledger, height, txs, warm ? costs : new Costs());
    if (warm) gas += used;
  }
  const pending = Array.from({ length: count }, () => makeTx(index++, load));
  for (const tx of pending) ledger.checkTx({ tx, kind: 'new' });
  await costs.add('recheck', () => {
    for (let i = 0; i < blocks; i++)
      for (const tx of pending) ledger.checkTx({ tx, kind: 'recheck' });
  });
  const micros = costs.micros(count * blocks);
  const execution = (micros['finalize'] ?? 0) + (micros['process'] ?? 0);
  const gasPerTx = gas / (count * blocks);
  return { micros, gasPerTx, gasPerMicro: rounded(gasPerTx / execution) };
}

async function signatureMicros(): Promise<number> {
  const sender = senderOf(senders, 0);
  const digest = sha256(EMPTY);
  const { signature } = secp.ecdsaSign(digest, sender.secret);
  const sum = none();
  await cost(sum, () => {
    for (let i = 0; i < 2_000; i++) verifySecp256k1(sender.publicKey, digest, signature);
  });
  return rounded(sum.cpuMs / 2);
}

const LOADS: Readonly<Record<string, Load>> = {
  put: { ops: 1, kind: 'put' },
  keyedPut: { ops: 1, kind: 'keyed' },
  send: { ops: 1, kind: 'send' },
  puts50: { ops: 50, kind: 'put' },
};

const measured: Record<string, unknown> = { signature: await signatureMicros() };
for (const [name, load] of Object.entries(LOADS)) {
  if (options.only === undefined || options.only === name) measured[name] = await measure(load);
}
console.log(JSON.stringify(measured, undefined, 1));
