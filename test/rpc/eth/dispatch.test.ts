/**
 * Requests of any shape: each gets a declared answer or, as a notification, none.
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { SILENT } from '../../../node/src/base/logger.ts';
import { EthDispatcher } from '../../../node/src/rpc/eth/dispatch.ts';
import { Turn } from '../../../node/src/rpc/eth/turn.ts';
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

function turn(limitMs = 60_000, signal = new AbortController().signal): Turn {
  return new Turn('', signal, limitMs);
}

describe('rpc/eth dispatch', () => {
  it('answers the rest of a batch whose time is over with errors, in order', async () => {
    const own = turn(1_000);
    let calls = 0;
    const late = new EthDispatcher(
      { late: { most: 0, call: () => String(own.waited(calls++ === 1 ? -2_000 : 0)) } },
      10,
      SILENT,
    );
    const batch = [1, 2, 3, 4].map((id) => ({ jsonrpc: '2.0', id, method: 'late' }));
    const answers = JSON.parse(await late.answer(JSON.stringify(batch), own));
    expect(calls).to.equal(2);
    expect(answers.map((one: { id: number }) => one.id)).to.deep.equal([1, 2, 3, 4]);
    for (const { error } of answers.slice(2)) {
      expect(error).to.deep.equal({ code: -32_000, message: 'execution aborted (timeout = 1s)' });
    }
  });

  it('stops a batch when its client is gone', async () => {
    const gone = new AbortController();
    let calls = 0;
    const leaving = new EthDispatcher(
      {
        leave: {
          most: 0,
          call: () => {
            calls++;
            gone.abort();
            return null;
          },
        },
      },
      10,
      SILENT,
    );
    const batch = [1, 2, 3].map((id) => ({ jsonrpc: '2.0', id, method: 'leave' }));
    expect(await leaving.answer(JSON.stringify(batch), turn(1_000, gone.signal))).to.equal('');
    expect(calls).to.equal(1);
  });

  it('answers any JSON with results or declared errors', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (text) => {
        const answer = await dispatcher.answer(text, turn());
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
        const answer = JSON.parse(await dispatcher.answer(JSON.stringify(request), turn()));
        expect(answer).to.deep.equal({ jsonrpc: '2.0', id, result: '2' });
      }),
    );
  });

  it('keeps what went wrong here to itself', async () => {
    const text = await dispatcher.answer('{"jsonrpc":"2.0","id":1,"method":"fail"}', turn());
    expect(text).to.not.include('secret');
    expect(JSON.parse(text).error.code).to.equal(-32_603);
  });

  it('has no methods but its own', async () => {
    for (const method of ['constructor', '__proto__', 'toString']) {
      const text = await dispatcher.answer(
        JSON.stringify({ jsonrpc: '2.0', id: 1, method }),
        turn(),
      );
      expect(JSON.parse(text).error.code, method).to.equal(-32_601);
    }
  });
});
