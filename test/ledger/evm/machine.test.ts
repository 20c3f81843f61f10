/**
 * The engine: transactions, bare calls, creations at fixed addresses, authorizations, tracers.
 *
 * @module
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { expect } from 'chai';
import { hashAuthorization } from 'ethers';
import { concatBytes, EMPTY, toHex } from '../../../node/src/base/bytes.ts';
import { createEngine } from '../../../node/src/ledger/evm/engine.ts';
import { Machine } from '../../../node/src/ledger/evm/machine.ts';
import type {
  EvmAccess,
  EvmAuthorization,
  EvmEngine,
  EvmOutcome,
  EvmTx,
} from '../../../node/src/ledger/evm/types.ts';
import { effectivePrice, faultOf } from '../../../node/src/ledger/evm/validity.ts';
import { keccak256 } from '../../../node/src/ledger/keccak.ts';
import { address, block, FlatWorld, hex, ports, word } from './world.ts';

const SENDER = address('5e4d');
const TARGET = address('aa01');
const OTHER = address('aa02');
const RICH = 10n ** 18n;
/** Stores what it is called with at slot 0, logs it, and returns it. */
const KEEPER = hex('5f35805f5560205f5f3760205fa060205ff3');

function tx(more: Partial<EvmTx> = {}): EvmTx {
  return {
    from: SENDER,
    to: TARGET,
    value: 0n,
    data: word(42n),
    gasLimit: 100_000n,
    nonce: 0n,
    maxFeePerGas: 100n,
    maxPriorityFeePerGas: 3n,
    accessList: [],
    ...more,
  };
}

function world(code: Uint8Array = KEEPER): FlatWorld {
  return new FlatWorld().begin([
    [SENDER, { balance: RICH }],
    [TARGET, { nonce: 1n, code }],
  ]);
}

/** Init code that returns `code`. */
function initOf(code: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x60, code.length, 0x80, 0x60, 9, 0x5f, 0x39, 0x5f, 0xf3), code);
}

describe('EVM: engine', () => {
  const given = ports({ chainId: 77n });
  let engine: EvmEngine;
  before(async () => {
    engine = await createEngine(given);
  });

  it('burns the base fee, pays the tip, and keeps the supply right', async () => {
    const w = world();
    const b = block({ baseFee: 7n });
    const outcome = await engine.execute(w.state, b, tx());
    expect(outcome).to.include({ status: 1, gasPrice: 10n, error: undefined });
    expect(toHex(outcome.returned)).to.equal(toHex(word(42n)));
    expect(outcome.logs.map((log) => toHex(log.data))).to.deep.equal([toHex(word(42n))]);
    const seen = w.accounts();
    expect(seen.get(toHex(SENDER))).to.include({
      nonce: 1n,
      balance: RICH - 10n * outcome.gasUsed,
    });
    expect(seen.get(toHex(b.proposer))?.balance).to.equal(3n * outcome.gasUsed);
    expect(w.supply).to.equal(RICH - 7n * outcome.gasUsed);
    expect(w.supply).to.equal(w.total());
  });

  it('keeps fee and nonce of a transaction that fails, and nothing else', async () => {
    const w = world(hex('60016001555f5ffd'));
    const outcome = await engine.execute(w.state, block(), tx());
    expect(outcome).to.include({ status: 0, error: 'revert' });
    expect(w.accounts().get(toHex(TARGET))?.storage.size).to.equal(0);
    expect(w.accounts().get(toHex(SENDER))?.nonce).to.equal(1n);
  });

  it('names the fault of a transaction as geth does', () => {
    const w = world();
    const text = (more: Partial<EvmTx>, b = block({ baseFee: 7n })): string =>
      faultOf(given, w.state, b, tx(more))?.text.split(':')[0] ?? '';
    expect(text({ nonce: 1n })).to.equal('nonce too high');
    expect(text({ maxFeePerGas: 6n, maxPriorityFeePerGas: 1n })).to.match(/^max fee per gas less/);
    expect(text({ maxFeePerGas: 8n, maxPriorityFeePerGas: 9n })).to.match(/^max priority fee/);
    expect(text({ value: RICH })).to.equal('insufficient funds for gas * price + value');
    expect(text({ gasLimit: 21_000n })).to.equal('intrinsic gas too low');
    expect(text({ gasLimit: 30_000_001n })).to.equal('exceeds block gas limit');
    expect(text({ gasLimit: 16_777_217n })).to.equal('transaction gas limit too high (cap');
    expect(text({ data: new Uint8Array(1_000).fill(1), gasLimit: 40_000n })).to.match(/floor data/);
    expect(text({ authorizations: [] })).to.match(/^EIP-7702 transaction with empty/);
    expect(text({ from: TARGET, nonce: 1n })).to.equal('sender not an eoa');
    const init = new Uint8Array(49_153);
    expect(text({ to: undefined, data: init, gasLimit: 9_000_000n })).to.match(/^max initcode/);
    expect(text({})).to.equal('');
    expect(effectivePrice(tx(), 99n)).to.equal(100n);
  });

  it('calls without a trace, with parts of the state replaced', async () => {
    const w = world();
    const before = w.mptRoot();
    const options = {
      overrides: [
        { address: TARGET, slots: [[word(1n), word(9n)] as const] },
        { address: OTHER, balance: 5n, code: hex('600154') },
      ],
    };
    const call = { from: SENDER, to: OTHER, value: 0n, data: EMPTY, gasLimit: 50_000n };
    await engine.call(w.state, block(), call, options);
    const balance = hex('475f5260205ff3');
    const overrides = [{ address: OTHER, balance: 5n, code: balance }];
    const { returned } = await engine.call(w.state, block(), call, { overrides });
    expect(toHex(returned)).to.equal(toHex(word(5n)));
    expect(toHex(w.mptRoot())).to.equal(toHex(before));
    expect(w.state.size).to.equal(0);
  });

  it('keeps what the system caller changes, without fee or nonce', async () => {
    const w = world();
    const call = { from: address('fe'), to: TARGET, value: 0n, data: word(7n), gasLimit: 90_000n };
    const outcome = await engine.call(w.state, block({ baseFee: 7n }), call, { keep: true });
    expect(outcome.status).to.equal(1);
    expect(
      w
        .accounts()
        .get(toHex(TARGET))
        ?.storage.get(toHex(word(0n))),
    ).to.equal(7n);
    expect(w.accounts().has(toHex(address('fe')))).to.equal(false);
    expect(w.supply).to.equal(RICH);
  });

  it('runs constructors at fixed addresses', async () => {
    const w = new FlatWorld();
    const at = address('4d01');
    const data = concatBytes(hex('6005600155'), initOf(KEEPER).fill(14, 4, 5));
    const outcome = await engine.createAt(w.state, block(), {
      from: address('fe'),
      at,
      data,
      value: 0n,
      gasLimit: 1_000_000n,
    });
    expect(outcome).to.include({ status: 1, error: undefined });
    const seen = w.accounts().get(toHex(at));
    expect(seen).to.include({ nonce: 1n, balance: 0n });
    expect(toHex(seen?.code ?? EMPTY)).to.equal(toHex(KEEPER));
    expect(seen?.storage.get(toHex(word(1n)))).to.equal(5n);
    w.settle();
    const call = { from: SENDER, to: at, value: 0n, data: word(3n), gasLimit: 90_000n };
    expect((await engine.call(w.state, block(), call)).status).to.equal(1);
  });

  it('deploys the same code twice in a block with one row', async () => {
    const w = world();
    const deploy = tx({ to: undefined, data: initOf(KEEPER), gasLimit: 200_000n });
    const mark = w.state.mark();
    await engine.execute(w.state, block(), deploy);
    w.state.revert(mark);
    const first = await engine.execute(w.state, block(), deploy);
    const second = await engine.execute(w.state, block(), { ...deploy, nonce: 1n });
    expect(toHex(first.created ?? EMPTY)).to.not.equal(toHex(second.created ?? EMPTY));
    // The target's code is the same, and its row is there already.
    expect(w.state.rows().length).to.equal(0);
    const fresh = { ...deploy, data: initOf(hex('5f5ffd')) };
    await engine.execute(w.state, block(), { ...fresh, nonce: 2n });
    await engine.execute(w.state, block(), { ...fresh, nonce: 3n });
    expect(w.state.rows().length).to.equal(1);
  });

  it('takes away what one transaction created and destroyed, its funds with it', async () => {
    const w = world();
    const init = hex('30ff');
    const outcome = await engine.execute(
      w.state,
      block(),
      tx({ to: undefined, data: init, value: 500n }),
    );
    expect(outcome.status).to.equal(1);
    expect(w.accounts().has(toHex(outcome.created ?? EMPTY))).to.equal(false);
    expect(w.supply).to.equal(RICH - 500n);
    expect(w.supply).to.equal(w.total());
  });

  function authorization(secret: Uint8Array, nonce: bigint, chainId = 77n): EvmAuthorization {
    const target = `0x${toHex(TARGET)}`;
    const digest = hex(hashAuthorization({ address: target, nonce, chainId }));
    const bytes = secp256k1.sign(digest, secret, { prehash: false, format: 'recovered' });
    const { r, s, recovery } = secp256k1.Signature.fromBytes(bytes, 'recovered');
    return { chainId, address: TARGET, nonce, yParity: BigInt(recovery ?? 0), r, s };
  }

  it('delegates an account by its signature, once, and tells of its key', async () => {
    const seen: string[] = [];
    const sighted = await Machine.create(
      ports({ chainId: 77n, sight: (_, key) => seen.push(toHex(key)) }),
    );
    const secret = keccak256(EMPTY);
    const key = secp256k1.getPublicKey(secret, false);
    const authority = keccak256(key.subarray(1)).subarray(12);
    const w = world();
    const authorizations = [
      authorization(secret, 0n, 78n),
      authorization(secret, 0n),
      authorization(secret, 0n),
      authorization(secret, 1n, 0n),
    ];
    const outcome = await sighted.execute(
      w.state,
      block(),
      tx({ to: authority, authorizations, gasLimit: 300_000n }),
    );
    expect(outcome.status).to.equal(1);
    const account = w.accounts().get(toHex(authority));
    expect(account?.nonce).to.equal(2n);
    expect(toHex(account?.code ?? EMPTY)).to.equal(`ef0100${toHex(TARGET)}`);
    expect(account?.storage.get(toHex(word(0n)))).to.equal(42n);
    expect(new Set(seen)).to.deep.equal(new Set([toHex(key)]));
    expect(faultOf(given, w.state, block(), tx({ from: authority, nonce: 2n }))?.code).to.equal(
      'insufficientFunds',
    );
    expect(w.supply).to.equal(w.total());
  });

  it('tells a tracer of each call, and lists what was touched', async () => {
    // Calls OTHER with static call, then creates an empty contract.
    const code = hex('5f5f5f5f61aa025afa5f5f5ff000');
    const w = world(code);
    const heard: string[] = [];
    const accessed: EvmAccess[] = [];
    const call = { from: SENDER, to: TARGET, value: 0n, data: EMPTY, gasLimit: 90_000n };
    await engine.call(w.state, block(), call, {
      tracer: {
        enter: ({ kind, depth }) => heard.push(`${kind} ${depth}`),
        leave: ({ error }) => heard.push(error ?? 'ok'),
      },
      accessed: (accesses) => accessed.push(...accesses),
    });
    expect(heard).to.deep.equal(['call 0', 'staticcall 1', 'ok', 'create 1', 'ok', 'ok']);
    expect(accessed.map((access) => toHex(access.address))).to.include(toHex(OTHER));
  });

  it('treats a creation that begins with ef as any other that fails', async () => {
    // Creates from its input with all gas, and returns the answer's size.
    const w = world(hex('365f5f37365f5ff0503d5f5260205ff3'));
    const run = (data: Uint8Array): Promise<EvmOutcome> => {
      const call = { from: SENDER, to: TARGET, value: 0n, data, gasLimit: 1_000_000n };
      return engine.call(w.state, block(), call, { keep: true });
    };
    const nonce = (): bigint | undefined => w.accounts().get(toHex(TARGET))?.nonce;
    // No operation: a 64th of the gas is left, and the nonce is counted.
    expect((await run(hex('ef0001'))).gasUsed > 900_000n).to.equal(true);
    expect(nonce()).to.equal(2n);
    // Reverts with it: gas and answer are kept.
    const reverted = await run(hex('60ef5f5360205ffd'));
    expect(reverted.gasUsed < 50_000n).to.equal(true);
    expect(toHex(reverted.returned)).to.equal(toHex(word(32n)));
    // Leaves it as code (EIP-3541).
    expect((await run(hex('60ef5f5360205ff3'))).gasUsed > 900_000n).to.equal(true);
    expect(nonce()).to.equal(4n);
  });

  it('forgets transient storage between runs, and answers hashes of blocks', async () => {
    const transient = world(hex('5f5c5f5260015f5d60205ff3'));
    const first = await engine.execute(transient.state, block(), tx());
    const second = await engine.execute(transient.state, block(), tx({ nonce: 1n }));
    expect(toHex(first.returned)).to.equal(toHex(second.returned));
    const hashes = world(hex('5f35405f5260205ff3'));
    const ask = async (height: bigint): Promise<string> => {
      const call = { from: SENDER, to: TARGET, value: 0n, data: word(height), gasLimit: 50_000n };
      return toHex((await engine.call(hashes.state, block({ height: 300 }), call)).returned);
    };
    expect(await ask(299n)).to.equal(toHex(block().blockHash(299)));
    expect(await ask(44n)).to.equal(toHex(block().blockHash(44)));
    expect(await ask(43n)).to.equal(toHex(word(0n)));
    expect(await ask(300n)).to.equal(toHex(word(0n)));
  });

  it('runs one after the other what is asked at once', async () => {
    const w = world();
    const outcomes = await Promise.all(
      [0n, 1n, 2n].map((nonce) =>
        engine.execute(w.state, block(), tx({ nonce, data: word(nonce + 1n) })),
      ),
    );
    expect(outcomes.map(({ status }) => status)).to.deep.equal([1, 1, 1]);
    expect(
      w
        .accounts()
        .get(toHex(TARGET))
        ?.storage.get(toHex(word(0n))),
    ).to.equal(3n);
  });

  it('leaves the overlay as it was when a run breaks', async () => {
    const w = world();
    const broken = engine.execute(w.state, block(), tx({ nonce: 5n }));
    const thrown = await broken.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(String(thrown)).to.contain('the nonce was checked');
    expect(w.state.size).to.equal(0);
    expect((await engine.execute(w.state, block(), tx())).status).to.equal(1);
  });

  it('aliases: two addresses are one account', async () => {
    const face = address('face');
    const aliased = await Machine.create(
      ports({ resolve: (_, id) => (toHex(id) === toHex(face) ? SENDER : id) }),
    );
    const w = world();
    const outcome = await aliased.execute(
      w.state,
      block(),
      tx({
        from: face,
        maxFeePerGas: 0n,
        maxPriorityFeePerGas: 0n,
        value: 5n,
        to: SENDER,
        data: EMPTY,
      }),
    );
    expect(outcome.status).to.equal(1);
    expect(w.accounts().get(toHex(SENDER))).to.include({ balance: RICH, nonce: 1n });
    expect(w.accounts().has(toHex(face))).to.equal(false);
    expect(w.supply).to.equal(w.total());
  });
});
