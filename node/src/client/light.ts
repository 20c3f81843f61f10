/**
 * Following a chain's validators: from what is trusted to any later header, as a light client.
 *
 * Upholds: a later header is trusted only by CometBFT's light-client rules (types/light.ts); a set
 * of validators is what a trusted header names. A chain that changed its validators can so be
 * followed from its genesis, as long as that is not older than the trusting period.
 *
 * @module
 */
import { equalBytes } from '../base/bytes.ts';
import { LedgerError } from '../base/errors.ts';
import type { Header } from '../types/header.ts';
import {
  errors as lightErrors,
  lightPolicy,
  type Trusted as TrustedStep,
  verifyLightStep,
} from '../types/light.ts';
import type { Time } from '../types/time.ts';
import { validatorsHash } from '../types/validators.ts';
import { checkSignature, type Trusted, validatorSet, verifyHeader } from './anchor.ts';
import { fetchSigned, fetchValidators } from './chain.ts';
import { broken } from './errors.ts';
import type { Rpc } from './rpc.ts';

/** A trusted header, and who signs the next one. */
export type TrustedHeader = TrustedStep;

async function withNext(rpc: Rpc, header: Header): Promise<TrustedHeader> {
  const nextValidators = validatorSet(await fetchValidators(rpc, header.height + 1));
  if (!equalBytes(validatorsHash(nextValidators), header.nextValidatorsHash)) {
    return broken('the validators of the next height');
  }
  return { header, nextValidators };
}

/**
 * The header of `height`, signed by the trusted validators: a start to follow the chain from.
 *
 * @throws LedgerError proof/2, proof/3
 */
export async function startAt(rpc: Rpc, trusted: Trusted, height = 1): Promise<TrustedHeader> {
  const signed = await fetchSigned(rpc, height);
  if (signed.header.height !== height) return broken('height');
  verifyHeader(signed, trusted);
  return await withNext(rpc, signed.header);
}

/**
 * Follows the chain to a later header, by halves where too many validators changed.
 *
 * @param now - nanoseconds since the epoch
 * @throws LedgerError light/… if a header is not to be trusted
 */
export async function follow(
  rpc: Rpc,
  from: TrustedHeader,
  height: number,
  now: Time,
): Promise<TrustedHeader> {
  const policy = lightPolicy({ chainId: from.header.chainId, check: checkSignature, now });
  let trusted = from;
  let target = height;
  while (trusted.header.height < height) {
    const { header, commit, validators } = await fetchSigned(rpc, target);
    if (header.height !== target) return broken('height');
    const set = validatorSet(validators);
    if (!equalBytes(validatorsHash(set), header.validatorsHash)) return broken('validators');
    const refused = await verifyLightStep(policy, trusted, { header, commit, validators: set });
    if (refused === undefined) {
      trusted = await withNext(rpc, header);
      target = height;
    } else if (LedgerError.is(refused, lightErrors.NotTrusted)) {
      target = trusted.header.height + Math.ceil((target - trusted.header.height) / 2);
    } else throw refused;
  }
  return trusted;
}

/** What to trust in a proof whose anchor's header is this one. */
export function trustIn({ header }: TrustedHeader): Trusted {
  return { chainId: header.chainId, validatorsHash: header.validatorsHash };
}
