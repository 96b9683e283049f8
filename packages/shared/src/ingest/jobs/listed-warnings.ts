import type { JobWarning } from '../../contracts/model/job.ts';

/** Files or objects that became no document are named up to so many: with those that failed there is room for all. */
const listedSkipped = 48;

/** The first of many warnings. @param rest says of the others how many there are */
export function listed(warnings: readonly JobWarning[], most: number, rest: (count: number) => string): JobWarning[] {
  const left = warnings.length - most;
  return left > 0 ? [...warnings.slice(0, most), { code: 'more', message: rest(left) }] : [...warnings];
}

/** What a source of many documents leaves out. */
export const listSkipped = (skipped: readonly JobWarning[]): JobWarning[] =>
  listed(skipped, listedSkipped, (count) => `${count} more became no document.`);
