/**
 * Messages about spaces on the wire: read strictly, signed by CosmJS, shown to signers.
 *
 * @module
 */
import { expect } from 'chai';
import { TxMsgData } from 'cosmjs-types/cosmos/base/abci/v1beta1/abci';
import { computeAddress } from 'ethers';
import fc, { type Arbitrary } from 'fast-check';
import { EMPTY, toHex } from '../../../node/src/base/bytes.ts';
import { LedgerError } from '../../../node/src/base/errors.ts';
import type { Codec } from '../../../node/src/base/proto.ts';
import { Operation } from '../../../node/src/gen/metatron/memory/v1/state.ts';
import {
  MsgCreateSpace,
  MsgCreateSpaceResponse,
  MsgFreezeSpace,
  MsgGrant,
  MsgRevoke,
  MsgTransferSpace,
  MsgUpdateSpace,
} from '../../../node/src/gen/metatron/memory/v1/tx.ts';
import { Addresses } from '../../../node/src/ledger/addresses.ts';
import { spaceMessages } from '../../../node/src/ledger/memory/space-messages.ts';
import {
  changeOperationCodec,
  msgCreateSpaceCodec,
  msgFreezeSpaceCodec,
  msgGrantCodec,
  msgRevokeCodec,
  msgTransferSpaceCodec,
  msgUpdateSpaceCodec,
} from '../../../node/src/ledger/memory/wire-spaces.ts';
import {
  createSpaceFace,
  freezeSpaceFace,
  grantFace,
  revokeFace,
  transferSpaceFace,
  updateSpaceFace,
} from '../../../node/src/types/amino-spaces.ts';
import {
  MSG_CREATE_SPACE_URL,
  MSG_FREEZE_SPACE_URL,
  MSG_GRANT_URL,
  MSG_REVOKE_URL,
  MSG_TRANSFER_SPACE_URL,
  MSG_UPDATE_SPACE_URL,
  sharedSpaceId,
} from '../../../node/src/types/memory.ts';
import { bytesOf } from '../ethereum/support.ts';
import { type Actor, PREFIX, sign, theActors, World } from '../world.ts';
import { AMPLE, salt } from './support.ts';

type Generated<T> = {
  encode(value: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
};
type Face<T> = { toAmino(message: T): object; fromAmino(json: never): T };

const text = fc.string({ unit: 'binary', maxLength: 60 });
const blob = fc.uint8Array({ maxLength: 32 });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const mode = fc.constantFrom(0 as const, 1 as const);
const terms = { mode, policy: blob, maxEntries: uint64, maxBytes: uint64 };
const rights = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** The strict codec writes what the generated one writes, and reads nothing else. */
function agree<T>(
  codec: Codec<T>,
  generated: Generated<T>,
  values: Arbitrary<T>,
  face: Face<T>,
): void {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 });
  fc.assert(
    fc.property(values, flips, (value, changes) => {
      const bytes = codec.encode(value);
      expect(toHex(bytes)).to.equal(toHex(generated.encode(value).finish()));
      expect(codec.decode(bytes)).to.deep.equal(value);
      expect(face.fromAmino(face.toAmino(value) as never)).to.deep.equal(value);
      for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
      let read: T | undefined;
      try {
        read = codec.decode(bytes);
      } catch (thrown) {
        expect(thrown).to.be.instanceOf(LedgerError);
      }
      if (read !== undefined) expect(toHex(codec.encode(read))).to.equal(toHex(bytes));
    }),
    { numRuns: 150 },
  );
}

describe('ledger: messages about spaces', () => {
  let alice: Actor;
  let bob: Actor;
  before(async () => {
    [alice, bob] = (await theActors()) as [Actor, Actor];
  });

  it('are read as the generated codecs write them, and shown to signers whole', () => {
    const about = { author: text, space: blob };
    agree(
      msgCreateSpaceCodec,
      MsgCreateSpace,
      fc.record({ author: text, salt: blob, ...terms }),
      createSpaceFace,
    );
    agree(msgUpdateSpaceCodec, MsgUpdateSpace, fc.record({ ...about, ...terms }), updateSpaceFace);
    agree(
      msgTransferSpaceCodec,
      MsgTransferSpace,
      fc.record({ ...about, to: text }),
      transferSpaceFace,
    );
    agree(
      msgFreezeSpaceCodec,
      MsgFreezeSpace,
      fc.record({ ...about, frozen: fc.boolean() }),
      freezeSpaceFace,
    );
    const grants = fc.record({ ...about, subject: text, rights, expiry: uint64 });
    agree(msgGrantCodec, MsgGrant, grants, grantFace);
    agree(msgRevokeCodec, MsgRevoke, fc.record({ ...about, subject: text }), revokeFace);
  });

  it('leave operations that the generated codec writes alike', () => {
    const at = { height: 7, blockTime: { seconds: 9n, nanos: 1 } };
    const [space, id] = [new Uint8Array(32).fill(1), new Uint8Array(20).fill(2)];
    const spaceTerms = { space, owner: id, mode: 1 as const, policy: EMPTY, ...AMPLE };
    const changes = [
      { $case: 'created' as const, value: spaceTerms },
      { $case: 'updated' as const, value: { ...spaceTerms, owner: EMPTY } },
      { $case: 'transferred' as const, value: { space, from: id, to: id } },
      { $case: 'frozen' as const, value: { space, frozen: false, by: id, byGovernors: true } },
      { $case: 'granted' as const, value: { space, subject: id, rights: 3, expiry: 5n, by: id } },
      { $case: 'revoked' as const, value: { space, subject: id, by: id } },
    ];
    for (const kind of changes) {
      const own = changeOperationCodec.encode({ ...at, [kind.$case]: kind.value });
      const generated = Operation.encode({ height: 7n, blockTime: at.blockTime, kind }).finish();
      expect(toHex(own)).to.equal(toHex(generated));
    }
  });

  for (const signMode of ['direct', 'amino'] as const) {
    it(`are executed as CosmJS signs them in mode ${signMode}`, async () => {
      const world = await new World().start();
      const face = bytesOf(computeAddress(`0x${toHex(alice.pubkey)}`));
      const space = sharedSpaceId(face, salt(1));
      const author = alice.address;
      const of = { author, space };
      const messages = [
        {
          typeUrl: MSG_CREATE_SPACE_URL,
          value: { author, salt: salt(1), mode: 0, policy: EMPTY, ...AMPLE },
        },
        { typeUrl: MSG_UPDATE_SPACE_URL, value: { ...of, mode: 1, policy: EMPTY, ...AMPLE } },
        {
          typeUrl: MSG_GRANT_URL,
          value: { ...of, subject: bob.address, rights: 3, expiry: 4_000_000_000n },
        },
        { typeUrl: MSG_REVOKE_URL, value: { ...of, subject: bob.address } },
        { typeUrl: MSG_FREEZE_SPACE_URL, value: { ...of, frozen: true } },
        { typeUrl: MSG_FREEZE_SPACE_URL, value: { ...of, frozen: false } },
        { typeUrl: MSG_TRANSFER_SPACE_URL, value: { ...of, to: bob.address } },
      ];
      const tx = await sign({ from: alice, messages, sequence: 0, mode: signMode });
      const { txResults } = await world.block(tx);
      const [result] = txResults;
      expect(result?.log).to.equal('');
      const [answer] = TxMsgData.decode(result?.data ?? EMPTY).msgResponses;
      expect(toHex(MsgCreateSpaceResponse.decode(answer?.value ?? EMPTY).space)).to.equal(
        toHex(space),
      );
      const types = result?.events.map(({ type }) => type).filter((type) => /^memory_/.test(type));
      expect(types).to.deep.equal([
        'memory_created',
        'memory_updated',
        'memory_granted',
        'memory_revoked',
        'memory_frozen',
        'memory_frozen',
        'memory_transferred',
      ]);
    });
  }

  it('are refused if an id, a salt, a policy or an address is not of its size', () => {
    const addresses = new Addresses(PREFIX);
    const author = alice.address;
    const create = { author, salt: salt(1), mode: 0 as const, policy: EMPTY, ...AMPLE };
    const of = { author, space: new Uint8Array(32) };
    const wrong: readonly (readonly [string, Uint8Array])[] = [
      [MSG_CREATE_SPACE_URL, MsgCreateSpace.encode({ ...create, salt: EMPTY }).finish()],
      [MSG_CREATE_SPACE_URL, MsgCreateSpace.encode({ ...create, policy: salt(1) }).finish()],
      [MSG_CREATE_SPACE_URL, MsgCreateSpace.encode({ ...create, mode: -1 as never }).finish()],
      [MSG_CREATE_SPACE_URL, MsgCreateSpace.encode({ ...create, author: 'nobody' }).finish()],
      [
        MSG_FREEZE_SPACE_URL,
        MsgFreezeSpace.encode({ author, space: EMPTY, frozen: true }).finish(),
      ],
      [MSG_REVOKE_URL, MsgRevoke.encode({ ...of, subject: '0x00' }).finish()],
      [MSG_TRANSFER_SPACE_URL, MsgTransferSpace.encode({ ...of, to: '' }).finish()],
    ];
    for (const [url, bytes] of wrong) {
      const type = spaceMessages.find(({ typeUrl }) => typeUrl === url);
      expect(() => type?.decode(bytes, addresses), url).to.throw(LedgerError);
    }
  });
});
