/**
 * Where a user's `--node` is another port than CometBFT's RPC: what it is, and which port to take.
 *
 * Upholds: asked only after a call failed in a way that another port explains; a second per place
 * that is tried, at the host that the user named.
 *
 * @module
 */

const PROBE_MS = 1_000;
const DEFAULT_RPC = 26_657;

/** Whether an answer is how Ethereum's JSON-RPC says that it has no such method. */
export function isEthereum(reason: string): boolean {
  return /^the method \S+ does not exist\/is not available$/.test(reason);
}

async function isRpc(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"status","params":{}}',
      signal: AbortSignal.timeout(PROBE_MS),
    });
    return /"node_info"/.test(await answer.text());
  } catch {
    return false;
  }
}

/** Where a node's RPC may be, beside an address that is none of it: a devnet has them in a row. */
function places(url: string): readonly string[] {
  const { protocol, hostname, port, pathname } = new URL(url);
  const own = Number(port);
  const beside = own === 0 ? [] : [own - 1, own + 1];
  const ports = [...(pathname === '/' ? [] : [own]), ...beside, DEFAULT_RPC];
  return [...new Set(ports)]
    .filter((at) => at > 0 && at < 65_536)
    .map((at) => `${protocol}//${hostname}:${at}`);
}

/** Where an RPC answers beside an address that is none, if there is one. */
export async function rpcBeside(url: string): Promise<string | undefined> {
  if (!URL.canParse(url)) return undefined;
  for (const place of places(url)) if (await isRpc(place)) return place;
  return undefined;
}

/** What to type instead of an address where no RPC is. @param found - where there is one */
export function whatToTake(found: string | undefined): string {
  if (found !== undefined) return `take --node ${found}`;
  return (
    'take the address that "metatron devnet" prints as rpc, or rpc.listen of the node\'s ' +
    `config.json (port ${DEFAULT_RPC} by default)`
  );
}
