/**
 * Memory and contracts meet: what the EVM asks for is written, and contracts are told of blocks.
 *
 * @module
 */
import { expect } from 'chai';
import { Interface, type InterfaceAbi, type Result } from 'ethers';
import { encodeBech32 } from '../../../node/src/base/bech32.ts';
import { toHex, utf8 } from '../../../node/src/base/bytes.ts';
import { present } from '../../../node/src/base/errors.ts';
import { sha256 } from '../../../node/src/base/hash.ts';
import { merkleRoot } from '../../../node/src/base/merkle.ts';
import { secp256k1Keys } from '../../../node/src/crypto/secp256k1.ts';
import { abi as auditAbi, address as auditLog } from '../../../node/src/gen/contracts/audit-log.ts';
import {
  address as governors,
  abi as governorsAbi,
} from '../../../node/src/gen/contracts/governors.ts';
import { address as door, abi as doorAbi } from '../../../node/src/gen/contracts/ledger.ts';
import { address as rules, abi as rulesAbi } from '../../../node/src/gen/contracts/memory-rules.ts';
import {
  address as reputation,
  abi as reputationAbi,
} from '../../../node/src/gen/contracts/reputation.ts';
import {
  QueryGrantsRequest,
  QueryGrantsResponse,
  QuerySpaceRulesRequest,
  QuerySpaceRulesResponse,
} from '../../../node/src/gen/metatron/memory/v1/query.ts';
import { Operation, StoredEntry } from '../../../node/src/gen/metatron/memory/v1/state.ts';
import { EthereumHost } from '../../../node/src/ledger/ethereum/host.ts';
import { Ledger } from '../../../node/src/ledger/ledger.ts';
import { entryRow, getSpace, operationRow } from '../../../node/src/ledger/memory/schema.ts';
import { Overlay } from '../../../node/src/ledger/overlay.ts';
import { personalSpaceId } from '../../../node/src/types/memory.ts';
import { ask, bytesOf, chainIdOf } from '../ethereum/support.ts';
import { CHAIN_ID, PREFIX } from '../world.ts';
import { create, grant, put, SpaceWorld, spaceOf } from './support.ts';

const ABSENT = 1;
const ZERO = `0x${'0'.repeat(64)}`;

describe('ledger: memory and contracts', () => {
  let chain: SpaceWorld;
  let chainId: bigint;
  beforeEach(async () => {
    chain = await new SpaceWorld().start({ governors: [`0x${'ab'.repeat(20)}`] });
    await chain.block();
    chainId = await chainIdOf(chain.world.ledger);
  });

  /** Reads from a contract, as eth_call would. */
  const read = async (
    to: string,
    abi: InterfaceAbi,
    name: string,
    ...values: readonly unknown[]
  ): Promise<Result> => {
    const blocks = () => sha256(utf8('hash'));
    const base = { chainId: CHAIN_ID, prefix: PREFIX, maxBlockGas: 0, initialHeight: 1 };
    const state = new Overlay(chain.store);
    const host = new EthereumHost(base, chain.store, secp256k1Keys, blocks);
    const { height } = chain.world;
    const time = BigInt(height) * 1_000_000_000n;
    const block = host.block(state, { height, time, proposer: new Uint8Array(20) });
    const contract = new Interface(abi);
    const data = bytesOf(contract.encodeFunctionData(name, [...values]));
    const call = {
      from: new Uint8Array(20),
      to: bytesOf(to),
      value: 0n,
      data,
      gasLimit: 10n ** 8n,
    };
    const { status, returned } = await (await host.engine()).call(state, block, call);
    expect(status).to.equal(1);
    return contract.decodeFunctionResult(name, returned);
  };

  const evm = async (
    from: number,
    to: string,
    abi: InterfaceAbi,
    name: string,
    ...values: readonly unknown[]
  ) => {
    const data = new Interface(abi).encodeFunctionData(name, [...values]);
    return await chain.evm(chain.who(from), to, data, chainId);
  };

  const operationAt = (space: Uint8Array, index: number) =>
    Operation.decode(present(chain.store.row(operationRow(space, index)), 'leaf')).kind;

  it('write what the EVM asks for, right after its transaction', async () => {
    const alice = chain.who(0);
    const space = spaceOf(alice, 1);
    const id = `0x${toHex(space)}`;
    const [made, native, written] = await chain.block(
      chain.tx(alice, [create(alice, 1)]),
      chain.tx(alice, [put(alice, 'native', space, 'door')]),
      await evm(0, door, doorAbi, 'put', id, 1, 'door', utf8('from the EVM'), ['a', 'b']),
    );
    expect([made?.code, native?.code, written?.code], written?.log).to.deep.equal([0, 0, 0]);
    const kind = operationAt(space, 2);
    if (kind?.$case !== 'put') throw new TypeError('no entry');
    const { value } = kind;
    expect(value).to.deep.include({ key: 'door', version: 2n, type: 1, tags: ['a', 'b'] });
    expect(toHex(value.author)).to.equal(toHex(alice.id));
    expect(toHex(value.contentHash)).to.equal(toHex(sha256(utf8('from the EVM'))));
    const stored = StoredEntry.decode(present(chain.store.row(entryRow(value.id)), 'entry'));
    expect(stored).to.deep.include({ index: 2n, content: utf8('from the EVM') });
    const event = written?.events.find(({ type }) => type === 'memory_put');
    expect(event?.attributes[0]).to.deep.include({
      key: 'id',
      value: toHex(value.id),
      index: true,
    });
  });

  it('refuse what the rules refuse to the EVM, by the same custom error', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    await chain.block(chain.tx(alice, [create(alice, 1)]), chain.tx(bob, [put(bob, 'wake')]));
    const [refused] = await chain.block(
      await evm(1, door, doorAbi, 'put', `0x${toHex(space)}`, 1, '', utf8('no'), []),
    );
    expect(refused).to.include({ codespace: 'evm' });
    const selector = present(new Interface(rulesAbi).getError('MemoryRulesNotGranted'), 'error');
    expect(refused?.log).to.contain(selector.selector);
    expect(getSpace(chain.store, space)?.size).to.equal(1n);
  });

  it('keep changes that the EVM made in the logs of their spaces', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    await chain.block(chain.tx(alice, [put(alice, 'wake')]), chain.tx(bob, [put(bob, 'wake')]));
    const space = spaceOf(alice, 9);
    const id = `0x${toHex(space)}`;
    const salt = `0x${'9'.padStart(64, '0')}`;
    const results = await chain.block(
      await evm(0, rules, rulesAbi, 'createSpace', salt, 0, `0x${'0'.repeat(40)}`, 5, 500),
      await evm(0, rules, rulesAbi, 'grant', id, `0x${toHex(bob.face)}`, 2, 0),
    );
    expect(results.map(({ code }) => code)).to.deep.equal([0, 0]);
    const [after] = await chain.block(chain.tx(bob, [put(bob, 'natively', space)]));
    expect(after?.code, after?.log).to.equal(0);
    expect([0, 1, 2].map((i) => operationAt(space, i)?.$case)).to.deep.equal([
      'created',
      'granted',
      'put',
    ]);
    expect(toHex(getSpace(chain.store, space)?.owner as Uint8Array)).to.equal(toHex(alice.id));
    // A personal space, linked and opened by the EVM alone.
    const carol = chain.who(2);
    const { publicKey } = carol.wallet.signingKey;
    const [x, y] = [`0x${publicKey.slice(4, 68)}`, `0x${publicKey.slice(68)}`];
    const opened = await chain.block(
      await evm(2, rules, rulesAbi, 'link', x, y),
      await evm(2, door, doorAbi, 'put', ZERO, 6, '', utf8('first'), []),
    );
    expect(opened.map(({ code, log }) => `${code}${log}`)).to.deep.equal(['0', '0']);
    const personal = getSpace(chain.store, personalSpaceId(carol.id));
    expect(toHex(present(personal, 'space').owner)).to.equal(toHex(carol.id));
    const [own] = await chain.block(chain.tx(carol, [put(carol, 'second')]));
    expect(own?.code, own?.log).to.equal(0);
  });

  it('append one leaf for each block with operations, over all of them in order', async () => {
    const [alice, bob] = [chain.who(0), chain.who(1)];
    const space = spaceOf(alice, 1);
    await chain.block(
      chain.tx(alice, [create(alice, 1), put(alice, 'one', space)]),
      chain.tx(bob, [put(bob, 'two')]),
      chain.tx(bob, [put(bob, 'refused', space)]),
      await evm(0, door, doorAbi, 'put', `0x${toHex(space)}`, 1, '', utf8('three'), []),
    );
    await chain.block();
    await chain.block(chain.tx(bob, [put(bob, 'four')]));
    const [length] = await read(auditLog, auditAbi, 'length');
    expect(length).to.equal(2n);
    const leaf = (of: Uint8Array, index: number): Uint8Array =>
      present(chain.store.row(operationRow(of, index)), 'leaf');
    const own = personalSpaceId(bob.id);
    const first = [leaf(space, 0), leaf(space, 1), leaf(own, 0), leaf(space, 2)];
    const [logged] = await read(auditLog, auditAbi, 'leafAt', 0);
    expect(logged).to.deep.equal([2n, 4n, `0x${toHex(merkleRoot(first))}`]);
    const [second] = await read(auditLog, auditAbi, 'leafAt', 1);
    expect(second).to.deep.equal([4n, 1n, `0x${toHex(merkleRoot([leaf(own, 1)]))}`]);
  });

  it('report misbehavior at once, and missed votes fifty at a time if there is work', async () => {
    const [alice] = [chain.who(0)];
    const [down, liar] = [new Uint8Array(20).fill(3), new Uint8Array(20).fill(4)];
    const votes = [{ address: down, power: 1n, blockIdFlag: ABSENT }];
    const { ledger } = chain.world;
    const finalize = async (txs: readonly Uint8Array[], more = {}): Promise<string> => {
      const request = { ...chain.world.context(), txs, decidedLastCommit: { round: 0, votes } };
      const { appHash } = await ledger.finalizeBlock({ ...request, ...more });
      await ledger.commit();
      chain.world.height++;
      return toHex(appHash);
    };
    const score = async (of: Uint8Array): Promise<bigint> => {
      const [value] = await read(reputation, reputationAbi, 'scoreOf', `0x${toHex(of)}`);
      return value as bigint;
    };
    const before = await finalize([]);
    for (let i = 0; i < 60; i++) expect(await finalize([])).to.equal(before);
    expect(await score(down)).to.equal(500_000n);
    for (let i = 0; i < 49; i++) await finalize([chain.tx(alice, [put(alice, `${i}`)])]);
    expect(await score(down)).to.equal(500_000n);
    await finalize([chain.tx(alice, [put(alice, 'fiftieth')])]);
    expect(await score(down)).to.equal(495_000n);
    const evidence = {
      type: 'duplicateVote' as const,
      address: liar,
      power: 1n,
      height: 1,
      time: 0n,
      totalPower: 4n,
    };
    expect(await finalize([], { misbehavior: [evidence] })).to.not.equal(before);
    expect(await score(liar)).to.equal(100_000n);
    const [members] = await read(governors, governorsAbi, 'members');
    expect([...(members as Iterable<string>)].map((one) => one.toLowerCase())).to.deep.equal([
      `0x${'ab'.repeat(20)}`,
    ]);
  });

  it('find the contracts again after a restart', async () => {
    const alice = chain.who(0);
    const more = { blockHash: () => sha256(utf8('hash')), verifySecp256k1: () => true };
    const ledger = new Ledger({ store: chain.store, keys: secp256k1Keys, ...more });
    const txs = [chain.tx(alice, [create(alice, 1), put(alice, 'mine')])];
    const decidedLastCommit = { round: 0, votes: [] };
    const request = { ...chain.world.context(), txs, decidedLastCommit };
    const { txResults } = await ledger.finalizeBlock(request);
    expect(txResults.map(({ code, log }) => `${code}${log}`)).to.deep.equal(['0']);
  });

  it('answer what the rules hold, and who was let in, page by page', async () => {
    const alice = chain.who(0);
    const space = spaceOf(alice, 1);
    const subjects = Array.from({ length: 5 }, (_, i) => {
      return encodeBech32(PREFIX, new Uint8Array(20).fill(i + 1));
    });
    const grants = subjects.map((subject, i) => grant(alice, space, subject, 2 + i, 9n));
    const [made] = await chain.block(chain.tx(alice, [create(alice, 1), ...grants]));
    expect(made?.code, made?.log).to.equal(0);
    const path = '/metatron.memory.v1.Query/';
    const request = QuerySpaceRulesRequest.encode({ space, owner: '' }).finish();
    const answer = await ask(chain.world.ledger, `${path}SpaceRules`, request);
    expect(QuerySpaceRulesResponse.decode(answer)).to.deep.include({
      owner: alice.address,
      personal: false,
      frozen: false,
      policy: '',
      maxEntries: 1_000n,
      entries: 0n,
    });
    const seen: string[] = [];
    let start: Uint8Array = new Uint8Array(0);
    do {
      const data = QueryGrantsRequest.encode({ space, owner: '', subject: '', start, limit: 2 });
      const value = await ask(chain.world.ledger, `${path}Grants`, data.finish());
      const page = QueryGrantsResponse.decode(value);
      for (const { subject, rights, expiry, by, index } of page.grants) {
        expect({ rights, expiry, by, index }).to.deep.equal({
          rights: 2 + seen.length,
          expiry: 9n,
          by: alice.address,
          index: BigInt(1 + seen.length),
        });
        seen.push(subject);
      }
      start = page.next;
    } while (start.length > 0);
    expect(seen).to.deep.equal(subjects);
  });
});
