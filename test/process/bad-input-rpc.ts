/**
 * Bad calls: every route of JSON-RPC by POST, batch, URL and WebSocket, and REST, spoiled.
 *
 * Upholds: an answer is either a result (the call stayed valid) or an error that is declared: a
 * code of JSON-RPC with a text that says what is wrong, or a REST problem with a code of the table.
 * "The node failed" is never one.
 *
 * @module
 */
import type { DevnetSummary } from '../../node/src/ops/devnet.ts';
import { pick, pickText } from '../../node/src/ops/rpc-client.ts';
import type { Prng } from '../sim/prng.ts';
import {
  http,
  type Params,
  QUERY_PATHS,
  REST,
  type Request,
  rawHttp,
  Socket,
  validCalls,
} from './bad-input-calls.ts';
import type { Declared, Tally } from './bad-input-judge.ts';
import { deepJson, oddValue, spoilBytes } from './bad-input-mutate.ts';

/** Codes of JSON-RPC that only carry a refusal of another space, whose text is in `data`. */
const CARRIERS: ReadonlySet<string> = new Set(['-32603', '-32000']);
const GENERIC = /the node could not answer|internal server error|undefined|\[object/i;

/** Sends bad calls to a devnet and judges the answers. */
export class BadCalls {
  readonly #net: DevnetSummary;
  readonly #random: Prng;
  readonly #tally: Tally;
  readonly #declared: Declared;
  readonly #calls: readonly Request[];
  #socket: Socket | undefined;
  #next = 0;

  private constructor(
    net: DevnetSummary,
    random: Prng,
    tally: Tally,
    declared: Declared,
    calls: readonly Request[],
  ) {
    this.#net = net;
    this.#random = random;
    this.#tally = tally;
    this.#declared = declared;
    this.#calls = calls;
  }

  /** The generator for a devnet. */
  static async prepare(
    net: DevnetSummary,
    random: Prng,
    tally: Tally,
    declared: Declared,
  ): Promise<BadCalls> {
    return new BadCalls(net, random, tally, declared, await validCalls(net));
  }

  #rpc(): string {
    return this.#random.pick(this.#net.nodes).rpc;
  }

  /** Sends and judges one. */
  async one(): Promise<void> {
    // A commit that stays valid waits for its block; every other way takes its turn.
    const ways = [
      () => this.#post(),
      () => this.#post(),
      () => this.#query(),
      () => this.#text(),
      () => this.#batch(),
      () => this.#uri(),
      () => this.#rest(),
      () => this.#webSocket(),
      () => this.#webSocket(),
      () => this.#wire(),
    ];
    const way = ways[this.#next++ % ways.length];
    await way?.();
  }

  close(): void {
    this.#socket?.close();
  }

  #spoilCall(): Request {
    const random = this.#random;
    const { method, params } = random.pick(this.#calls);
    const names = Object.keys(params);
    const name = random.pick([...names, 'height', 'stranger']);
    return random.pick<() => Request>([
      () => ({ method, params: { ...params, [name]: oddValue(random) } }),
      () => ({ method, params: { ...params, [name]: oddValue(random) } }),
      () => ({ method, params: Object.fromEntries(Object.entries(params).slice(1)) }),
      () => ({ method, params: oddValue(random) as Params }),
      () => ({ method: JSON.stringify(oddValue(random)) ?? '', params }),
      () => ({ method: `${method}${random.pick(['/', ' ', '\u0000', 'x', '__proto__'])}`, params }),
    ])();
  }

  #body(request: Request): string {
    const random = this.#random;
    const id = random.chance(0.8) ? random.int(1, 9_999) : oddValue(random);
    return JSON.stringify({ jsonrpc: '2.0', id, ...request });
  }

  async #post(): Promise<void> {
    const request = this.#spoilCall();
    const body = this.#body(request);
    const { status, text } = await http(this.#rpc(), { method: 'POST', body });
    this.#judge(body, status, text);
  }

  async #query(): Promise<void> {
    const random = this.#random;
    const path = random.pick(QUERY_PATHS);
    const data = Buffer.from(random.bytes(random.int(0, 80))).toString('hex');
    const height = random.pick(['0', '1', '-5', '99999999', '9007199254740991']);
    const params = { path, data, height, prove: random.chance(0.5) };
    const answer = await http(this.#rpc(), {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'abci_query', params }),
    });
    const response = pick(JSON.parse(answer.text), 'result', 'response');
    const code = Number(pick(response, 'code') ?? 0);
    if (response === undefined || code === 0) {
      this.#judge(JSON.stringify(params), answer.status, answer.text);
      return;
    }
    const log = pickText(response, 'log');
    const name = `${pickText(response, 'codespace')}/${code}`;
    if (log === '') this.#tally.failed(`${path}: ${name} without a word`);
    else this.#tally.refused(name, `${path}: ${log}`);
  }

  async #text(): Promise<void> {
    const random = this.#random;
    const whole = this.#body(random.pick(this.#calls.filter(({ method }) => /^[^b]/.test(method))));
    const body = random.pick<() => string | Uint8Array<ArrayBuffer>>([
      () => Uint8Array.from(spoilBytes(Buffer.from(whole), random)),
      () => Uint8Array.from(spoilBytes(Buffer.from(whole), random)),
      () => deepJson(random.int(2, 100_000)),
      () => whole.replace('{', `{"a":${deepJson(3_000)},`),
      () => whole.replace('"2.0"', '"1.0"').replace('"id"', '"Id"'),
      () => `\uFEFF${whole}`,
      () => JSON.stringify(oddValue(random)) ?? '',
      () => 'x'.repeat(2_000_001),
    ])();
    const { status, text } = await http(this.#rpc(), { method: 'POST', body });
    this.#judge(String(body), status, text);
  }

  async #batch(): Promise<void> {
    const random = this.#random;
    const size = random.pick([0, 1, 2, 5, 101, 5_000]);
    const items = Array.from({ length: size }, () =>
      random.chance(0.7) ? JSON.parse(this.#body(this.#spoilCall())) : oddValue(random),
    ).filter((item) => !/commit|async/.test(pickText(item, 'method')));
    const body = JSON.stringify(random.chance(0.1) ? [items] : items);
    const { status, text } = await http(this.#rpc(), { method: 'POST', body });
    const answer: unknown = text === '' ? [] : JSON.parse(text);
    if (!Array.isArray(answer)) {
      this.#judge(body, status, text);
      return;
    }
    const bad = answer.filter((one) => this.#verdict(one) === undefined);
    if (bad.length > 0) this.#tally.failed(`batch: ${JSON.stringify(bad[0])}`);
    else this.#tally.harmless();
  }

  async #uri(): Promise<void> {
    const random = this.#random;
    const { method, params } = this.#spoilCall();
    const query = Object.entries(params ?? {})
      .filter(([name]) => /^\w+$/.test(name))
      .map(([name, value]) => {
        const text = typeof value === 'string' ? value : JSON.stringify(value);
        const quoted = random.chance(0.5) ? JSON.stringify(text) : String(text);
        return `${name}=${random.chance(0.9) ? encodeURIComponent(quoted.toWellFormed()) : '%zz%'}`;
      });
    const path = `/${encodeURIComponent(String(method).toWellFormed()).slice(0, 4_000)}`;
    const url = `${this.#rpc()}${path}?${query.join('&').slice(0, 8_000)}`;
    const { status, text } = await http(url);
    this.#judge(url.slice(0, 300), status, text);
  }

  async #rest(): Promise<void> {
    const random = this.#random;
    const { accounts } = this.#net;
    const filler = random.pick([
      ...['0', '-1', 'x', '%00', '%ff', '..%2f..', 'a'.repeat(64), 'f'.repeat(5_000), '1e3', '%zz'],
      accounts[0]?.address ?? '',
      `${accounts[0]?.address}1`,
    ]);
    const path = random.pick(REST).replace('%s', filler);
    const odd = encodeURIComponent(JSON.stringify(oddValue(random)).slice(0, 2_000).toWellFormed());
    const name = random.pick([
      'limit',
      'start',
      'page',
      'per_page',
      'from',
      'q',
      'key',
      'x',
      'proof',
    ]);
    const query = random.chance(0.8)
      ? `?${name}=${odd}${random.chance(0.2) ? `&${name}=2` : ''}`
      : '';
    const method = random.chance(0.85) ? 'GET' : random.pick(['PUT', 'DELETE', 'PATCH', 'POST']);
    const { status, text } = await http(`${this.#rpc()}${path}${query}`, { method });
    this.#judge(`${method} ${path}${query}`.slice(0, 300), status, text);
  }

  async #webSocket(): Promise<void> {
    const random = this.#random;
    if (this.#socket?.isOpen !== true) this.#socket = await Socket.open(this.#rpc());
    const query = random.pick<unknown>(["tm.event='Tx'", "tm.event='", oddValue(random)]);
    const method = random.pick(['subscribe', 'unsubscribe', 'unsubscribe_all']);
    const data = random.pick<() => string | Uint8Array>([
      () => this.#body({ method, params: { query } }),
      () => this.#body({ method, params: oddValue(random) as Params }),
      () => this.#body(this.#spoilCall()),
      () => Buffer.from(spoilBytes(Buffer.from(this.#body(this.#spoilCall())), random)).toString(),
      () => random.bytes(random.int(0, 300)),
      () => deepJson(random.int(2, 20_000)),
      () => 'x'.repeat(random.pick([10, 2_000_001])),
    ])();
    const text = await this.#socket.ask(data);
    // Too much ends the connection by its close code, as RFC 6455 has it.
    if (text === 'closed') {
      const story = `websocket closed after ${String(data).slice(0, 200)}`;
      const code = this.#socket.closeCode;
      if (data.length <= 2_000_000) this.#tally.failed(story);
      // 1006: a client that is still writing may lose the code to the reset of its connection.
      else if (code === 1006) this.#tally.closed();
      else this.#tally.refused(`websocket/${code}`, story);
    } else this.#judge(String(data), 200, text);
  }

  async #wire(): Promise<void> {
    const random = this.#random;
    const head = 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n';
    const text = random.pick([
      `${head}Content-Length: 5\r\n\r\n{"id":1`,
      `${head}Content-Length: -1\r\n\r\n`,
      `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `${head}X: ${'y'.repeat(70_000)}\r\n\r\n`,
      'GET /status HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n',
      'GET /status HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://x\r\nConnection: close\r\n\r\n',
      'GET /websocket HTTP/1.1\r\nHost: 127.0.0.1\r\n' +
        'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'GET /%c0%ae HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      'GET /v1/memories/%E0%A4%A HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
      '\u0016\u0003\u0001\u0002',
    ]);
    const bytes = random.chance(0.5) ? Buffer.from(text) : spoilBytes(Buffer.from(text), random);
    const answer = await rawHttp(this.#rpc(), bytes);
    const status = /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 'closed';
    if (Number(status) >= 500 && !answer.includes('jsonrpc')) {
      this.#tally.failed(`wire: ${status}: ${text.slice(0, 80)}`);
    } else if (status === 'closed') this.#tally.closed();
    else if (Number(status) < 400) this.#tally.harmless();
    else this.#tally.refused(`http/${status}`, text.slice(0, 80));
  }

  /** The declared code of one JSON-RPC answer, 'result' for none, `undefined` if it is neither. */
  #verdict(answer: unknown): string | undefined {
    const error = pick(answer, 'error');
    if (error === undefined) return pick(answer, 'result') === undefined ? undefined : 'result';
    const [code, data] = [pickText(error, 'code'), pickText(error, 'data')];
    if (GENERIC.test(data)) return undefined;
    if (CARRIERS.has(code)) return this.#declared.of(data);
    // An unknown method is the one refusal that needs no further word.
    return data === '' && code !== '-32601' ? undefined : `jsonrpc/${code}`;
  }

  #judge(what: string, status: number, text: string): void {
    const story = `${what.slice(0, 150)} → ${status} ${text.slice(0, 200)}`;
    if (text === '' && status === 200) {
      // A notification has no answer.
      this.#tally.harmless();
      return;
    }
    if (text.startsWith('{')) this.#judgeJson(story, status, JSON.parse(text));
    else if (status < 400) this.#tally.harmless();
    else this.#tally.failed(story);
  }

  #judgeJson(story: string, status: number, answer: unknown): void {
    if (pick(answer, 'jsonrpc') === undefined) {
      const code = pickText(answer, 'code');
      if (status < 400) this.#tally.harmless();
      else this.#tally.refused(code, story);
      return;
    }
    const verdict = this.#verdict(answer);
    if (verdict === undefined) this.#tally.failed(story);
    else if (verdict === 'result') this.#tally.harmless();
    else this.#tally.refused(verdict, story);
  }
}
