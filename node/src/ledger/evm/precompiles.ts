/**
 * The precompiled contracts: the library's, over native and WebAssembly curves, each in a guard.
 *
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
  type EVMBLSInterface,
  type EVMBN254Interface,
  EVMError,
  type ExecResult,
  getActivePrecompiles,
  MCLBLS,
  type PrecompileFunc,
  type PrecompileInput,
  RustBN254,
} from '@ethereumjs/evm';
import { EMPTY, fromHex } from '../../base/bytes.ts';
import { present } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { keccak256 } from '../keccak.ts';
import { blake2Compressor, type Compress } from './blake2.ts';
import { kzgVerifier, type VerifyKzg } from './kzg.ts';
import { wordOf } from './records.ts';
import type { EvmPorts } from './types.ts';

/** Curves that are loaded once. */
export type Curves = {
  readonly bls: EVMBLSInterface;
  readonly bn254: EVMBN254Interface;
  readonly verifyKzg: VerifyKzg;
  readonly compress: Compress;
};

let loaded: Promise<Curves> | undefined;

/** Loads the curves, once in a process; about 250 ms and 40 MiB. */
export function loadCurves(): Promise<Curves> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Curves> {
  const [mcl, { initRustBN }] = await Promise.all([import('mcl-wasm'), import('rustbn-wasm')]);
  await mcl.init(mcl.BLS12_381);
  const verifyKzg = kzgVerifier(mcl);
  const bn254 = new RustBN254(await initRustBN());
  return { bls: new MCLBLS(mcl), bn254, verifyKzg, compress: blake2Compressor() };
}

const EC_RECOVER = 1;
const BLAKE_2F = 9;
const SHA_256 = 2;
const POINT_EVALUATION = 10;
const EC_RECOVER_GAS = 3_000n;
const POINT_EVALUATION_GAS = 50_000n;
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

/** All precompiles of the hardfork, as the library takes them. */
export function precompilesOf(
  common: Common,
  curves: Curves,
  recover: EvmPorts['recover'],
): AddPrecompile[] {
  const own = new Map<bigint, PrecompileFunc>([
    [BigInt(EC_RECOVER), ecRecover(recover)],
    [BigInt(SHA_256), sha256Hash],
    [BigInt(BLAKE_2F), blake2f(curves.compress)],
    [BigInt(POINT_EVALUATION), pointEvaluation(curves.verifyKzg)],
  ]);
  return [...getActivePrecompiles(common)].map(([hex, theirs]) => {
    const precompile = own.get(BigInt(`0x${hex}`)) ?? theirs;
    return { address: `0x${hex}`, function: guarded(precompile) };
  });
}
