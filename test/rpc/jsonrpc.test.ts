/**
 * JSON-RPC itself: requests and answers by CometBFT's published tables, errors, limits, access.
 *
 * @module
 */
import { connect } from 'node:net';
import { expect } from 'chai';
import fc from 'fast-check';
import WebSocket from 'ws';
import { utf8 } from '../../node/src/base/bytes.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { DEFAULT_RPC, type RpcConfig } from '../../node/src/rpc/config.ts';
import { hostName } from '../../node/src/rpc/guard.ts';
import { Dispatcher } from '../../node/src/rpc/jsonrpc.ts';
import { readUriParams } from '../../node/src/rpc/params.ts';
import { route } from '../../node/src/rpc/route.ts';
import { RpcServer } from '../../node/src/rpc/server.ts';
import { txHash } from '../../node/src/types/block.ts';
import { ChainFixture } from './chain-fixture.ts';

type Answer = {
  readonly jsonrpc: string;
  readonly id: string | number | null;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string; readonly data: string };
};

const METHODS = {
  c: route({ s: 'text', i: 'int' }, () => 'foo'),
  block: route({ height: 'int' }, () => 'block'),
};

const dispatcher = new Dispatcher(METHODS, 20, SILENT);

async function ask(text: string): Promise<Answer> {
  return JSON.parse(await dispatcher.answer(text)) as Answer;
}

describe('rpc/jsonrpc', () => {
  it('answers as CometBFT answers: parameters', async () => {
    const table: readonly (readonly [payload: string, error: string, id: string | null])[] = [
      ['{"jsonrpc": "2.0", "id": "0"}', 'Method not found', '0'],
      ['{"jsonrpc": "2.0", "method": "y", "id": "0"}', 'Method not found', '0'],
      ['{"method": "c", "id": "0", "params": a}', 'Parse error', null],
      ['{"method": "c", "id": "0", "params": ["a"]}', 'got 1', '0'],
      ['{"method": "c", "id": "0", "params": ["a", "b"]}', 'Invalid params', '0'],
      ['{"method": "c", "id": "0", "params": [1, 1]}', 'of type string', '0'],
      ['{"method": "c", "id": "0", "params": "a"}', 'Expected map or array', '0'],
      ['{"jsonrpc": "2.0", "method": "c", "id": "0", "params": null}', '', '0'],
      ['{"method": "c", "id": "0", "params": {}}', '', '0'],
      ['{"method": "c", "id": "0", "params": ["a", "10"]}', '', '0'],
      ['{"method": "c", "id": "0", "params": {"name": "x", "unused": "y"}}', '', '0'],
      ['{"method": "__proto__", "id": "0"}', 'Method not found', '0'],
      ['{"method": "constructor", "id": "0"}', 'Method not found', '0'],
    ];
    for (const [payload, error, id] of table) {
      const answer = await ask(payload);
      expect(answer.id, payload).to.equal(id);
      if (error === '') expect(answer.result, payload).to.equal('foo');
      else {
        expect(answer.error?.code, payload).to.be.lessThan(0);
        expect(`${answer.error?.message}${answer.error?.data}`, payload).to.contain(error);
      }
    }
  });

  it('answers as CometBFT answers: ids and notifications', async () => {
    const ids: readonly (readonly [string, string | number])[] = [
      ['"0"', '0'],
      ['"abc"', 'abc'],
      ['0', 0],
      ['1', 1],
      ['1.3', 1],
      ['-1', -1],
    ];
    for (const [text, id] of ids) {
      const answer = await ask(`{"method": "c", "id": ${text}, "params": ["a", "10"]}`);
      expect(answer).to.deep.equal({ jsonrpc: '2.0', id, result: 'foo' });
    }
    for (const bad of ['{}', '[]', 'true']) {
      expect((await ask(`{"method": "c", "id": ${bad}}`)).error?.code).to.equal(-32700);
    }
    expect(await dispatcher.answer('{"jsonrpc": "2.0"}')).to.equal('');
    expect(await dispatcher.answer('[{"jsonrpc": "2.0"}]')).to.equal('');
    const one = '{"method":"c","id":"abc","params":["a","10"]}';
    expect(JSON.parse(await dispatcher.answer(`[{}, ${one}]`))).to.have.length(1);
    expect(JSON.parse(await dispatcher.answer(`[{}, ${one}, {}, ${one}]`))).to.have.length(2);
    const many = `[${Array.from({ length: 21 }, () => one).join(',')}]`;
    expect((await ask(many)).error?.code).to.equal(-32600);
  });

  it('reads URLs as CometBFT reads them', () => {
    const read = (query: string) =>
      readUriParams(
        { height: 'int', name: 'text', data: 'bytes', prove: 'bool' },
        new URLSearchParams(query),
      );
    const table: readonly (readonly [string, number, string])[] = [
      ['height=7&name="flew"', 7, 'flew'],
      ['height=22&name="john"', 22, 'john'],
      ['height=-10&name="bob"', -10, 'bob'],
      ['height="7"&name="flew"', 7, 'flew'],
      ['height="-10"&name="bob"', -10, 'bob'],
      ['height=1&name=0x626f62', 1, 'bob'],
    ];
    for (const [query, height, name] of table) {
      expect(read(query), query).to.deep.equal({ height, name });
    }
    expect(read('data="a=b"').data).to.deep.equal(utf8('a=b'));
    expect(new Uint8Array(read('data=0x00ff').data ?? [])).to.deep.equal(Uint8Array.of(0, 255));
    expect(read('prove=true').prove).to.equal(true);
    for (const bad of ['height="-10"&name=bob', 'height=0x10', 'data=raw', 'prove=1']) {
      expect(() => read(bad), bad).to.throw('error converting http params');
    }
  });

  it('takes the name from a Host header', () => {
    expect(hostName('localhost:26657')).to.equal('localhost');
    expect(hostName('[::1]:26657')).to.equal('[::1]');
    expect(hostName('Example.org')).to.equal('example.org');
  });
});

describe('rpc/server', () => {
  const chain = new ChainFixture();
  const open: RpcServer[] = [];
  let url: string;

  function serve(over: Partial<RpcConfig> = {}): Promise<string> {
    const config = { ...DEFAULT_RPC, port: 0, ...over };
    const server = new RpcServer({ config, ports: chain.ports(), logger: SILENT, web: undefined });
    open.push(server);
    return server.start();
  }

  async function call(method: string, params: object = {}): Promise<Answer> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method, params });
    const response = await fetch(url, { method: 'POST', body });
    expect(response.status).to.equal(200);
    return (await response.json()) as Answer;
  }

  before(async () => {
    for (let i = 0; i < 5; i++) chain.produce(i === 1 ? [utf8('a=b')] : []);
    chain.base = 2;
    url = await serve();
  });

  after(() => Promise.all(open.map((server) => server.stop())));

  it('serves every route of CometBFT, unsafe ones only when allowed', () => {
    const methods = new Set(open[0]?.methods);
    const expected =
      'subscribe unsubscribe unsubscribe_all health status net_info blockchain genesis ' +
      'genesis_chunked block block_by_hash block_results commit header header_by_hash ' +
      'check_tx tx tx_search block_search validators dump_consensus_state consensus_state ' +
      'consensus_params unconfirmed_txs num_unconfirmed_txs broadcast_tx_commit ' +
      'broadcast_tx_sync broadcast_tx_async abci_query abci_info broadcast_evidence';
    for (const name of expected.split(' ')) expect(methods.has(name), name).to.equal(true);
    expect(methods.size).to.equal(31);
    expect(methods.has('dial_peers')).to.equal(false);
  });

  it('words its errors as CometBFT does, with HTTP 200', async () => {
    const hash = Buffer.from(txHash(utf8('x=y'))).toString('base64');
    const table: readonly (readonly [string, object, number, string])[] = [
      ['nothing', {}, -32601, ''],
      ['block', { height: 'x' }, -32602, 'error converting json params to arguments'],
      ['block', { height: '0' }, -32603, 'height must be greater than 0, but got 0'],
      ['block', { height: '-1' }, -32603, 'height must be greater than 0, but got -1'],
      [
        'block',
        { height: '9' },
        -32603,
        'height 9 must be less than or equal to the current blockchain height 5',
      ],
      ['block', { height: '1' }, -32603, 'height 1 is not available, lowest height is 2'],
      ['validators', { page: '2' }, -32603, 'page should be within [1, 1] range, given 2'],
      ['tx', { hash }, -32603, ') not found'],
      ['tx_search', { query: "a.b='c'", order_by: 'up' }, -32603, 'expected order_by'],
      ['tx_search', { query: '=' }, -32603, 'failed to parse query'],
      ['tx_search', { query: `a.b='${'x'.repeat(512)}'` }, -32602, 'maximum query length exceeded'],
      ['blockchain', { minHeight: '5', maxHeight: '3' }, -32603, "can't be greater than"],
      ['abci_query', { data: 'zz' }, -32602, 'hex'],
      ['broadcast_tx_sync', { tx: '*' }, -32602, 'base64'],
      ['broadcast_tx_sync', {}, -32602, 'tx is required'],
      ['subscribe', { query: "tm.event='Tx'" }, -32601, ''],
      ['broadcast_evidence', { evidence: { type: 'x' } }, -32602, 'evidence'],
    ];
    for (const [method, params, code, text] of table) {
      const { id, error } = await call(method, params);
      expect(id).to.equal(7);
      expect(error?.code, method).to.equal(code);
      expect(error?.data, method).to.contain(text);
    }
  });

  it('answers what CosmJS does not ask', async () => {
    const header = (await call('header', { height: '3' })).result?.['header'];
    const hash = Buffer.from(chain.heights[2]?.blockId.hash ?? []);
    const byHash = await call('header_by_hash', { hash: hash.toString('hex') });
    expect(byHash.result?.['header']).to.deep.equal(header);
    const block = await call('block_by_hash', { hash: hash.toString('base64') });
    expect(block.result?.['block']).to.have.property('header').that.deep.equals(header);
    const none = await call('block_by_hash', { hash: 'AAAA' });
    expect(none.result?.['block']).to.equal(null);
    expect((await call('consensus_params')).result?.['block_height']).to.equal('6');
    const state = (await call('consensus_state')).result?.['round_state'];
    expect(state).to.include({ 'height/round/step': '6/0/1' });
    expect((await call('dump_consensus_state')).result).to.have.keys('round_state', 'peers');
    expect((await call('net_info')).result).to.include({ listening: true, n_peers: '0' });
    const chunk = (await call('genesis_chunked', { chunk: '0' })).result;
    expect(chunk).to.include({ chunk: '0', total: '1' });
    expect(Buffer.from(String(chunk?.['data']), 'base64').toString()).to.equal(chain.genesis());
    const check = await call('check_tx', { tx: Buffer.from('c=d').toString('base64') });
    expect(check.result).to.include({ code: 0, gas_wanted: '1', gas_used: '0', data: null });
    expect(chain.pending.size).to.equal(0);
    const search = await call('block_search', { query: 'block.height >= 3' });
    const blocks = search.result?.['blocks'] as { block: { header: { height: string } } }[];
    expect(blocks.map((b) => b.block.header.height)).to.deep.equal(['5', '4', '3']);
    expect((await call('unconfirmed_txs')).result).to.include({ n_txs: '0', total: '0' });
  });

  it('takes evidence in its JSON', async () => {
    const id = { hash: 'AB'.repeat(32), parts: { total: 1, hash: 'CD'.repeat(32) } };
    const vote = {
      type: 1,
      height: '3',
      round: 0,
      block_id: id,
      timestamp: '2026-03-01T12:00:00Z',
      validator_address: 'EF'.repeat(20),
      validator_index: 0,
      signature: Buffer.alloc(64, 1).toString('base64'),
    };
    const value = {
      vote_a: vote,
      vote_b: { ...vote, block_id: { hash: '', parts: { total: 0, hash: '' } } },
      TotalVotingPower: '40',
      ValidatorPower: '10',
      Timestamp: '2026-03-01T12:00:00Z',
    };
    const evidence = { type: 'tendermint/DuplicateVoteEvidence', value };
    const answer = await call('broadcast_evidence', { evidence });
    expect(answer.result?.['hash']).to.match(/^[0-9A-F]{64}$/);
    expect(chain.evidence).to.have.length(1);
  });

  it('answers GET: methods with id −1, errors as 500, a listing of endpoints', async () => {
    const ok = await fetch(`${url}/abci_query?path="/key"&data="a"`);
    const answer = (await ok.json()) as Answer;
    expect(answer.id).to.equal(-1);
    expect(answer.result?.['response']).to.include({ value: 'Yg==', code: 0 });
    expect((await fetch(`${url}/block?height=99`)).status).to.equal(500);
    expect((await fetch(`${url}/subscribe?query="x"`)).status).to.equal(404);
    expect((await fetch(`${url}/nothing`)).status).to.equal(404);
    const listing = await (await fetch(url)).text();
    expect(listing).to.contain('broadcast_tx_sync?tx=_');
    const hash = Buffer.from(txHash(utf8('a=b'))).toString('hex');
    const tx = (await (await fetch(`${url}/tx?hash=0x${hash}&prove=true`)).json()) as Answer;
    expect(tx.result?.['height']).to.equal('2');
    const search = await fetch(`${url}/tx_search?query=${encodeURIComponent('"tx.height=2"')}`);
    expect(((await search.json()) as Answer).result?.['total_count']).to.equal('1');
  });

  it('refuses other hosts, other origins, large bodies and high rates', async () => {
    const raw = async (head: string): Promise<string> => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      socket.end(`${head}\r\nconnection: close\r\n\r\n`);
      let text = '';
      for await (const chunk of socket) text += String(chunk);
      return text;
    };
    expect(await raw('GET /health HTTP/1.1\r\nhost: localhost')).to.contain('200 OK');
    expect(await raw('GET /health HTTP/1.1\r\nhost: evil.example')).to.contain('403');
    const origin = 'origin: https://evil.example';
    expect(await raw(`GET /health HTTP/1.1\r\nhost: localhost\r\n${origin}`)).to.contain('403');
    const allowed = await serve({ allowedOrigins: ['https://good.example'] });
    const cors = await fetch(`${allowed}/health`, { headers: { origin: 'https://good.example' } });
    expect(cors.headers.get('access-control-allow-origin')).to.equal('https://good.example');
    const small = await serve({ maxBodyBytes: 100 });
    const large = await fetch(small, { method: 'POST', body: 'x'.repeat(101) });
    expect(large.status).to.equal(413);
    const huge = await fetch(url, { method: 'POST', body: new Uint8Array(30_000_000) });
    expect(huge.status).to.equal(413);
    expect((await huge.json()) as Answer).to.have.nested.property('error.code', -32_600);
    const slow = await serve({ requestsPerSecond: 3 });
    const codes: number[] = [];
    for (let i = 0; i < 5; i++) codes.push((await fetch(`${slow}/health`)).status);
    expect(codes.slice(0, 3)).to.deep.equal([200, 200, 200]);
    expect(codes.at(-1)).to.equal(429);
  });

  it('says what to do when the port is taken', async () => {
    const port = Number(new URL(url).port);
    const refusal = await serve({ port }).catch(String);
    expect(refusal).to.contain('choose another rpc.listen');
  });

  it('bounds subscriptions and drops a client that does not read', async () => {
    const at = (await serve({ maxBufferedBytes: 200_000, maxSubscribers: 1 })).replace(
      'http',
      'ws',
    );
    const first = await opened(at);
    const answers: Answer[] = [];
    first.on('message', (data) => answers.push(JSON.parse(String(data)) as Answer));
    const ask = (id: number, method: string, query: string) =>
      first.send(JSON.stringify({ jsonrpc: '2.0', id, method, params: { query } }));
    for (let id = 1; id <= 6; id++) ask(id, 'subscribe', `tm.event='NewBlock' AND a.b=${id}`);
    ask(7, 'subscribe', "tm.event='NewBlock' AND a.b=1");
    ask(8, 'unsubscribe', 'a.b=9');
    await until(() => answers.length === 8);
    expect(answers.map((a) => a.error?.data ?? 'ok')).to.deep.equal([
      'ok',
      'ok',
      'ok',
      'ok',
      'ok',
      'max_subscriptions_per_client 5 reached',
      'already subscribed',
      'subscription not found',
    ]);
    const second = await opened(at);
    const refused = new Promise<Answer>((resolve) => {
      second.on('message', (data) => resolve(JSON.parse(String(data)) as Answer));
    });
    const query = "tm.event='NewBlock'";
    second.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'subscribe', params: { query } }));
    expect((await refused).error?.data).to.contain('max_subscription_clients 1 reached');
    second.close();
    ask(9, 'unsubscribe_all', '');
    await until(() => answers.length === 9);
    ask(10, 'subscribe', query);
    await until(() => answers.length === 10);
    let closed = false;
    first.on('close', () => {
      closed = true;
    });
    first.pause();
    for (let i = 0; i < 80; i++) chain.produce([utf8(`${i}=${'x'.repeat(100_000)}`)]);
    await until(() => chain.bus.size === 0);
    first.resume();
    await until(() => closed);
    expect((await call('health')).result).to.deep.equal({});
  });

  it('answers 2,000 mutated requests with declared errors or results', async () => {
    const failures: string[] = [];
    const logger = { ...SILENT, error: (message: string) => failures.push(message) };
    const config = { ...DEFAULT_RPC, port: 0, maxPending: 5_000 };
    const server = new RpcServer({ config, ports: chain.ports(), logger, web: undefined });
    open.push(server);
    const target = await server.start();
    const socket = await opened(target.replace('http', 'ws'));
    const answers: Answer[] = [];
    socket.on('message', (data) => {
      const answer = JSON.parse(String(data)) as Answer | readonly Answer[];
      answers.push(...[answer].flat());
    });
    const bodies = fc.sample(mutated, 2_000);
    for (const body of bodies) socket.send(body);
    socket.send('{"jsonrpc":"2.0","id":"end","method":"health"}');
    await until(() => answers.some((answer) => answer.id === 'end'));
    expect(answers.length).to.be.greaterThan(1_000);
    const codes = answers.flatMap(({ error }) => error?.code ?? []);
    const declared = [-32700, -32600, -32601, -32602, -32603];
    expect(codes.filter((code) => !declared.includes(code))).to.deep.equal([]);
    expect(codes.length).to.be.greaterThan(500);
    for (const body of bodies.slice(0, 200)) {
      const response = await fetch(target, { method: 'POST', body });
      expect(response.status, body).to.equal(200);
      await response.text();
    }
    expect(failures).to.deep.equal([]);
    socket.close();
  });
});

const SEEDS: readonly string[] = [
  { jsonrpc: '2.0', id: 1, method: 'block', params: { height: '3' } },
  { jsonrpc: '2.0', id: 1, method: 'tx_search', params: { query: 'tx.height=2', page: '1' } },
  { jsonrpc: '2.0', id: 1, method: 'abci_query', params: { path: '/key', data: '61' } },
  { jsonrpc: '2.0', id: 1, method: 'broadcast_tx_sync', params: { tx: 'YT1i' } },
  { jsonrpc: '2.0', id: 1, method: 'validators', params: ['3', '1', '30'] },
  { jsonrpc: '2.0', id: 1, method: 'subscribe', params: { query: "tm.event='Tx'" } },
  { jsonrpc: '2.0', id: 1, method: 'broadcast_evidence', params: { evidence: { value: {} } } },
].map((seed) => JSON.stringify(seed));

type Edit = readonly [at: number, kind: 'cut' | 'insert' | 'repeat' | 'digit', piece: string];

function edited(text: string, [at, kind, piece]: Edit): string {
  const i = at % Math.max(1, text.length);
  if (kind === 'cut') return text.slice(0, i) + text.slice(i + piece.length + 1) || '{';
  if (kind === 'insert') return text.slice(0, i) + piece + text.slice(i);
  if (kind === 'digit') return text.replace(/\d/g, (digit) => `${(Number(digit) + at) % 10}`);
  return text.slice(0, i) + text.slice(Math.max(0, i - 5));
}

const mutated: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(
      fc.tuple(
        fc.nat(200),
        fc.constantFrom('cut' as const, 'insert' as const, 'repeat' as const, 'digit' as const),
        fc.string(),
      ),
      { minLength: 1, maxLength: 2 },
    ),
  )
  .map(([seed, edits]) => edits.reduce(edited, seed));

async function opened(at: string): Promise<WebSocket> {
  const socket = new WebSocket(`${at}/websocket`);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  return socket;
}

async function until(done: () => boolean): Promise<void> {
  const deadline = performance.now() + 9_000;
  while (!done()) {
    if (performance.now() > deadline) expect.fail(`still waiting until ${done}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
