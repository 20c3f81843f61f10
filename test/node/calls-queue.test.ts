/**
 * The queue before the threads that run calls: turns of addresses, and room.
 *
 * @module
 */
import { expect } from 'chai';
import { FairQueue } from '../../node/src/node-calls-queue.ts';

describe('queue of calls', () => {
  it('serves addresses in turn, each in order', () => {
    const queue = new FairQueue<string>(10);
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.add(item.slice(0, 1), item);
    const served = [...Array(7)].map(() => queue.take());
    expect(served).to.deep.equal(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', undefined]);
    expect(queue.size).to.equal(0);
  });

  it('has room for others when one address fills it, and never more than its bound', () => {
    const queue = new FairQueue<string>(4);
    for (const item of ['a1', 'a2', 'a3', 'a4']) expect(queue.add('a', item)).to.equal(undefined);
    expect(queue.add('a', 'a5')).to.equal('a5');
    expect(queue.add('b', 'b1')).to.equal('a4');
    expect(queue.add('b', 'b2')).to.equal('a3');
    expect(queue.add('b', 'b3')).to.equal('b3');
    expect(queue.size).to.equal(4);
    expect([...Array(4)].map(() => queue.take())).to.deep.equal(['a1', 'b1', 'a2', 'b2']);
  });
});
