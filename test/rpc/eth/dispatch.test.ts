/**
 * Requests of any shape: each gets a declared answer or, as a notification, none.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { SILENT } from '../../../node/src/base/logger.ts';
import { EthDispatcher } from '../../../node/src/rpc/eth/dispatch.ts';
import { readBig } from '../../../node/src/rpc/eth/values.ts';

const dispatcher = new EthDispatcher(
  {
    echo: { most: 1, call: (args) => String(args.at(0, readBig)) },
    fail: {
      most: 0,
      call: () => {
        throw new TypeError('a secret');
      },
    },
  },
  10,
  SILENT,
);

describe('rpc/eth dispatch', () => {
  it('answers any JSON with results or declared errors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const answer = await dispatcher.answer(text);
        if (answer === '') return;
        for (const one of [JSON.parse(answer)].flat()) {
          expect(one.jsonrpc).to.equal('2.0');
          expect('result' in one).to.not.equal('error' in one);
        }
      }),
    );
  });

  it('keeps ids as they are, null among them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), async (id) => {
        const request = { jsonrpc: '2.0', id, method: 'echo', params: ['0x2'] };
        const answer = JSON.parse(await dispatcher.answer(JSON.stringify(request)));
        expect(answer).to.deep.equal({ jsonrpc: '2.0', id, result: '2' });
      }),
    );
  });

  it('keeps what went wrong here to itself', async () => {
    const text = await dispatcher.answer('{"jsonrpc":"2.0","id":1,"method":"fail"}');
    expect(text).to.not.include('secret');
    expect(JSON.parse(text).error.code).to.equal(-32_603);
  });

  it('has no methods but its own', async () => {
    for (const method of ['constructor', '__proto__', 'toString']) {
      const text = await dispatcher.answer(JSON.stringify({ jsonrpc: '2.0', id: 1, method }));
      expect(JSON.parse(text).error.code, method).to.equal(-32_601);
    }
  });
});
