/**
 * Transactions per second of the EVM benchmark, and calls that do many things at once.
 *
 * The token is the shape of an ERC-20 in few operations: a balance is a slot at keccak(owner, 0), a
 * transfer checks and changes two of them and logs. The batch writes and checks a slot for each
 * 32 bytes it is given, as a rules contract does for operations on memory.
 *
 * @module
 */
import { concatBytes } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { slotCodec, slotKey } from '../../node/src/ledger/evm/records.ts';
import { keccak256 } from '../../node/src/ledger/keccak.ts';
import { address, BLOCK, cpuSince, stateWith, TARGET, theEngine } from './run.ts';

const SENDERS = 50;
const TXS = 1_500;
const SELECTOR = Uint8Array.of(0xa9, 0x05, 0x9c, 0xbb);

/** Operations in order, as hex. */
function code(...parts: readonly string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(parts.join('').replaceAll(' ', ''), 'hex'));
}

/** transfer(to, amount), without the selector's check. */
const TOKEN = code(
  '33 5f52 5f 6020 52 6040 5f 20', // slot of the caller
  '80 54 6024 35 80 82 10 6044 57', // balance, amount; jumps to a revert if it is too small
  '81 81 03 83 55 90 50', // the caller's new balance
  '6004 35 5f52 6040 5f 20 80 54 82 01 90 55', // the receiver's
  '80 5f52 6004 35 33', // the log
  `7f${'ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'}`,
  '6020 5f a3 6001 5f52 6020 5f f3',
);

/** For each word of the input: adds one to the slot of that name. */
const BATCH = code('5f 5b 36 81 10 15 6017 57 80 35 80 54 6001 01 90 55 6020 01 6001 56 5b 5b 5b');

function word(bytes: Uint8Array): Uint8Array {
  return concatBytes(new Uint8Array(32 - bytes.length), bytes);
}

async function tokenRate(): Promise<{ perSecond: number; gas: number }> {
  const engine = await theEngine();
  const senders = Array.from({ length: SENDERS }, (_, i) => address(0x10000 + i));
  const accounts = senders.map((sender) => [sender, new Uint8Array(0)] as const);
  const state = stateWith([[TARGET, TOKEN], ...accounts]);
  for (const sender of senders) {
    const slot = keccak256(concatBytes(word(sender), new Uint8Array(32)));
    state.write(slotKey(TARGET, slot), slotCodec, 10n ** 20n);
  }
  const one = new Uint8Array(32);
  one[31] = 1;
  let gas = 0n;
  const run = async (from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i++) {
      const receiver = word(address(0x20000 + (i % 997)));
      const outcome = await engine.execute(state, BLOCK, {
        from: present(senders[i % SENDERS], 'sender'),
        to: TARGET,
        value: 0n,
        data: concatBytes(SELECTOR, receiver, one),
        gasLimit: 100_000n,
        nonce: BigInt(Math.floor(i / SENDERS)),
        maxFeePerGas: 1n,
        maxPriorityFeePerGas: 1n,
        accessList: [],
      });
      if (outcome.status !== 1) throw new TypeError(`a transfer failed: ${outcome.error}`);
      gas = outcome.gasUsed;
    }
  };
  await run(0, 500);
  const start = process.cpuUsage();
  await run(500, TXS);
  return { perSecond: Math.round(TXS / cpuSince(start)), gas: Number(gas) };
}

async function batchMicros(size: number): Promise<number> {
  const engine = await theEngine();
  const state = stateWith([[TARGET, BATCH]]);
  const times = Math.max(20, Math.ceil(2_000 / size));
  const call = (round: number): Promise<unknown> => {
    const words = Array.from({ length: size }, (_, i) =>
      keccak256(Uint8Array.of(round & 255, i & 255, i >> 8)),
    );
    const from = address(0xfe);
    const data = concatBytes(...words);
    const request = { from, to: TARGET, value: 0n, data, gasLimit: 100_000_000n };
    return engine.call(state, BLOCK, request, { keep: true });
  };
  for (let i = 0; i < times; i++) await call(i);
  const start = process.cpuUsage();
  for (let i = 0; i < times; i++) await call(i + 100);
  return Math.round((cpuSince(start) * 1e6) / times);
}

/** Figures by name. */
export async function rates(): Promise<object> {
  const token = await tokenRate();
  const microsPerCall: Record<string, number> = {};
  for (const size of [1, 10, 50, 200]) microsPerCall[String(size)] = await batchMicros(size);
  return { tokenTransfersPerSecond: token.perSecond, gasPerTransfer: token.gas, microsPerCall };
}
