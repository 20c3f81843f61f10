/**
 * Calls, events and errors of contracts in the words of their ABIs.
 *
 * Upholds: data that do not decode whole are not told in words. The ABI of one of the ledger's own
 * contracts is used at its own address, and for errors, which travel through others. What any other
 * contract is called with is told in the words of a token standard if it fits one; that is a guess
 * by selector, and named as the standard.
 * Spec: ABI of Solidity contracts; ERC-20, ERC-721.
 *
 * @module
 */
import { type Fragment, Interface, type ParamType, type Result } from 'ethers';
import { abi as tokenAbi } from '../../gen/contracts/example-token.ts';
import { LEDGER_CONTRACTS } from '../../types/contracts.ts';
import type { Arg, Decoded, DecodedError } from './contract-schemas.ts';

type Known = { readonly contract: string; readonly abi: Interface };

const LEDGER: ReadonlyMap<string, Known> = new Map(
  Object.entries(LEDGER_CONTRACTS).map(([contract, { address, abi }]) => [
    address,
    { contract, abi: new Interface(abi) },
  ]),
);

/** The standards of tokens; ERC-20 with OpenZeppelin's errors (ERC-6093). */
const STANDARDS: readonly Known[] = [
  { contract: 'ERC-20', abi: new Interface(tokenAbi) },
  {
    contract: 'ERC-721',
    abi: new Interface([
      'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
      'event Approval(address indexed owner, address indexed approved, uint256 indexed tokenId)',
      'event ApprovalForAll(address indexed owner, address indexed operator, bool approved)',
      'function safeTransferFrom(address from, address to, uint256 tokenId)',
      'function safeTransferFrom(address from, address to, uint256 tokenId, bytes data)',
      'function setApprovalForAll(address operator, bool approved)',
    ]),
  },
];

const SOLIDITY: Known = {
  contract: 'Solidity',
  abi: new Interface(['error Error(string reason)', 'error Panic(uint256 code)']),
};
/** How deep lists and structures are told. */
const MAX_DEPTH = 8;

/** Name and ABI of one of the ledger's contracts. @param address - 0x and lower-case digits */
export function ledgerContract(address: string): Known | undefined {
  return LEDGER.get(address);
}

/** The words that may fit what an address is called with, or says. */
function wordsFor(address: string): readonly Known[] {
  const own = LEDGER.get(address);
  return own === undefined ? STANDARDS : [own];
}

type Parsed = { readonly fragment: Fragment; readonly signature: string; readonly args: Result };

/** The first that fits. */
function first(
  known: readonly Known[],
  parse: (abi: Interface) => (Parsed & { readonly name: string }) | null,
): Decoded | null {
  for (const { contract, abi } of known) {
    try {
      const found = parse(abi);
      if (found === null) continue;
      const { name, signature } = found;
      return { contract, name, signature, args: argsOf(found) };
    } catch {
      // Selector or topic is one of this ABI's, but the data are not what it says.
    }
  }
  return null;
}

function argsOf({ fragment, args }: Parsed): readonly Arg[] {
  return fragment.inputs.map((input, i) => ({
    name: input.name,
    type: input.format(),
    value: plain(args[i], input, 0),
  }));
}

/** A value as JSON. */
function plain(value: unknown, type: ParamType, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (type.baseType === 'address') return String(value).toLowerCase();
  if (!Array.isArray(value) || depth >= MAX_DEPTH) return value;
  const { arrayChildren, components } = type;
  return [...(value as readonly unknown[])].map((item, i) => {
    const of = arrayChildren ?? components?.[i];
    return of == null ? String(item) : plain(item, of, depth + 1);
  });
}

/** A call in words. @param to - 0x and lower-case digits; absent: a creation */
export function decodeCall(to: string | undefined, data: string): Decoded | null {
  if (to === undefined || data.length < 10) return null;
  return first(wordsFor(to), (abi) => abi.parseTransaction({ data }));
}

/** An event in words. */
export function decodeEvent(
  address: string,
  topics: readonly string[],
  data: string,
): Decoded | null {
  if (topics.length === 0) return null;
  return first(wordsFor(address), (abi) => abi.parseLog({ topics, data }));
}

function errorIn(data: string): Decoded | null {
  const known = [SOLIDITY, ...LEDGER.values(), ...STANDARDS];
  return first(known, (abi) => abi.parseError(data));
}

/** What a call reverted with, in words. */
export function decodeError(data: string): DecodedError | null {
  if (data.length < 10) return null;
  const found = errorIn(data);
  const inner = found?.args.find(({ name, type }) => name === 'reason' && type === 'bytes')?.value;
  return found && { ...found, reason: typeof inner === 'string' ? errorIn(inner) : null };
}
