/**
 * Threads that cannot start: callers are told, and nothing goes round.
 *
 * @module
 */
import { join } from 'node:path';
import { expect } from 'chai';
import type { Logger } from '../../node/src/base/logger.ts';
import { SILENT } from '../../node/src/base/logger.ts';
import { CallThreads } from '../../node/src/node-calls.ts';
import { Turn } from '../../node/src/rpc/eth/turn.ts';
import { temporaryFolder } from '../process/support.ts';

describe('threads for calls', () => {
  it('refuse what waits when none can be started, and try again for the next', async () => {
    const folder = temporaryFolder();
    let ended = 0;
    const logger: Logger = { ...SILENT, warn: () => ended++ };
    const limits = { threads: 1, maxWaiting: 4, timeoutMs: 1_000 };
    const calls = new CallThreads(join(folder.path, 'nothing'), limits, logger);
    const request = { height: 1, time: 0n, proposer: new Uint8Array(20), txs: [] } as never;
    const turn = new Turn('', new AbortController().signal, 1_000);
    for (const starts of [1, 2]) {
      const answers = await Promise.all(
        [1, 2].map(() => calls.run({ kind: 'replay', request }, turn)),
      );
      const reason = 'no thread for calls could be started';
      expect(answers).to.deep.equal([
        { kind: 'busy', reason },
        { kind: 'busy', reason },
      ]);
      expect(ended).to.equal(starts);
    }
    await calls.stop();
    folder.remove();
  });
});
