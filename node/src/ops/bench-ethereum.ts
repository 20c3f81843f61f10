/**
 * The Ethereum transactions of a benchmark: coins or OpenZeppelin's ERC-20 from sender to sender.
 *
 * Upholds: the same load gives the same bytes wherever it is sent, so that two chains are measured
 * with the same transactions. Each sender pays the next one, who holds something already.
 * Spec: EIP-1559 transactions.
 *
 * @module
 */
import { AbiCoder, getCreateAddress } from 'ethers';
import secp from 'secp256k1';
import { concatBytes, EMPTY, fromHex, toHex } from '../base/bytes.ts';
import { present } from '../base/errors.ts';
import { creationCode } from '../gen/contracts/example-token.ts';
import { encodeRlp, integerBytes } from '../ledger/ethereum/rlp.ts';
import { keccak256 } from '../ledger/keccak.ts';

/** The key of a sender. */
export type EthereumKey = { readonly secret: Uint8Array; readonly publicKey: Uint8Array };

/** A transaction of type 2 before it is signed. */
export type Draft = {
  readonly chainId: bigint;
  readonly nonce: number;
  readonly gasLimit: bigint;
  /** Absent: creates a contract. */
  readonly to: Uint8Array | undefined;
  readonly value: bigint;
  readonly data: Uint8Array;
};

/** Gas limits: of a transfer of coins, and of tokens to somebody who has some or has none. */
const COIN_GAS = 21_000n;
const TOKEN_GAS = 36_000n;
const FIRST_TOKEN_GAS = 55_000n;
/** Gas limit of the token's creation with one holder. */
const CREATION_GAS = 800_000n;
/** Above every base fee that a benchmark's blocks can come to, in wei. */
const MAX_FEE = 1_000_000_000n;
const TYPE = 2;
/** ERC-20 transfer(address,uint256). */
const TRANSFER: Uint8Array = Uint8Array.of(0xa9, 0x05, 0x9c, 0xbb);
const WORD = 32;
/** Tokens that each sender gets. */
const TOKENS = 10n ** 24n;

function bytesOf(hex: string): Uint8Array {
  return present(fromHex(hex.slice(2)), 'hex digits after 0x');
}

/** The address that Ethereum knows a key by: 20 bytes. */
export function ethereumAddress({ publicKey }: EthereumKey): Uint8Array {
  const point = secp.publicKeyConvert(publicKey, false);
  return keccak256(point.subarray(1)).subarray(12);
}

/** Signs a transaction. @returns what eth_sendRawTransaction takes */
function signEthereum(draft: Draft, secret: Uint8Array): Uint8Array {
  const fields = [
    integerBytes(draft.chainId),
    integerBytes(BigInt(draft.nonce)),
    EMPTY,
    integerBytes(MAX_FEE),
    integerBytes(draft.gasLimit),
    draft.to ?? EMPTY,
    integerBytes(draft.value),
    draft.data,
    [],
  ];
  const type = Uint8Array.of(TYPE);
  const digest = keccak256(concatBytes(type, encodeRlp(fields)));
  const { signature, recid } = secp.ecdsaSign(digest, secret);
  const signed = [
    ...fields,
    integerBytes(BigInt(recid)),
    withoutZeros(signature.subarray(0, WORD)),
    withoutZeros(signature.subarray(WORD)),
  ];
  return concatBytes(type, encodeRlp(signed));
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
}

/** The token and how its holders get some: transactions of the deployer's, to be sent in order. */
export type TokenSetup = { readonly raws: readonly Uint8Array[]; readonly token: Uint8Array };

/** Makes the token, and gives each holder some. */
export function tokenSetup(
  deployer: EthereumKey,
  holders: readonly EthereumKey[],
  chainId: bigint,
): TokenSetup {
  const from = `0x${toHex(ethereumAddress(deployer))}`;
  const supply = TOKENS * BigInt(holders.length);
  const args = AbiCoder.defaultAbiCoder().encode(['address[]', 'uint256'], [[from], supply]);
  const data = concatBytes(bytesOf(creationCode), bytesOf(args));
  const token = bytesOf(getCreateAddress({ from, nonce: 0 }));
  const creation = { nonce: 0, gasLimit: CREATION_GAS, to: undefined, data };
  const gifts = holders.map((holder, i) => ({
    nonce: i + 1,
    gasLimit: FIRST_TOKEN_GAS,
    to: token,
    data: transferOf(ethereumAddress(holder), TOKENS),
  }));
  const raws = [creation, ...gifts].map((draft) =>
    signEthereum({ ...draft, chainId, value: 0n }, deployer.secret),
  );
  return { raws, token };
}

/** Where the load goes. */
export type EthereumLoad = {
  readonly chainId: bigint;
  /** The token; absent: coins are sent. */
  readonly token: Uint8Array | undefined;
};

/** Makes a load's transactions: `raw(at, nonce)` is one of the sender at place `at`. */
export function ethereumMaker(
  senders: readonly EthereumKey[],
  { chainId, token }: EthereumLoad,
): (at: number, nonce: number) => Uint8Array {
  const addresses = senders.map(ethereumAddress);
  return (at, nonce) => {
    const receiver = present(addresses[(at + 1) % addresses.length], 'receiver');
    const { secret } = present(senders[at], 'sender');
    const draft =
      token === undefined
        ? { gasLimit: COIN_GAS, to: receiver, value: 1n, data: EMPTY }
        : { gasLimit: TOKEN_GAS, to: token, value: 0n, data: transferOf(receiver, 1n) };
    return signEthereum({ ...draft, chainId, nonce }, secret);
  };
}

function transferOf(receiver: Uint8Array, amount: bigint): Uint8Array {
  const data = new Uint8Array(TRANSFER.length + 2 * WORD);
  const value = integerBytes(amount);
  data.set(TRANSFER);
  data.set(receiver, TRANSFER.length + WORD - receiver.length);
  data.set(value, data.length - value.length);
  return data;
}
