/**
 * Calls that never end by themselves, kept open beside a benchmark: what readers of the EVM's port
 * can do to writers at the worst.
 *
 * Upholds: the number that was asked for is under way all the time, spread over the nodes; what is
 * answered or refused is asked again at once, after a failed connection a moment later.
 *
 * @module
 */

/** What became of the calls. */
export type CallsReport = {
  /** Kept open at a time. */
  readonly parallel: number;
  /** Ran until they were stopped: out of gas or time. */
  readonly answered: number;
  /** Turned away: too many wait, or no answer at all. */
  readonly refused: number;
};

/** Initialization code that jumps to its own beginning for ever. */
const ENDLESS = '0x5b5f56';
const BODY = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'eth_call',
  params: [{ data: ENDLESS }, 'latest'],
});
const HEADERS = { 'content-type': 'application/json' };
/** Wait after a failed connection. */
const RETRY_MS = 100;

/** Keeps calls open. @returns what ends them and tells what they did */
export function keepCalling(nodes: readonly string[], parallel: number): () => CallsReport {
  const ending = new AbortController();
  const counts = { answered: 0, refused: 0 };
  const { signal } = ending;
  const one = async (node: string): Promise<void> => {
    while (!signal.aborted) {
      try {
        const answer = await fetch(node, { method: 'POST', headers: HEADERS, body: BODY, signal });
        await answer.arrayBuffer();
        counts[answer.ok ? 'answered' : 'refused']++;
      } catch {
        if (signal.aborted) return;
        counts.refused++;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  for (let i = 0; i < parallel; i++) void one(nodes[i % nodes.length] ?? '');
  return () => {
    ending.abort();
    return { parallel, ...counts };
  };
}
