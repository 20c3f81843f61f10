/**
 * Runs seeds in a thread of its own, one after another, as the main thread hands them out.
 *
 * With a defect named in its data it first patches one source file as it is loaded, so that the
 * checkers can be shown to catch it; the files themselves are not touched.
 *
 * @module
 */
import { parentPort, workerData } from 'node:worker_threads';
import { present } from '../../node/src/base/errors.ts';
import type { RunOptions } from './cluster.ts';
import { type Defect, plant } from './plant.ts';
import type { Result } from './run.ts';

const port = present(parentPort, 'the main thread');
const { defect } = workerData as { readonly defect: Defect | undefined };
if (defect !== undefined) plant(defect);

// Loaded after planting.
const { runSeed } = await import('./cluster.ts');

/** Lines of the story that are told. */
const STORY_LINES = 80;

port.on('message', (options: RunOptions) => {
  runSeed(options).then(
    ({ seed, heights, faults, violation, story, virtualMs }) => {
      const lines = violation === undefined ? [] : story.tail(STORY_LINES);
      port.postMessage({
        seed,
        heights,
        faults,
        violation,
        virtualMs,
        story: lines,
      } satisfies Result);
    },
    (thrown: unknown) => {
      throw thrown;
    },
  );
});
