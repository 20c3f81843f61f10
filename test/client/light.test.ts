/**
 * Following a chain whose validators change, over a node's RPC.
 *
 * @module
 */

import { expect } from 'chai';
import { present } from '../../node/src/base/errors.ts';
import { hashOfValidators, type Trusted } from '../../node/src/client/anchor.ts';
import { follow, startAt, trustIn } from '../../node/src/client/light.ts';
import type { Rpc } from '../../node/src/client/rpc.ts';
import { commitJson, headerJson, validatorJson } from '../../node/src/rpc/json.ts';
import type { LightBlock } from '../../node/src/types/light-block.ts';
import { validatorsHash } from '../../node/src/types/validators.ts';
import { refusal } from '../refusal.ts';
import {
  CHAIN,
  type Committee,
  committee,
  lightBlock,
  SECOND,
  START,
} from '../types/chain-maker.ts';

const COMMITTEES = [0, 60, 120, 180].map((salt) => committee([10n, 10n, 10n, 10n], salt));
/** Four heights each. */
const at = (height: number): Committee =>
  present(COMMITTEES[Math.min(3, Math.floor((height - 1) / 4))], 'committee');
const NOW = START + 1_000n * SECOND;
const LAST = 15;

function chain(changes: Readonly<Record<number, Committee>> = {}): readonly LightBlock[] {
  return Array.from({ length: LAST }, (_, i) => {
    const nextValidatorsHash = validatorsHash(at(i + 2).set);
    return lightBlock(changes[i + 1] ?? at(i + 1), i + 1, { nextValidatorsHash });
  });
}

function rpcOf(blocks: readonly LightBlock[], asked: number[] = []): Rpc {
  return (method, params) => {
    const height = Number(params['height']);
    if (method === 'validators') {
      const { validators } = blocks[height - 1]?.validators ?? at(height).set;
      return Promise.resolve({ total: '4', validators: validators.map(validatorJson) });
    }
    asked.push(height);
    const { header, commit } = present(blocks[height - 1], `block ${height}`);
    const signed = { header: headerJson(header), commit: commitJson(commit) };
    return Promise.resolve({ signed_header: JSON.parse(JSON.stringify(signed)) as unknown });
  };
}

const keys = (of: Committee) =>
  of.set.validators.map(({ publicKey, power }) => ({ publicKey: publicKey.bytes, power }));
const genesis: Trusted = { chainId: CHAIN, validatorsHash: hashOfValidators(keys(at(1))) };

async function codeOf(work: Promise<unknown>): Promise<string> {
  const { space, code } = await refusal(work);
  return `${space}/${code}`;
}

describe('client: light', () => {
  it('follows three complete changes of the validators, in few steps', async () => {
    const asked: number[] = [];
    const rpc = rpcOf(chain(), asked);
    const last = await follow(rpc, await startAt(rpc, genesis), LAST, NOW);
    expect(last.header.height).to.equal(LAST);
    expect(trustIn(last).validatorsHash).to.deep.equal(validatorsHash(at(LAST).set));
    expect(asked.length).to.be.lessThan(40);
  });

  it('starts only from validators that are trusted', async () => {
    const others = { ...genesis, validatorsHash: hashOfValidators(keys(at(9))) };
    expect(await codeOf(startAt(rpcOf(chain()), others))).to.equal('proof/3');
    const elsewhere = { ...genesis, chainId: 'other' };
    expect(await codeOf(startAt(rpcOf(chain()), elsewhere))).to.equal('proof/2');
  });

  it('refuses a change that the validators before it did not name', async () => {
    const rpc = rpcOf(chain({ 5: present(COMMITTEES[3], 'committee') }));
    const start = await startAt(rpc, genesis);
    expect(await codeOf(follow(rpc, start, 5, NOW))).to.be.oneOf(['light/8', 'proof/2']);
  });

  it('refuses to start so long ago that nobody answers for it', async () => {
    const rpc = rpcOf(chain());
    const start = await startAt(rpc, genesis);
    const later = NOW + 200n * 3_600n * SECOND;
    expect(await codeOf(follow(rpc, start, 3, later))).to.equal('light/5');
  });
});
