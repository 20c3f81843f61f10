/**
 * REST about contracts: calls, events and errors in words, transfers by page, transactions by the
 * hash that Ethereum gives them.
 *
 * @module
 */
import { expect } from 'chai';
import { getBytes, Interface, keccak256, Wallet, zeroPadValue } from 'ethers';
import { fromHex, utf8 } from '../../node/src/base/bytes.ts';
import { present } from '../../node/src/base/errors.ts';
import { abi as tokenAbi } from '../../node/src/gen/contracts/example-token.ts';
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryBlockReceiptsRequest,
  QueryBlockReceiptsResponse,
  QueryBlockRequest,
  QueryBlockResponse,
  QueryReceiptRequest,
  QueryReceiptResponse,
} from '../../node/src/gen/metatron/evm/v1/query.ts';
import { BlockSummary, type Log, Receipt } from '../../node/src/gen/metatron/evm/v1/state.ts';
import { wrapEthereumTx } from '../../node/src/ledger/ethereum/wrapper.ts';
import { bloomBits } from '../../node/src/rpc/eth/transactions.ts';
import type { TransferList } from '../../node/src/rpc/rest/contract-schemas.ts';
import { decodeCall, decodeError, decodeEvent } from '../../node/src/rpc/rest/contract-words.ts';
import type { TxAnswer } from '../../node/src/rpc/rest/schemas.ts';
import { restEndpoints } from '../../node/src/rpc/web.ts';
import { LEDGER_CONTRACTS } from '../../node/src/types/contracts.ts';
import { ChainFixture } from './chain-fixture.ts';

const { MemoryRules, RateLimitPolicy } = LEDGER_CONTRACTS;
const rules = new Interface(MemoryRules.abi);
const token = new Interface(tokenAbi);
const SPACE = `0x${'5a'.repeat(32)}`;
const [TOKEN, ALICE, BOB] = ['11', 'aa', 'bb'].map((digits) => `0x${digits.repeat(20)}`) as [
  string,
  string,
  string,
];
const TRANSFER = present(token.getEvent('Transfer'), 'Transfer').topicHash;

describe('contracts in words', () => {
  it('names calls of the ledger’s contracts and of tokens, and no others', () => {
    const grant = rules.encodeFunctionData('grant', [SPACE, ALICE, 2, 0]);
    const call = decodeCall(MemoryRules.address, grant);
    expect([call?.contract, call?.name]).to.deep.equal(['MemoryRules', 'grant']);
    expect(call?.signature).to.equal('grant(bytes32,address,uint256,uint256)');
    expect(call?.args.map(({ value }) => value)).to.deep.equal([SPACE, ALICE, '2', '0']);
    const transfer = token.encodeFunctionData('transfer', [BOB, 5]);
    expect(decodeCall(TOKEN, transfer)).to.deep.include({ contract: 'ERC-20', name: 'transfer' });
    expect(decodeCall(TOKEN, grant)).to.equal(null);
    expect(decodeCall(TOKEN, transfer.slice(0, -2))).to.equal(null);
    expect(decodeCall(undefined, transfer)).to.equal(null);
    expect(decodeCall(TOKEN, '0x')).to.equal(null);
  });

  it('tells lists and structures as arrays of JSON', () => {
    const operations = [[1, 3, SPACE, SPACE]];
    const decide = rules.encodeFunctionData('decide', [[], [], operations, [ALICE], ['0xff']]);
    const call = decodeCall(MemoryRules.address, decide);
    const values = call?.args.map(({ value }) => value);
    expect(values).to.deep.equal([[], [], [['1', '3', SPACE, SPACE]], [ALICE], ['0xff']]);
    expect(JSON.stringify(call)).to.be.a('string');
  });

  it('tells tokens of one standard from the other by their events', () => {
    const parties = [ALICE, BOB].map((address) => zeroPadValue(address, 32));
    const amount = zeroPadValue('0x07', 32);
    const coins = decodeEvent(TOKEN, [TRANSFER, ...parties], amount);
    expect([coins?.contract, coins?.args[2]?.value]).to.deep.equal(['ERC-20', '7']);
    const thing = decodeEvent(TOKEN, [TRANSFER, ...parties, amount], '0x');
    expect([thing?.contract, thing?.args[2]?.name]).to.deep.equal(['ERC-721', 'tokenId']);
    expect(decodeEvent(TOKEN, [TRANSFER], amount)).to.equal(null);
    expect(decodeEvent(TOKEN, [], amount)).to.equal(null);
  });

  it('names an error and the one inside it', () => {
    const limits = new Interface(RateLimitPolicy.abi);
    const inner = limits.encodeErrorResult('PolicyNotConfigured', [SPACE]);
    const outer = rules.encodeErrorResult('MemoryRulesPolicyRefused', [SPACE, ALICE, inner]);
    const found = decodeError(outer);
    expect([found?.name, found?.reason?.name]).to.deep.equal([
      'MemoryRulesPolicyRefused',
      'PolicyNotConfigured',
    ]);
    const text = new Interface(['error Error(string)']).encodeErrorResult('Error', ['too late']);
    expect(decodeError(text)).to.deep.include({ contract: 'Solidity', reason: null });
    expect(decodeError('0xdeadbeef')).to.equal(null);
    expect(decodeError('0x')).to.equal(null);
  });
});

describe('contracts over REST', () => {
  const chain = new ChainFixture();
  const receipts: Receipt[] = [];
  const wallet = Wallet.createRandom();
  let raw = '';

  function log(from: string, to: string, amount: number): Log {
    const topics = [TRANSFER, zeroPadValue(from, 32), zeroPadValue(to, 32)].map((t) => getBytes(t));
    const data = getBytes(zeroPadValue(`0x0${amount}`, 32));
    return { address: getBytes(TOKEN), topics, data };
  }

  function bloomOf(logs: readonly Log[]): Uint8Array {
    const bloom = new Uint8Array(256);
    for (const word of logs.flatMap(({ address, topics }) => [address, ...topics])) {
      for (const bit of bloomBits(getBytes(keccak256(word)))) {
        bloom[255 - (bit >> 3)] = (bloom[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7));
      }
    }
    return bloom;
  }

  /** A block with one Ethereum transaction that says this. */
  function produce(tx: Uint8Array, hash: Uint8Array, logs: readonly Log[]): void {
    const { block } = chain.produce([utf8('n=1'), tx]);
    const height = BigInt(block.header.height);
    const done = { blockIndex: 1, status: 1, effectiveGasPrice: '1' };
    receipts.push(Receipt.fromPartial({ ...done, hash, height, logs: [...logs] }));
  }

  const at = (height: bigint): Receipt[] => receipts.filter((one) => one.height === height);

  before(async () => {
    const answer = (name: string, call: (data: Uint8Array) => Uint8Array): void => {
      const path = `/metatron.evm.v1.Query/${name}`;
      chain.queries.set(path, ({ data }) => ({ value: call(data) }));
    };
    answer('Account', (data) => {
      const { address } = QueryAccountRequest.decode(data);
      const evmAddress = getBytes(address);
      return QueryAccountResponse.encode(
        QueryAccountResponse.fromPartial({ address, evmAddress }),
      ).finish();
    });
    answer('Receipt', (data) => {
      const { hash } = QueryReceiptRequest.decode(data);
      const receipt = receipts.find((one) => Buffer.compare(one.hash, hash) === 0);
      return QueryReceiptResponse.encode({ receipt }).finish();
    });
    answer('Block', (data) => {
      const { height } = QueryBlockRequest.decode(data);
      const logs = at(height).flatMap((one) => one.logs);
      const summary = BlockSummary.fromPartial({
        height,
        bloom: bloomOf(logs),
        logCount: logs.length,
      });
      return QueryBlockResponse.encode({ summary }).finish();
    });
    answer('BlockReceipts', (data) => {
      const { height } = QueryBlockReceiptsRequest.decode(data);
      return QueryBlockReceiptsResponse.encode({ receipts: at(height) }).finish();
    });
    const data = token.encodeFunctionData('transfer', [BOB, 1]);
    const draft = { chainId: 7, nonce: 3, gasLimit: 60_000, to: TOKEN, data, type: 2 };
    raw = await wallet.signTransaction({ ...draft, maxFeePerGas: 9, maxPriorityFeePerGas: 1 });
    produce(wrapEthereumTx(getBytes(raw)), getBytes(keccak256(raw)), [log(ALICE, BOB, 1)]);
    const other = (i: number): Uint8Array => getBytes(zeroPadValue(`0x0${i}`, 32));
    produce(utf8('e=2'), other(2), [log(ALICE, BOB, 2), log(BOB, ALICE, 3), log(TOKEN, BOB, 4)]);
    chain.produce([]);
    produce(utf8('e=3'), other(3), [log(BOB, TOKEN, 5)]);
    produce(utf8('e=4'), other(4), [log(ALICE, TOKEN, 6)]);
  });

  async function get(path: string, params: Readonly<Record<string, string>>): Promise<unknown> {
    const endpoints = restEndpoints(chain.ports(), 'metatron');
    const found = present(
      endpoints.find((one) => one.path === path),
      path,
    );
    const body = await found.call(found.params.parse(params));
    return found.answer.parse(body);
  }

  it('pages the transfers of an account, newest first, without gap or repeat', async () => {
    for (const [address, amounts] of [
      [ALICE, ['6', '3', '2', '1']],
      [BOB, ['5', '4', '3', '2', '1']],
      [`0x${'cc'.repeat(20)}`, []],
    ] as const) {
      for (const limit of ['1', '2', '50']) {
        const seen: unknown[] = [];
        for (let cursor: string | null = '99'; cursor !== null; ) {
          const where = { address, limit, cursor };
          const page = (await get('/v1/accounts/:address/transfers', where)) as TransferList;
          seen.push(...page.transfers.map(({ amount }) => amount));
          cursor = page.next;
        }
        expect(seen, `${address} ${limit}`).to.deep.equal(amounts);
      }
    }
  });

  it('gives a contract’s events, decoded', async () => {
    const page = await get('/v1/contracts/:address/events', { address: TOKEN, limit: '2' });
    const { events } = page as { events: readonly { decoded: { name: string } | null }[] };
    expect(events.map(({ decoded }) => decoded?.name)).to.deep.equal(['Transfer', 'Transfer']);
  });

  it('finds a transaction by the hash that Ethereum gives it, and decodes it', async () => {
    const hash = keccak256(raw);
    const found = (await get('/v1/transactions/:hash', { hash })) as TxAnswer;
    const ours = (await get('/v1/transactions/:hash', { hash: found.hash })) as TxAnswer;
    expect(ours).to.deep.equal(found);
    const { ethereum } = found;
    expect(ethereum).to.deep.include({
      hash,
      nonce: 3,
      chainId: '7',
      to: TOKEN,
      maxFeePerGas: '9',
    });
    expect(ethereum?.from).to.equal(wallet.address.toLowerCase());
    expect(ethereum?.call).to.deep.include({ contract: 'ERC-20', name: 'transfer' });
    expect(ethereum?.outcome?.logs[0]?.decoded).to.deep.include({ name: 'Transfer' });
    const native = present(fromHex(found.hash), 'hash');
    expect(chain.index.locate(native)).to.deep.equal({ height: 1, index: 1 });
  });
});
