/**
 * Messages of module bank: MsgSend and MsgMultiSend.
 *
 * Upholds: a multi-send has one input, as in SDK 0.50, and its outputs add up to it; the fee
 * collector and other module accounts receive nothing by message.
 * Spec: Cosmos SDK 0.50 x/bank/keeper/msg_server.go, x/bank/types/msgs.go.
 *
 * @module
 */
import { EMPTY } from '../../base/bytes.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import { getAccount } from '../auth/accounts.ts';
import { resolve } from '../auth/aliases.ts';
import { errors, refuse } from '../errors.ts';
import { indexed, shown } from '../events.ts';
import { GAS } from '../gas.ts';
import type { Context, DecodedMessage, MessageType } from '../module.ts';
import { decodeCosmos } from '../tx/decode.ts';
import { type Coin, msgMultiSendCodec, msgSendCodec, type Party } from '../tx/wire.ts';
import { type Amount, coinsText, equalCoins, parseCoins, sumCoins } from './coins.ts';
import { ensureAccount, receive, spend, transfer } from './transfer.ts';

const SEND_URL = '/cosmos.bank.v1beta1.MsgSend';
const MULTI_SEND_URL = '/cosmos.bank.v1beta1.MsgMultiSend';
const SEND_RESPONSE_URL = '/cosmos.bank.v1beta1.MsgSendResponse';
const MULTI_SEND_RESPONSE_URL = '/cosmos.bank.v1beta1.MsgMultiSendResponse';
const SEND_AMINO = 'cosmos-sdk/MsgSend';
const MULTI_SEND_AMINO = 'cosmos-sdk/MsgMultiSend';

/** Makes sure that a receiver exists and may receive. @returns the account behind the address */
function prepareReceiver(context: Context, address: AccountId): AccountId {
  const { state } = context;
  const here = getAccount(state, address);
  const to = here === undefined ? resolve(state, address) : address;
  const account = here ?? getAccount(state, to);
  if (account !== undefined && account.moduleName !== '') {
    refuse(errors.Unauthorized, `${context.addresses.text(to)} is not allowed to receive funds`);
  }
  if (ensureAccount(state, to)) context.gas.charge(GAS.newAccount, 'new account');
  return to;
}

function aminoCoins(coins: readonly Coin[]): readonly object[] {
  return coins.map(({ denom, amount }) => ({ denom, amount }));
}

/** cosmos.bank.v1beta1.MsgSend. */
export const send: MessageType = {
  typeUrl: SEND_URL,
  aminoName: SEND_AMINO,
  decode(bytes: Uint8Array, addresses: Addresses): DecodedMessage {
    const wire = decodeCosmos(msgSendCodec, bytes);
    const from = addresses.id(wire.fromAddress, 'invalid from address');
    const to = addresses.id(wire.toAddress, 'invalid to address');
    const coins = parseCoins(wire.amount);
    return {
      typeUrl: SEND_URL,
      responseUrl: SEND_RESPONSE_URL,
      module: 'bank',
      signers: [from],
      amino: () => ({
        type: SEND_AMINO,
        value: {
          from_address: wire.fromAddress,
          to_address: wire.toAddress,
          amount: aminoCoins(wire.amount),
        },
      }),
      execute: (context) => {
        context.gas.charge(GAS.transfer * coins.length, 'send');
        transfer(context, from, prepareReceiver(context, to), coins);
        return EMPTY;
      },
    };
  },
};

type Side = { readonly id: AccountId; readonly coins: readonly Amount[] };

function side(party: Party, addresses: Addresses, what: string): Side {
  return { id: addresses.id(party.address, what), coins: parseCoins(party.coins) };
}

/** cosmos.bank.v1beta1.MsgMultiSend. */
export const multiSend: MessageType = {
  typeUrl: MULTI_SEND_URL,
  aminoName: MULTI_SEND_AMINO,
  decode(bytes: Uint8Array, addresses: Addresses): DecodedMessage {
    const wire = decodeCosmos(msgMultiSendCodec, bytes);
    const input = wire.inputs[0];
    if (input === undefined) return refuse(errors.InvalidRequest, 'no inputs to send transaction');
    if (wire.inputs.length > 1) {
      return refuse(errors.InvalidRequest, 'multiple senders not allowed');
    }
    if (wire.outputs.length === 0) {
      return refuse(errors.InvalidRequest, 'no outputs to send transaction');
    }
    const from = side(input, addresses, 'invalid input address');
    const to = wire.outputs.map((output) => side(output, addresses, 'invalid output address'));
    if (!equalCoins(from.coins, sumCoins(to.map((output) => output.coins)))) {
      return refuse(errors.InvalidRequest, 'sum inputs != sum outputs');
    }
    const amino = (party: Party): object => ({
      address: party.address,
      coins: aminoCoins(party.coins),
    });
    return {
      typeUrl: MULTI_SEND_URL,
      responseUrl: MULTI_SEND_RESPONSE_URL,
      module: 'bank',
      signers: [from.id],
      amino: () => ({
        type: MULTI_SEND_AMINO,
        value: { inputs: wire.inputs.map(amino), outputs: wire.outputs.map(amino) },
      }),
      execute: (context) => executeMultiSend(context, from, to),
    };
  },
};

function executeMultiSend(context: Context, from: Side, to: readonly Side[]): Uint8Array {
  const received = to.reduce((sum, output) => sum + output.coins.length, 0);
  context.gas.charge(GAS.transfer * from.coins.length + GAS.party * received, 'multi-send');
  spend(context, from.id, from.coins);
  context.emit('message', [indexed('sender', context.addresses.text(from.id))]);
  for (const output of to) {
    const id = prepareReceiver(context, output.id);
    receive(context, id, output.coins);
    context.emit('transfer', [
      indexed('recipient', context.addresses.text(id)),
      indexed('sender', context.addresses.text(from.id)),
      shown('amount', coinsText(output.coins)),
    ]);
  }
  return EMPTY;
}
