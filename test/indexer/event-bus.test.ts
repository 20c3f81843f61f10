/**
 * The event bus: order, filters, texts built once, nothing for nobody, and the bounded backlog.
 *
 * @module
 */
import { expect } from 'chai';
import { utf8 } from '../../node/src/base/bytes.ts';
import {
  type BusEvent,
  EventBus,
  MAX_BACKLOG,
  type Subscription,
} from '../../node/src/indexer/event-bus.ts';
import { parseQuery } from '../../node/src/indexer/query.ts';
import type { ChainEvent } from '../../node/src/types/chain-events.ts';
import { ChainFixture } from '../rpc/chain-fixture.ts';

function follow(query: string): {
  readonly subscription: Subscription;
  readonly seen: BusEvent[];
  readonly reasons: string[];
} {
  const seen: BusEvent[] = [];
  const reasons: string[] = [];
  const subscription: Subscription = {
    query: parseQuery(query),
    deliver: (event) => {
      seen.push(event);
    },
    ended: (reason) => {
      reasons.push(reason);
    },
  };
  return { subscription, seen, reasons };
}

/** Lets everything on the bus be delivered. */
async function delivered(bus: EventBus, query = "tm.event='TimeoutWait'"): Promise<void> {
  const last = follow(query);
  bus.subscribe(last.subscription);
  bus.publish({ kind: 'round', name: 'TimeoutWait', height: 1, round: 0, step: 'x' });
  for (let turn = 0; turn < 10_000 && last.seen.length === 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  bus.unsubscribe(last.subscription);
}

const committed = (txs: number): ChainEvent => ({
  kind: 'committed',
  height: new ChainFixture(1).produce(
    Array.from({ length: txs }, (_, i) => utf8(`k${i}=${'v'.repeat(i % 3)}`)),
  ),
});

describe('indexer/event-bus', () => {
  it('delivers what matches, in order', async () => {
    const bus = new EventBus();
    const all = follow('tm.event EXISTS');
    const txs = follow("tm.event='Tx'");
    const one = follow("tm.event='Tx' AND app.key='k1'");
    for (const { subscription } of [all, txs, one]) bus.subscribe(subscription);
    bus.publish(committed(200));
    await delivered(bus);
    const names = all.seen.map((event) => event.name);
    expect(names.slice(0, 4)).to.deep.equal(['NewBlock', 'NewBlockHeader', 'NewBlockEvents', 'Tx']);
    expect(txs.seen.map(({ payload }) => ('index' in payload ? payload.index : -1))).to.deep.equal(
      Array.from({ length: 200 }, (_, i) => i),
    );
    expect(one.seen).to.have.length(1);
    expect(one.seen[0]?.attributes.get('tx.height')).to.deep.equal(['1']);
  });

  it('builds a text once for all subscribers', async () => {
    const bus = new EventBus();
    let built = 0;
    const render = (event: BusEvent) => {
      built++;
      return event.name;
    };
    const subscriptions = Array.from({ length: 10 }, () => ({
      query: parseQuery("tm.event='NewBlock'"),
      deliver: (event: BusEvent) => {
        event.text(render);
      },
      ended: () => undefined,
    }));
    for (const subscription of subscriptions) bus.subscribe(subscription);
    bus.publish(committed(0));
    await delivered(bus);
    expect(built).to.equal(1);
  });

  it('stops at unsubscribe', async () => {
    const bus = new EventBus();
    const { subscription, seen } = follow("tm.event='NewBlock'");
    bus.subscribe(subscription);
    bus.publish(committed(0));
    bus.unsubscribe(subscription);
    await delivered(bus);
    expect(seen).to.deep.equal([]);
    expect(bus.size).to.equal(0);
  });

  it('ends subscriptions with a reason when too much waits, and goes on', async () => {
    const bus = new EventBus();
    const slow = follow("tm.event='Tx'");
    bus.subscribe(slow.subscription);
    const event = committed(1_000);
    for (let i = 0; i <= MAX_BACKLOG / 1_000; i++) bus.publish(event);
    expect(slow.reasons).to.have.length(1);
    expect(bus.size).to.equal(0);
    const again = follow("tm.event='NewBlock'");
    bus.subscribe(again.subscription);
    bus.publish(committed(0));
    await delivered(bus);
    expect(again.seen).to.have.length(1);
  });
});
