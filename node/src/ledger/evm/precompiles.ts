/**
 * The precompiled contracts: the library's, over native and WebAssembly curves, each in a guard.
 *
 * Curves are loaded when they are first needed; a curve that cannot be loaded stops the node.
 * Upholds: a precompile answers or fails by its input alone. Whatever it throws becomes a failure
 * that takes all its gas, as revm and geth do for bad input: the same bytes fail in the same way on
 * every validator. Only what depends on the machine, the want of memory or stack, is thrown on and
 * stops the node.
 * Spec: EIP-152, 196, 197, 198, 2537, 4844, 7823, 7883, 7951; yellow paper, appendix E.
 *
 * @module
 */
import type { Common } from '@ethereumjs/common';
import {
  type AddPrecompile,
  EVMError,
  type ExecResult,
  getActivePrecompiles,
  type PrecompileFunc,
  type PrecompileInput,
} from '@ethereumjs/evm';
import { EMPTY, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { keccak256 } from '../keccak.ts';
import { blake2Compressor, type Compress } from './blake2.ts';
import { Bls } from './bls.ts';
import { Bn254 } from './bn254.ts';
import { kzgVerifier, type VerifyKzg } from './kzg.ts';
import { p256Verifier, type VerifyP256 } from './p256.ts';
import { wordOf } from './records.ts';
import type { EvmPorts } from './types.ts';

/** Something that is loaded once in a process, when it is first needed. */
class Later<T> {
  readonly #load: () => Promise<T>;
  #loading: Promise<T> | undefined;
  #value: T | undefined;

  constructor(load: () => Promise<T>) {
    this.#load = load;
  }

  /** What was loaded, if it was. */
  get value(): T | undefined {
    return this.#value;
  }

  load(): Promise<T> {
    this.#loading ??= this.#load().then((value) => {
      this.#value = value;
      return value;
    });
    return this.#loading;
  }
}

const bn254 = new Later(() => Bn254.open());
const p256 = new Later(p256Verifier);
const blake2 = new Later(() => Promise.resolve(blake2Compressor()));
const bls12 = new Later(async () => {
  const { default: mcl } = await import('mcl-wasm');
  await mcl.init(mcl.BLS12_381);
  return { verifyKzg: kzgVerifier(mcl), bls: new Bls(mcl) };
});

/** Loads all that precompiles need: what is measured or compared waits for nothing then. */
export async function loadCurves(): Promise<void> {
  await Promise.all([bn254, p256, blake2, bls12].map((one: Later<unknown>) => one.load()));
}

const EC_RECOVER = 1;
const BLAKE_2F = 9;
const SHA_256 = 2;
const POINT_EVALUATION = 10;
const P256_VERIFY = 0x100;
/** Precompiles of the library that ask a curve, the first and the last. */
const BN254_RANGE = [0x06, 0x08] as const;
const BLS12_RANGE = [0x0b, 0x11] as const;
const EC_RECOVER_GAS = 3_000n;
const POINT_EVALUATION_GAS = 50_000n;
const P256_VERIFY_GAS = 6_900n;
const P256_BYTES = 160;
const SHA_256_GAS = 60n;
const SHA_256_WORD_GAS = 12n;
const BLAKE_2F_BYTES = 213;
const KZG_VERSION = 1;
/** 4096 field elements of a blob, and the order of the group. */
const KZG_ANSWER: Uint8Array = present(
  fromHex(
    [
      '0000000000000000000000000000000000000000000000000000000000001000',
      '73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001',
    ].join(''),
  ),
  'constant',
);

function failed(gasLimit: bigint, error: keyof typeof EVMError.errorMessages): ExecResult {
  return {
    returnValue: EMPTY,
    executionGasUsed: gasLimit,
    exceptionError: new EVMError(EVMError.errorMessages[error]),
  };
}

/** The input with zeros behind it, at least `size` bytes of it. */
function padded(data: Uint8Array, size: number): Uint8Array {
  if (data.length >= size) return data;
  const out = new Uint8Array(size);
  out.set(data);
  return out;
}

function ecRecover(recover: EvmPorts['recover']): PrecompileFunc {
  return ({ data, gasLimit }) => {
    if (gasLimit < EC_RECOVER_GAS) return failed(gasLimit, 'OUT_OF_GAS');
    const input = padded(data, 128);
    const v = wordOf(input.subarray(32, 64));
    const parity = v === 27n || v === 28n ? Number(v) - 27 : undefined;
    const key =
      parity === undefined ? undefined : recover(input.slice(0, 32), input.slice(64, 128), parity);
    if (key === undefined) return { executionGasUsed: EC_RECOVER_GAS, returnValue: EMPTY };
    const returnValue = new Uint8Array(32);
    returnValue.set(keccak256(key.subarray(1)).subarray(12), 12);
    return { executionGasUsed: EC_RECOVER_GAS, returnValue };
  };
}

const sha256Hash: PrecompileFunc = ({ data, gasLimit }) => {
  const gas = SHA_256_GAS + SHA_256_WORD_GAS * BigInt(Math.ceil(data.length / 32));
  if (gasLimit < gas) return failed(gasLimit, 'OUT_OF_GAS');
  return { executionGasUsed: gas, returnValue: sha256(data) };
};

function blake2f(compress: Compress): PrecompileFunc {
  return ({ data, gasLimit }) => {
    const [last = 2] = data.subarray(BLAKE_2F_BYTES - 1);
    if (data.length !== BLAKE_2F_BYTES || last > 1) return failed(gasLimit, 'OUT_OF_RANGE');
    const rounds = BigInt(new DataView(data.buffer, data.byteOffset).getUint32(0));
    if (gasLimit < rounds) return failed(gasLimit, 'OUT_OF_GAS');
    return { executionGasUsed: rounds, returnValue: compress(data, last === 1) };
  };
}

function pointEvaluation(verify: VerifyKzg): PrecompileFunc {
  return ({ data, gasLimit }) => {
    if (gasLimit < POINT_EVALUATION_GAS) return failed(gasLimit, 'OUT_OF_GAS');
    if (data.length !== 192) return failed(gasLimit, 'INVALID_INPUT_LENGTH');
    const commitment = data.subarray(96, 144);
    const versioned = sha256(commitment);
    versioned[0] = KZG_VERSION;
    if (versioned.some((byte, i) => byte !== data[i]))
      return failed(gasLimit, 'INVALID_COMMITMENT');
    const [z, y, proof] = [data.subarray(32, 64), data.subarray(64, 96), data.subarray(144)];
    if (!verify(commitment, z, y, proof)) return failed(gasLimit, 'INVALID_PROOF');
    return { executionGasUsed: POINT_EVALUATION_GAS, returnValue: KZG_ANSWER.slice() };
  };
}

function p256Verify(verify: VerifyP256): PrecompileFunc {
  return ({ data, gasLimit }) => {
    if (gasLimit < P256_VERIFY_GAS) return failed(gasLimit, 'OUT_OF_GAS');
    const isSigned = data.length === P256_BYTES && verify(data);
    const returnValue = isSigned ? new Uint8Array(32) : EMPTY;
    if (isSigned) returnValue[31] = 1;
    return { executionGasUsed: P256_VERIFY_GAS, returnValue };
  };
}

/** A precompile of the library over this curve: it looks for the curve in the EVM it is given. */
function over(theirs: PrecompileFunc, curve: object): PrecompileFunc {
  const evm = curve as PrecompileInput['_EVM'];
  return (input) => theirs({ ...input, _EVM: evm });
}

/** A precompile that is made when what it needs is loaded. */
function later<T>(needed: Later<T>, make: (value: T) => PrecompileFunc): PrecompileFunc {
  let made: PrecompileFunc | undefined;
  const ready = (value: T): PrecompileFunc => {
    made ??= guarded(make(value));
    return made;
  };
  return (input) => {
    const { value } = needed;
    if (value !== undefined) return ready(value)(input);
    return needed.load().then((loaded) => ready(loaded)(input));
  };
}

/** Whether this says more about the machine than about the input. */
function isOfTheMachine(thrown: unknown): boolean {
  return (
    thrown instanceof RangeError &&
    /call stack|allocation failed|out of memory/i.test(thrown.message)
  );
}

function settle(thrown: unknown, gasLimit: bigint): ExecResult {
  if (isOfTheMachine(thrown)) throw thrown;
  return failed(gasLimit, 'INVALID_INPUTS');
}

/** The precompile, whose exceptions become failures. */
function guarded(precompile: PrecompileFunc): PrecompileFunc {
  return (input: PrecompileInput): ExecResult | Promise<ExecResult> => {
    try {
      const result = precompile(input);
      return result instanceof Promise
        ? result.catch((thrown: unknown) => settle(thrown, input.gasLimit))
        : result;
    } catch (thrown) {
      return settle(thrown, input.gasLimit);
    }
  };
}

function isIn(at: bigint, [first, last]: readonly [number, number]): boolean {
  return at >= first && at <= last;
}

function precompileAt(
  at: bigint,
  theirs: PrecompileFunc,
  recover: EvmPorts['recover'],
): PrecompileFunc {
  if (at === BigInt(EC_RECOVER)) return guarded(ecRecover(recover));
  if (at === BigInt(SHA_256)) return guarded(sha256Hash);
  if (at === BigInt(BLAKE_2F)) return later(blake2, blake2f);
  if (at === BigInt(P256_VERIFY)) return later(p256, p256Verify);
  if (at === BigInt(POINT_EVALUATION)) {
    return later(bls12, ({ verifyKzg }) => pointEvaluation(verifyKzg));
  }
  if (isIn(at, BN254_RANGE)) return later(bn254, (curve) => over(theirs, { _bn254: curve }));
  if (isIn(at, BLS12_RANGE)) return later(bls12, ({ bls }) => over(theirs, { _bls: bls }));
  return guarded(theirs);
}

/** All precompiles of the hardfork, as the library takes them. */
export function precompilesOf(common: Common, recover: EvmPorts['recover']): AddPrecompile[] {
  return [...getActivePrecompiles(common)].map(([hex, theirs]) => ({
    address: `0x${hex}`,
    function: precompileAt(BigInt(`0x${hex}`), theirs, recover),
  }));
}
