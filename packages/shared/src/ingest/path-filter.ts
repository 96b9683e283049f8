import { parseGlob } from './glob.ts';

/**
 * Which paths of a source are wanted: those that match one of `include` (all without) and none of `exclude`. Globs as
 * in `docs/**` and `*.{md,txt}`; one without a slash matches the file's name in any folder, one that ends in a slash all
 * below.
 */
export function createPathFilter(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): (path: string) => boolean {
  const included = include?.map(createMatcher);
  const excluded = exclude?.map(createMatcher);
  return (path) => (!included?.length || included.some((fits) => fits(path))) && !excluded?.some((fits) => fits(path));
}

function createMatcher(glob: string): (path: string) => boolean {
  const fits = parseGlob((glob.endsWith('/') ? `${glob}**` : glob).replace(/^\//, ''));
  return glob.includes('/') ? fits : (path) => fits(path.split('/').at(-1)!);
}
