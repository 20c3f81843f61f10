/**
 * Calls beside a benchmark: as many as were asked for are under way, over all nodes, to the end.
 *
 * @module
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { keepCalling } from '../../node/src/ops/bench-calls.ts';

type Node = {
  readonly url: string;
  readonly open: Set<ServerResponse>;
  readonly server: Server;
  asked: number;
};

async function startNode(changed: () => void): Promise<Node> {
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    request.resume();
    node.asked++;
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      changed();
    });
    changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const node = { url: `http://127.0.0.1:${port}`, open, server, asked: 0 };
  return node;
}

describe('calls beside a benchmark', () => {
  it('are kept open in that number, and let go at the end', async () => {
    let check = (): void => undefined;
    const until = (holds: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        check = () => holds() && resolve();
        check();
      });
    const nodes = await Promise.all([0, 1].map(() => startNode(() => check())));
    const opened = (): number[] => nodes.map(({ open }) => open.size);
    const end = keepCalling(
      nodes.map(({ url }) => url),
      6,
    );
    await until(() => opened().every((size) => size === 3));
    for (const { open } of nodes) for (const response of open) response.end('{}');
    await until(() => nodes.every(({ open, asked }) => open.size === 3 && asked === 6));
    const { answered, ...rest } = end();
    expect(rest).to.deep.equal({ parallel: 6, refused: 0 });
    expect(answered).to.equal(6);
    await until(() => opened().every((size) => size === 0));
    for (const { server } of nodes) server.close();
  });
});
