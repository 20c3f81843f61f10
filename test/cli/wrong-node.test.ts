/**
 * `--node` at another port: the user hears what it is, and which one to take.
 *
 * @module
 */
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { expect } from 'chai';
import { registerMemory } from '../../node/src/cli/memory.ts';
import { registerQuery } from '../../node/src/cli/query.ts';
import { registerVerify } from '../../node/src/cli/verify.ts';
import { errors as ethErrors } from '../../node/src/rpc/eth/errors.ts';
import { runCommand } from './run.ts';

async function listen(server: Server | HttpServer, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Answers every POST with this, as a function of the method that was asked. */
function answering(answer: (method: string) => object | string, path = '/'): HttpServer {
  return createHttp((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      const { method } = JSON.parse(body) as { readonly method: string };
      const found = request.url === path ? answer(method) : '{"status":404}';
      if (request.url !== path) response.statusCode = 404;
      response.end(typeof found === 'string' ? found : JSON.stringify(found));
    });
  });
}

const rpc = (): HttpServer =>
  answering((method) => ({ jsonrpc: '2.0', id: 1, result: { method, node_info: {} } }));
const ethereum = (): HttpServer =>
  answering((method) => {
    const message = ethErrors.NoMethod.message({ method });
    return { jsonrpc: '2.0', id: 1, error: { code: -32_601, message } };
  });

describe('a node at another port', () => {
  const open: (Server | HttpServer)[] = [];
  afterEach(() => {
    for (const server of open.splice(0)) server.close();
  });

  /** Two servers at neighbouring ports. @returns the port of the second */
  async function neighbours(
    first: () => Server | HttpServer,
    second: () => Server | HttpServer,
  ): Promise<number> {
    for (let attempt = 0; attempt < 50; attempt++) {
      const one = first();
      const port = await listen(one, 0);
      const two = second();
      const next = await listen(two, port + 1).catch(() => 0);
      open.push(one, two);
      if (next !== 0) return next;
    }
    throw new TypeError('no two free ports in a row');
  }

  const status = (node: string): ReturnType<typeof runCommand> =>
    runCommand(registerQuery, ['query', 'status', '--node', node]);

  it("is Ethereum's JSON-RPC: the RPC beside it is named", async () => {
    const port = await neighbours(rpc, ethereum);
    const said =
      `http://127.0.0.1:${port} is Ethereum's JSON-RPC, and CometBFT's RPC is wanted: ` +
      `take --node http://127.0.0.1:${port - 1}`;
    const owner = `0x${'ab'.repeat(20)}`;
    for (const done of [
      await status(`127.0.0.1:${port}`),
      await runCommand(registerMemory, [
        ...['memory', 'list', '--owner', owner],
        ...['--node', `127.0.0.1:${port}`],
      ]),
      await runCommand(registerVerify, [
        ...['verify', '/dev/null'],
        ...['--trust-node', `127.0.0.1:${port}`],
      ]),
    ]) {
      expect([done.code, done.stdout]).to.deep.equal([1, '']);
      expect(done.stderr).to.contain(said);
    }
  });

  it('is REST, or something that is no node: the RPC is named if there is one', async () => {
    const node = rpc();
    open.push(node);
    const port = await listen(node, 0);
    const rest = await status(`http://127.0.0.1:${port}/v1`);
    expect(rest.stderr).to.match(/\/v1 is something else \(HTTP 404\)/);
    expect(rest.stderr).to.contain(`take --node http://127.0.0.1:${port}\n`);
    const page = await neighbours(() => answering(() => '<html>'), rpc);
    const web = await status(`127.0.0.1:${page - 1}`);
    expect(web.stderr).to.contain('is something else (HTTP 200)');
    expect(web.stderr).to.contain(`take --node http://127.0.0.1:${page}\n`);
  });

  it('speaks another protocol', async () => {
    const peer = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('\u0013/multistream/1.0.0\n');
    });
    open.push(peer);
    const done = await status(`127.0.0.1:${await listen(peer, 0)}`);
    expect(done.code).to.equal(1);
    expect(done.stderr).to.match(/is no HTTP server, and CometBFT's RPC is wanted: take /);
  });

  it('is nobody: that stays as it is', async () => {
    const done = await status('127.0.0.1:1');
    expect(done.stderr).to.match(/cannot reach http:\/\/127\.0\.0\.1:1 \(.*metatron devnet/);
  });
});
