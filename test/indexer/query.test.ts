/**
 * The query language, by CometBFT's published tables (libs/pubsub/query: syntax_test, query_test).
 *
 * @module
 */
import { expect } from 'chai';
import fc from 'fast-check';
import { LedgerError } from '../../node/src/base/errors.ts';
import {
  type Attributes,
  leadingNumber,
  matches,
  parseQuery,
  scan,
} from '../../node/src/indexer/query.ts';

const VALID: readonly string[] = [
  "tm.events.type='NewBlock'",
  "tm.events.type = 'NewBlock'",
  "tm.events.name = ''",
  "tm.events.type='TIME'",
  "tm.events.type='DATE'",
  "tm.events.type='='",
  "tm.events.type='NewBlock' AND abci.account.name='Igor'",
  "abci.account.name CONTAINS 'Igor'",
  'tx.date > DATE 2013-05-03',
  'tx.date < DATE 2013-05-03',
  'tx.date <= DATE 2013-05-03',
  'tx.date >= DATE 2013-05-03',
  'tx.date > TIME 2013-05-03T14:45:00+07:00',
  'tx.date < TIME 2013-05-03T14:45:00-02:00',
  'tx.date <= TIME 2013-05-03T14:45:00Z',
  'tx.date >= TIME 2013-05-03T14:45:00Z',
  'account.balance=100',
  'account.balance >= 200',
  'slashing.amount EXISTS',
  'slashing.amount EXISTS AND account.balance=100',
  'account.balance=100 AND slashing.amount EXISTS',
  'slashing EXISTS',
  "hash='136E18F7E4C348B780CF873A0BF43922E5BAFA63'",
  'cosm-wasm.transfer_amount=100',
];

const INVALID: readonly string[] = [
  "tm.events.type='TIME",
  "tm.events.type=TIME'",
  'tm.events.type==',
  'tm.events.type=NewBlock',
  '>==',
  "tm.events.type 'NewBlock' =",
  "tm.events.type>'NewBlock'",
  '',
  '=',
  "='NewBlock'",
  'tm.events.type=',
  'tm.events.typeNewBlock',
  "tm.events.type'NewBlock'",
  "'NewBlock'",
  'NewBlock',
  "tm.events.type='NewBlock' AND",
  "tm.events.type='NewBlock' AN",
  "tm.events.type='NewBlock' AN tm.events.type='NewBlockHeader'",
  "AND tm.events.type='NewBlock' ",
  'tx.date >= DAT 2013-05-03',
  'tx.date <= DATE2013-05-03',
  'tx.date <= DATE -05-03',
  'tx.date >= DATE 20130503',
  'tx.date >= DATE 2013+01-03',
  'tx.date >= DATE 0013-01-03',
  'tx.date >= DATE 2013-31-03',
  'tx.date >= DATE 2013-01-83',
  'tx.date >= DATE 2013-02-30',
  'tx.date >= TIME2013-05-03T14:45:00Z',
  'tx.date = IME 2013-05-03T14:45:00Z',
  'tx.date = TIME 2013-05-:45:00Z',
  'tx.date >= TIME 2013-05-03T14:45:00',
  'tx.date >= TIME 0013-00-00T14:45:00Z',
  'tx.date >= TIME 2013+05=03T14:45:00Z',
  'account.balance >= -300',
  'account.balance >>= 400',
  'account.balance=33.22.1',
  'hash=136E18F7E4C348B780CF873A0BF43922E5BAFA63',
];

/** Events in the tables' notation: `type|key=value|key=value`. */
function events(...texts: readonly string[]): Attributes {
  const out = new Map<string, string[]>();
  for (const text of texts) {
    const [type = '', ...pairs] = text.split('|');
    for (const pair of pairs) {
      const at = pair.indexOf('=');
      const tag = `${type}.${pair.slice(0, at)}`;
      out.set(tag, [...(out.get(tag) ?? []), pair.slice(at + 1)]);
    }
  }
  return out;
}

const API: Attributes = events(
  'tm|event=Tx|hash=XYZ|height=5',
  'rewards.withdraw|address=AddrA|source=SrcX|amount=100|balance=1500',
  'rewards.withdraw|address=AddrB|source=SrcY|amount=45|balance=999',
  'transfer|sender=AddrC|recipient=AddrD|amount=160',
);

const BIG: Attributes = events(
  'big|value=99999999999999999999|floatvalue=99999999999999999999.10',
  'big2|value=18446744073709551615|floatvalue=18446744073709551615.6',
);

const MATCHES: readonly (readonly [query: string, events: Attributes, matches: boolean])[] = [
  ["tm.events.type='NewBlock'", events('tm|events.type=NewBlock'), true],
  ['tx.gas > 7', events('tx|gas=8'), true],
  ['transfer.amount > 7', events('transfer|amount=8stake'), true],
  ['transfer.amount > 7', events('transfer|amount=8.045'), true],
  ['transfer.amount > 7.043', events('transfer|amount=8.045stake'), true],
  ['transfer.amount > 8.045', events('transfer|amount=8.045stake'), false],
  ['tx.gas > 7 AND tx.gas < 9', events('tx|gas=8'), true],
  ['body.weight >= 3.5', events('body|weight=3.5'), true],
  ['account.balance < 1000.0', events('account|balance=900'), true],
  ['apples.kg <= 4', events('apples|kg=4.0'), true],
  ['body.weight >= 4.5', events('body|weight=4.5'), true],
  ['oranges.kg < 4 AND watermellons.kg > 10', events('oranges|kg=3', 'watermellons|kg=12'), true],
  ['peaches.kg < 4', events('peaches|kg=5'), false],
  ['tx.date > DATE 2017-01-01', events('tx|date=2026-01-02'), true],
  ['tx.date = DATE 2017-01-01', events('tx|date=2017-01-01'), true],
  ['tx.date = DATE 2018-01-01', events('tx|date=2017-01-01'), false],
  ['tx.time >= TIME 2013-05-03T14:45:00Z', events('tx|time=2026-01-02T03:04:05Z'), true],
  ['tx.time = TIME 2013-05-03T14:45:00Z', events('tx|time=2018-05-03T14:45:00Z'), false],
  ["abci.owner.name CONTAINS 'Igor'", events('abci|owner.name=Igor|owner.name=Ivan'), true],
  ["abci.owner.name CONTAINS 'Igor'", events('abci|owner.name=Pavel|owner.name=Ivan'), false],
  ["abci.owner.name = 'Igor'", events('abci|owner.name=Igor|owner.name=Ivan'), true],
  ["abci.owner.name = 'Ivan'", events('abci|owner.name=Igor|owner.name=Ivan'), true],
  [
    "abci.owner.name = 'Ivan' AND abci.owner.name = 'Igor'",
    events('abci|owner.name=Igor|owner.name=Ivan'),
    true,
  ],
  [
    "abci.owner.name = 'Ivan' AND abci.owner.name = 'John'",
    events('abci|owner.name=Igor|owner.name=Ivan'),
    false,
  ],
  ["app.name = 'fuzzed'", events('tm|events.type=NewBlock', 'app|name=fuzzed'), true],
  [
    "tm.events.type='NewHeader' AND app.name = 'fuzzed'",
    events('tm|events.type=NewBlock', 'app|name=fuzzed'),
    false,
  ],
  ['slash EXISTS', events('slash|reason=missing_signature|power=6000'), true],
  ['sl EXISTS', events('slash|reason=missing_signature|power=6000'), false],
  ['slash EXISTS', events('transfer|recipient=a|sender=b'), false],
  ['slash.reason EXISTS AND slash.power > 1000', events('slash|reason=x|power=6000'), true],
  ['slash.reason EXISTS AND slash.power > 1000', events('slash|reason=x|power=500'), false],
  ['slash.reason EXISTS', events('transfer|recipient=a|sender=b'), false],
  ["tm.event = 'Tx' AND rewards.withdraw.address = 'AddrA'", API, true],
  [
    "tm.event = 'Tx' AND rewards.withdraw.address = 'AddrA' AND rewards.withdraw.source = 'SrcY'",
    API,
    true,
  ],
  ["tm.event = 'Tx' AND transfer.sender = 'AddrA'", API, false],
  ["tm.event = 'Tx' AND transfer.sender = 'AddrC'", API, true],
  ["tm.event = 'Tx' AND transfer.sender = 'AddrZ'", API, false],
  ["tm.event = 'Tx' AND rewards.withdraw.source = 'W'", API, false],
  ['big.value >= 99999999999999999999', BIG, true],
  ['big.value > 99999999999999999998', BIG, true],
  ['big2.value <= 18446744073709551615', BIG, true],
  ['big.floatvalue >= 99999999999999999999', BIG, true],
  ['big.floatvalue > 99999999999999999998.10', BIG, true],
  ['big2.floatvalue <= 18446744073709551615.6', BIG, true],
  ['big2.floatvalue >= 18446744073709551615', BIG, true],
  ['big2.floatvalue >= 12.5', BIG, true],
  ['big.value >= 10', BIG, true],
];

describe('indexer/query', () => {
  it('scans what CometBFT scans', () => {
    const kinds = (text: string) => scan(text).map((token) => token.kind);
    expect(kinds('')).to.deep.equal([]);
    expect(kinds('\t\n ')).to.deep.equal([]);
    expect(kinds('0.32 3.14')).to.deep.equal(['operand', 'operand']);
    expect(kinds('foo foo-foo.bar')).to.deep.equal(['tag', 'tag']);
    expect(kinds("'' x 'x' 'x y'")).to.deep.equal(['operand', 'tag', 'operand', 'operand']);
    expect(kinds('< <= = > >=')).to.deep.equal(['op', 'op', 'op', 'op', 'op']);
    expect(kinds('and AND')).to.deep.equal(['tag', 'word']);
    for (const bad of ["'incomplete string", '-23', '&', 'DATE xyz-pdq', 'DATE 0000-00-00']) {
      expect(() => scan(bad), bad).to.throw(LedgerError);
    }
    for (const bad of [
      'DATE 2021-01-99',
      'TIME 2021-01-01T34:56:78Z',
      'TIME 2021-01-99T14:56:08Z',
    ]) {
      expect(() => scan(bad), bad).to.throw(LedgerError);
    }
  });

  it('takes what CometBFT takes, and refuses the rest with index/1', () => {
    for (const text of VALID) expect(parseQuery(text).text, text).to.equal(text);
    for (const text of INVALID) expect(() => parseQuery(text), text).to.throw(LedgerError);
  });

  it('matches as CometBFT matches', () => {
    for (const [text, attributes, expected] of MATCHES) {
      expect(matches(parseQuery(text), attributes), text).to.equal(expected);
    }
  });

  it('refuses any other text with a declared error', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 600 }), (text) => {
        try {
          parseQuery(text);
        } catch (thrown) {
          expect(thrown).to.be.instanceOf(LedgerError);
        }
      }),
    );
  });

  it('compares numbers of any size exactly', () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 60n), fc.bigInt(0n, 10n ** 60n), (a, b) => {
        const attributes = events(`x|y=${a}coin`);
        expect(matches(parseQuery(`x.y < ${b}`), attributes)).to.equal(a < b);
        expect(matches(parseQuery(`x.y = ${b}`), attributes)).to.equal(a === b);
      }),
    );
    expect(leadingNumber('9'.repeat(1_000))).to.equal(undefined);
  });
});
