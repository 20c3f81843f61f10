/**
 * Planting a defect: one source text replaced by another while a module is loaded.
 *
 * @module
 */
import { registerHooks } from 'node:module';
import { invariant } from '../../node/src/base/errors.ts';

/** A defect: in `file`, below the checkout, `find` becomes `replace`. */
export type Defect = {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
};

/** Plants a defect into what this thread loads from now on. */
export function plant({ name, file, find, replace }: Defect): void {
  registerHooks({
    load: (url, context, nextLoad) => {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(`/${file}`)) return loaded;
      const source = new TextDecoder().decode(loaded.source as Uint8Array);
      invariant(source.split(find).length === 2, `${name}: ${file} has the text exactly once`);
      return { ...loaded, source: source.replace(find, () => replace) };
    },
  });
}
