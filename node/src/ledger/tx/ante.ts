/**
 * What every transaction must pass before its messages run: time, memo, gas, signatures, sequence,
 * fee. What it takes (fee, sequence, public key) stays taken if a message fails.
 *
 * Upholds: refused here, nothing is written. Passed, each signer's sequence is one higher and the
 * fee lies with the fee collector.
 * Spec: Cosmos SDK 0.50 x/auth/ante; texts are those that wallets and relayers read.
 *
 * @module
 */
import { EMPTY, toBase64, utf8Length } from '../../base/bytes.ts';
import { attempt, LedgerError } from '../../base/errors.ts';
import type { AccountId, Addresses } from '../addresses.ts';
import {
  type Account,
  type AuthParams,
  getAccount,
  getAuthParams,
  setAccount,
} from '../auth/accounts.ts';
import { coinsText } from '../bank/coins.ts';
import { transfer } from '../bank/transfer.ts';
import { errors, refuse } from '../errors.ts';
import { indexed, shown } from '../events.ts';
import { GAS, type GasMeter } from '../gas.ts';
import type { Block, Emit } from '../module.ts';
import type { Overlay } from '../overlay.ts';
import type { DecodedTx } from './decode.ts';
import { ensureFeeCollector, FEE_COLLECTOR } from './fees.ts';
import { firstSight } from './first-sight.ts';
import type { Faces } from './key-tools.ts';
import type { Signatures, SignerKey } from './signatures.ts';
import { knownSigner, signerKey, verifySigner } from './signer.ts';
import { type Any, anyCodec } from './wire.ts';

/**
 * `execute`: all is checked. `check`: the same, and no one reads the events. `simulate`: signatures
 * are not checked, and gas has no bound.
 */
export type Mode = 'execute' | 'check' | 'simulate';

/** What the ante handler works on. */
export type Ante = {
  readonly mode: Mode;
  readonly block: Block;
  readonly chainId: string;
  readonly state: Overlay;
  readonly addresses: Addresses;
  readonly signatures: Signatures;
  /** The faces of a 33-byte key, if it is one. */
  readonly faces: (publicKey: Uint8Array) => Faces | undefined;
  readonly gas: GasMeter;
  readonly emit: Emit;
};

/** Bytes a signature adds to a simulated transaction. */
const SIMULATED_SIGNATURE_BYTES = 66;

/** @throws LedgerError: the transaction is refused and changes nothing */
export function runAnte(ante: Ante, tx: DecodedTx): void {
  const params = getAuthParams(ante.state);
  checkTimeout(tx, ante.block.height);
  checkMemo(tx, params);
  chargeSize(ante, tx, params);
  const accounts = checkSigners(ante, tx, params);
  takeFee(ante, tx);
  for (let i = 0; i < accounts.length; i++) {
    const { number, sequence, publicKey, moduleName, permissions } = accounts[i] as Account;
    const account = { number, sequence: sequence + 1, publicKey, moduleName, permissions };
    // The fee may have changed coins, never an account.
    setAccount(ante.state, tx.signers[i] as AccountId, account);
  }
  if (ante.mode !== 'check') emitTx(ante, tx, accounts);
}

function emitTx(ante: Ante, tx: DecodedTx, accounts: readonly Account[]): void {
  ante.emit('tx', [
    shown('fee', coinsText(tx.fee)),
    shown('fee_payer', ante.addresses.text(tx.payer)),
  ]);
  for (const [i, signer] of tx.signers.entries()) {
    const at = `${ante.addresses.text(signer)}/${accounts[i]?.sequence}`;
    ante.emit('tx', [indexed('acc_seq', at)]);
  }
  for (const signature of tx.raw.signatures) {
    ante.emit('tx', [shown('signature', toBase64(signature))]);
  }
}

function checkTimeout(tx: DecodedTx, height: number): void {
  const timeout = tx.body.timeoutHeight;
  if (timeout === 0n || BigInt(height) <= timeout) return;
  refuse(errors.TxTimeoutHeight, `block height: ${height}, timeout height: ${timeout}`);
}

function checkMemo(tx: DecodedTx, params: AuthParams): void {
  const size = utf8Length(tx.body.memo);
  if (size <= params.maxMemoCharacters) return;
  const most = params.maxMemoCharacters;
  refuse(
    errors.MemoTooLarge,
    `maximum number of characters is ${most} but received ${size} characters`,
  );
}

function chargeSize(ante: Ante, tx: DecodedTx, params: AuthParams): void {
  const unsigned = ante.mode === 'simulate' ? tx.signers.length * SIMULATED_SIGNATURE_BYTES : 0;
  ante.gas.charge((tx.bytes.length + unsigned) * params.txSizeCostPerByte, 'txSize');
}

function checkSigners(ante: Ante, tx: DecodedTx, params: AuthParams): readonly Account[] {
  const accounts: Account[] = [];
  let signatures = 0;
  for (let i = 0; i < tx.signers.length; i++) {
    const signer = tx.signers[i] as AccountId;
    const info = tx.authInfo.signerInfos[i];
    const account = accountOf(ante, signer, info?.publicKey);
    if (account === undefined || info === undefined) {
      const reason = `account ${ante.addresses.text(signer)} does not exist`;
      return refuse(errors.UnknownAddress, reason);
    }
    const known = knownSigner(tx, i, account);
    const key = known ?? signerKey(account.publicKey, info.publicKey, signer, ante, i);
    signatures += key.signatures;
    if (signatures > params.txSigLimit) {
      return refuse(
        errors.TooManySignatures,
        `signatures: ${signatures}, limit: ${params.txSigLimit}`,
      );
    }
    const price = params.sigVerifyCostSecp256k1 + GAS.signature;
    ante.gas.charge(key.signatures * price, 'ante verify: secp256k1');
    if (tx.sequences[i] !== account.sequence) {
      const wanted = account.sequence;
      const reason = `account sequence mismatch, expected ${wanted}, got ${info.sequence}`;
      return refuse(errors.WrongSequence, reason);
    }
    if (known === undefined && ante.mode !== 'simulate') verifySigner(ante, tx, i, key, account);
    accounts.push(account.publicKey.length > 0 ? account : withKey(account, key));
  }
  return accounts;
}

/**
 * The account of a signer. The key of one that never signed is seen now, before it pays: what its
 * other face has is its own.
 */
function accountOf(ante: Ante, signer: AccountId, given: Any | undefined): Account | undefined {
  const account = getAccount(ante.state, signer);
  if (given === undefined || (account !== undefined && account.publicKey.length > 0)) {
    return account;
  }
  const key = attempt(() => signerKey(EMPTY, given, signer, ante, 0));
  if (key instanceof LedgerError || key.threshold > 0) return account;
  const faces = ante.faces(key.keys[0] as Uint8Array);
  return faces !== undefined && firstSight(ante.state, faces)
    ? getAccount(ante.state, signer)
    : account;
}

function withKey(account: Account, { any }: SignerKey): Account {
  return any === undefined ? account : { ...account, publicKey: anyCodec.encode(any) };
}

function takeFee(ante: Ante, tx: DecodedTx): void {
  if (tx.fee.length === 0) return;
  ante.gas.charge(GAS.feeCoin * tx.fee.length, 'fee');
  ensureFeeCollector(ante.state);
  transfer(ante, tx.payer, FEE_COLLECTOR, tx.fee);
}
