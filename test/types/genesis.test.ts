/**
 * Genesis documents: CometBFT's JSON, its hash, and what is refused by name.
 *
 * @module
 */
import { expect } from 'chai';
import { fromUtf8, toHex } from '../../node/src/base/bytes.ts';
import { LedgerError } from '../../node/src/base/errors.ts';
import { errors, genesisHash, genesisText, parseGenesis } from '../../node/src/types/genesis.ts';

const document = {
  genesis_time: '2026-01-02T03:04:05.000000006Z',
  chain_id: 'test-chain',
  initial_height: '1',
  consensus_params: {
    block: { max_bytes: '22020096', max_gas: '-1' },
    evidence: {
      max_age_num_blocks: '100000',
      max_age_duration: '172800000000000',
      max_bytes: '1048576',
    },
    validator: { pub_key_types: ['ed25519'] },
    version: { app: '3' },
    abci: { vote_extensions_enable_height: '0' },
  },
  validators: [
    {
      address: 'A03DC128D38DB0BC5F18AE1872F1CB2E1FD41157',
      pub_key: {
        type: 'tendermint/PubKeyEd25519',
        value: '2BX6Zuj8RmdJAkD1BAg6KB0v04liyM7jBdwOGIb9F9Q=',
      },
      power: '169980',
      name: 'first',
    },
  ],
  app_hash: '',
  app_state: { supply: '1000000000000000000' },
};

const parse = (changes: object = {}): ReturnType<typeof parseGenesis> =>
  parseGenesis(JSON.stringify({ ...document, ...changes }));

describe('a genesis document', () => {
  it('is read and written without a change', () => {
    const genesis = parse();
    expect(JSON.parse(genesisText(genesis))).to.deep.equal(document);
    expect(genesis.genesisTime % 1_000_000_000n).to.equal(6n);
    expect(fromUtf8(genesis.appState)).to.equal('{"supply":"1000000000000000000"}');
  });

  it('has one hash for every layout of it', () => {
    const pretty = parseGenesis(JSON.stringify(document, null, 4));
    expect(toHex(genesisHash(pretty))).to.equal(toHex(genesisHash(parse())));
    const other = parse({ chain_id: 'other' });
    expect(toHex(genesisHash(other))).to.not.equal(toHex(genesisHash(parse())));
  });

  const [validator] = document.validators;
  const bad: readonly (readonly [path: string, changes: object])[] = [
    ['genesis_time', { genesis_time: '0001-01-01T00:00:00Z' }],
    ['genesis_time', { genesis_time: 'now' }],
    ['chain_id', { chain_id: '' }],
    ['chain_id', { chain_id: 'x'.repeat(51) }],
    ['initial_height', { initial_height: '-1' }],
    ['initial_height', { initial_height: 'one' }],
    ['app_hash', { app_hash: 'xyz' }],
    ['validators', { validators: {} }],
    ['validators.0.power', { validators: [{ ...validator, power: '0' }] }],
    ['validators.0.address', { validators: [{ ...validator, address: '00'.repeat(20) }] }],
    ['validators.0.pub_key', { validators: [{ ...validator, pub_key: { type: 'x', value: '' } }] }],
  ];
  for (const [path, changes] of bad) {
    it(`is refused by the name of ${path}: ${JSON.stringify(changes).slice(0, 60)}`, () => {
      try {
        parse(changes);
        expect.fail('accepted');
      } catch (thrown) {
        if (!LedgerError.is(thrown, errors.BadGenesis)) throw thrown;
        expect(thrown.params.path).to.equal(path);
      }
    });
  }

  it('is refused when it is not JSON', () => {
    expect(() => parseGenesis('{')).to.throw(LedgerError);
  });
});
