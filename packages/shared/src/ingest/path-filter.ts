import { matchesGlob } from 'node:path';

/**
 * Which paths of a source are wanted: those that match one of `include` (all without) and none of `exclude`. Globs as
 * in `docs/**` and `*.md`; one without a slash matches the file's name in any folder, one that ends in a slash all below.
 */
export function createPathFilter(
  include: readonly string[] | undefined,
  exclude: readonly string[] | undefined,
): (path: string) => boolean {
  const matches = (path: string) => (glob: string) => {
    const pattern = glob.endsWith('/') ? `${glob}**` : glob;
    const subject = pattern.includes('/') ? path : (path.split('/').at(-1) ?? path);
    return matchesGlob(subject, pattern.replace(/^\//, ''));
  };
  return (path) => (!include?.length || include.some(matches(path))) && !exclude?.some(matches(path));
}
