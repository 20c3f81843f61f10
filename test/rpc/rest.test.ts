/**
 * REST: every documented endpoint answers what its document says; refusals are problems.
 *
 * The application's answers about accounts and memories are encoded as the ledger encodes them.
 *
 * @module
 */
import { expect } from 'chai';
import * as z from 'zod';
import { EMPTY, toHex, utf8 } from '../../node/src/base/bytes.ts';
import { sha256 } from '../../node/src/base/hash.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import {
  QueryAccountRequest,
  QueryAccountResponse,
  QueryCodeResponse,
} from '../../node/src/gen/metatron/evm/v1/query.ts';
import {
  type LoggedEntry,
  QueryEntryResponse,
  QueryGrantsResponse,
  QueryHeadResponse,
  QueryListResponse,
  QueryProofResponse,
  QuerySpaceRulesResponse,
} from '../../node/src/gen/metatron/memory/v1/query.ts';
import { Entry, EntryType, Operation } from '../../node/src/gen/metatron/memory/v1/state.ts';
import { DEFAULT_RPC } from '../../node/src/rpc/config.ts';
import { Metrics } from '../../node/src/rpc/metrics.ts';
import { RpcServer } from '../../node/src/rpc/server.ts';
import { createWeb } from '../../node/src/rpc/web.ts';
import { txHash } from '../../node/src/types/block.ts';
import type { EntryProof } from '../../node/src/types/bundles.ts';
import { headerCodec } from '../../node/src/types/header.ts';
import { ChainFixture } from './chain-fixture.ts';

const ID = sha256(utf8('entry'));
const OWNER = 'metatron1qyqszqgpqyqszqgpqyqszqgpqyqszqgpjnp7du';

function entry(content: Uint8Array): LoggedEntry {
  const put = Entry.fromPartial({
    id: ID,
    space: sha256(utf8('space')),
    key: 'door',
    version: 1n,
    author: new Uint8Array(20).fill(1),
    type: EntryType.TEXT,
    contentHash: sha256(content),
    contentSize: BigInt(content.length),
    tags: ['house'],
  });
  const blockTime = { seconds: 1_700_000_000n, nanos: 5_000_000 };
  const operation = { height: 1n, blockTime, kind: { $case: 'put' as const, value: put } };
  return { index: 0n, leaf: Operation.encode(operation).finish(), content };
}

function teach(chain: ChainFixture): void {
  const logged = entry(utf8('the door is open'));
  const space = { spaceId: sha256(utf8('space')), space: undefined };
  const list = QueryListResponse.fromPartial({ entries: [logged], total: 3n, next: 1n, ...space });
  const bytes: Readonly<Record<string, Uint8Array>> = {
    Entry: QueryEntryResponse.encode({ entry: logged, ...space }).finish(),
    Head: QueryHeadResponse.encode({ head: undefined, entry: logged }).finish(),
    Entries: QueryListResponse.encode(list).finish(),
    History: QueryListResponse.encode(list).finish(),
    SpaceRules: QuerySpaceRulesResponse.encode(
      QuerySpaceRulesResponse.fromPartial({ spaceId: space.spaceId, owner: OWNER, policy: '0xab' }),
    ).finish(),
    Grants: QueryGrantsResponse.encode(
      QueryGrantsResponse.fromPartial({
        grants: [{ subject: OWNER, rights: 3, expiry: 1_700_000_000n, by: OWNER, index: 1n }],
        next: new Uint8Array(20),
      }),
    ).finish(),
  };
  for (const [name, value] of Object.entries(bytes)) {
    chain.queries.set(`/metatron.memory.v1.Query/${name}`, ({ data }) =>
      name === 'Entry' && toHex(data).slice(4) !== toHex(ID)
        ? { code: 38, codespace: 'sdk', log: 'entry not found: rpc error: code = NotFound' }
        : { value },
    );
  }
  chain.queries.set('/metatron.memory.v1.Query/Proof', ({ height }) => ({
    value: QueryProofResponse.encode(
      QueryProofResponse.fromPartial({
        entry: logged,
        ...space,
        spaceRecord: Uint8Array.of(1),
        logPath: [sha256(EMPTY)],
        stateProof: Uint8Array.of(2),
        height: BigInt(height),
      }),
    ).finish(),
  }));
  chain.queries.set('/tx/decode', ({ data }) => ({
    value: utf8(JSON.stringify({ hash: toHex(txHash(data)), messages: [] })),
  }));
  const account = Buffer.from(OWNER);
  const base = Buffer.concat([
    Buffer.from([0x0a, account.length]),
    account,
    Buffer.from([0x18, 7]),
  ]);
  const url = Buffer.from('/cosmos.auth.v1beta1.BaseAccount');
  const any = Buffer.concat([
    Buffer.from([0x0a, url.length]),
    url,
    Buffer.from([0x12, base.length]),
    base,
  ]);
  chain.queries.set('/cosmos.auth.v1beta1.Query/Account', ({ data }) =>
    data.length === OWNER.length + 2
      ? { value: Buffer.concat([Buffer.from([0x0a, any.length]), any]) }
      : { code: 22, codespace: 'sdk', log: 'rpc error: code = NotFound: account not found' },
  );
  chain.queries.set('/metatron.evm.v1.Query/Account', ({ data }) => {
    const { address } = QueryAccountRequest.decode(data);
    const evmAddress = new Uint8Array(20);
    return {
      value: QueryAccountResponse.encode(
        QueryAccountResponse.fromPartial({ address, evmAddress, balance: '0' }),
      ).finish(),
    };
  });
  const code = QueryCodeResponse.encode({ code: Uint8Array.of(0) }).finish();
  chain.queries.set('/metatron.evm.v1.Query/Code', () => ({ value: code }));
  for (const name of ['Block', 'BlockReceipts', 'Receipt']) {
    chain.queries.set(`/metatron.evm.v1.Query/${name}`, () => ({ value: EMPTY }));
  }
  const coin = Buffer.concat([
    Buffer.from([0x0a, 4]),
    Buffer.from('aphi'),
    Buffer.from([0x12, 2]),
    Buffer.from('42'),
  ]);
  chain.queries.set('/cosmos.bank.v1beta1.Query/AllBalances', () => ({
    value: Buffer.concat([Buffer.from([0x0a, coin.length]), coin, Buffer.from([0x12, 0])]),
  }));
}

type Document = {
  readonly openapi: string;
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly get: {
          readonly parameters: readonly {
            readonly name: string;
            readonly in: string;
            readonly required: boolean;
          }[];
          readonly responses: Readonly<
            Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>
          >;
        };
      }
    >
  >;
};

describe('rest', () => {
  const chain = new ChainFixture();
  let server: RpcServer;
  let url: string;
  const tx = utf8('colour=green');

  before(async () => {
    teach(chain);
    const ports = chain.ports();
    const metrics = new Metrics(ports);
    for (let i = 0; i < 6; i++) {
      const height = chain.produce(i === 1 ? [tx, utf8('a=1')] : [utf8(`n=${i}`)]);
      metrics.observe({ kind: 'committed', height });
    }
    const web = createWeb({ ports, prefix: 'metatron', version: '0.1.0', metrics, logger: SILENT });
    const config = { ...DEFAULT_RPC, port: 0 };
    server = new RpcServer({ config, ports, logger: SILENT, web });
    url = await server.start();
  });

  after(() => server.stop());

  async function get(path: string): Promise<{ status: number; type: string; body: unknown }> {
    const response = await fetch(`${url}${path}`);
    const type = response.headers.get('content-type') ?? '';
    return { status: response.status, type, body: await response.json() };
  }

  const examples: Readonly<Record<string, string>> = {
    'height:path': '2',
    hash: toHex(txHash(tx)),
    address: OWNER,
    owner: OWNER,
    key: 'door',
    id: toHex(ID),
    q: '3',
  };

  type Operation = Document['paths'][string]['get'];

  function targetOf(path: string, operation: Operation): string {
    const query = new URLSearchParams();
    let target = path;
    for (const { name, in: place, required } of operation.parameters) {
      const value = examples[`${name}:${place}`] ?? examples[name] ?? '';
      if (place === 'path') target = target.replace(`{${name}}`, value);
      else if (required) query.set(name, value);
    }
    return `${target}?${query}`;
  }

  it('answers every documented endpoint as documented', async () => {
    const document = (await get('/v1/openapi.json')).body as Document;
    expect(document.openapi).to.match(/^3\.1\./);
    expect(Object.keys(document.paths)).to.have.length(20);
    for (const [path, { get: operation }] of Object.entries(document.paths)) {
      const target = targetOf(path, operation);
      const { status, body } = await get(target);
      expect(status, `${target}: ${JSON.stringify(body)}`).to.equal(200);
      const schema = operation.responses['200']?.content['application/json']?.schema ?? {};
      const parsed = z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema).safeParse(body);
      expect(parsed.error?.message, target).to.equal(undefined);
    }
  });

  it('documents what it serves: no other path under /v1 answers', async () => {
    for (const path of ['/v1', '/v1/', '/v1/block/1', '/v1/memories', '/v1/spaces', '/v1/heads']) {
      expect((await get(path)).status, path).to.equal(404);
    }
  });

  it('refuses unknown parameters, malformed ones and missing things as problems', async () => {
    const cases: readonly (readonly [path: string, status: number])[] = [
      ['/v1/blocks?nonsense=1', 400],
      ['/v1/blocks?limit=101', 400],
      ['/v1/blocks/0', 404],
      ['/v1/blocks/99', 404],
      [`/v1/blocks/${'ab'.repeat(32)}`, 404],
      ['/v1/blocks/xyz', 400],
      ['/v1/transactions/zz', 400],
      ['/v1/transactions/%zz', 400],
      ['/v1/transactions/%ff', 400],
      [`/v1/transactions/${'ab'.repeat(32)}`, 404],
      ["/v1/transactions?query=tx.height='", 400],
      ['/v1/accounts/metatron1unknown', 404],
      [`/v1/memories/${'cd'.repeat(32)}`, 404],
      ['/v1/search?q=99', 404],
      ['/v1/search?q=%20%20', 400],
      [`/v1/spaces/${OWNER}/head`, 400],
      ['/v1/nothing', 404],
      ['/nothing', 404],
    ];
    for (const [path, status] of cases) {
      const answer = await get(path);
      expect(answer.status, path).to.equal(status);
      expect(answer.type, path).to.contain('application/problem+json');
      expect(answer.body, path).to.include({ status });
      expect((answer.body as { code: string }).code, path).to.match(/^[a-z]+\/\d+$/);
    }
  });

  it('pages transactions and blocks by cursor without gap or repeat', async () => {
    for (const [path, name] of [
      ['/v1/transactions?limit=2', 'transactions'],
      ["/v1/transactions?limit=2&query=app.creator='Fixture'", 'transactions'],
      ['/v1/blocks?limit=4', 'blocks'],
    ] as const) {
      const seen: string[] = [];
      let cursor = '';
      for (let page = 0; page < 10; page++) {
        const { body } = await get(`${path}${cursor}`);
        const read = body as Record<string, { hash: string }[]> & { next: string | null };
        seen.push(...(read[name] ?? []).map(({ hash }) => hash));
        if (read.next === null) break;
        cursor = `&cursor=${read.next}`;
      }
      expect(new Set(seen).size, path).to.equal(seen.length);
      expect(seen.length, path).to.equal(name === 'blocks' ? 6 : 7);
    }
  });

  it('finds what a text names', async () => {
    const block = toHex(chain.heights[3]?.blockId.hash ?? EMPTY);
    for (const [text, kind] of [
      ['3', 'block'],
      [block, 'block'],
      [toHex(txHash(tx)), 'transaction'],
      [toHex(ID), 'memory'],
      [OWNER, 'account'],
    ] as const) {
      const { body } = await get(`/v1/search?q=${text}`);
      const { kind: found, href } = body as { kind: string; href: string };
      expect(found, text).to.equal(kind);
      expect((await get(href)).status, href).to.equal(200);
    }
  });

  it('gives a proof bundle whose header carries the state of its height', async () => {
    const { body } = await get(`/v1/memories/${toHex(ID)}/proof`);
    const { anchor } = body as EntryProof;
    expect(anchor.height).to.equal(chain.height - 1);
    expect(headerCodec.decode(Buffer.from(anchor.header, 'base64')).height).to.equal(chain.height);
  });

  it("prints metrics under CometBFT's names", async () => {
    const page = await (await fetch(`${url}/metrics`)).text();
    for (const line of [
      'cometbft_consensus_height{chain_id="fixture-1"} 6',
      'cometbft_consensus_validators{chain_id="fixture-1"} 4',
      'cometbft_consensus_validators_power{chain_id="fixture-1"} 40',
      'cometbft_consensus_total_txs{chain_id="fixture-1"} 7',
      'cometbft_consensus_block_interval_seconds_count{chain_id="fixture-1"} 5',
      'cometbft_mempool_size{chain_id="fixture-1"} 0',
      'cometbft_p2p_peers{chain_id="fixture-1"} 0',
    ]) {
      expect(page).to.contain(line);
    }
  });
});
