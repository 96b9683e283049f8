/** A version of this project: X.Y.Z, or X.Y.Z-rc.N for a release candidate (Semantic Versioning 2.0.0). */
const pattern = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-rc\.([1-9]\d*))?$/;

export const isVersion = (text: string): boolean => pattern.test(text);

/**
 * @param step `major`, `minor`, `patch`, or the version itself
 * @returns the next version. The step of a candidate that it stands for already ends it: 1.0.0-rc.2 by major is 1.0.0
 * @throws Error where it is neither, or does not come after the current one
 */
export function nextVersion(current: string, step: string): string {
  const [major, minor, patch, candidate] = parts(current);
  if (step === 'major')
    return candidate !== undefined && minor === 0 && patch === 0 ? core(current) : `${major + 1}.0.0`;
  if (step === 'minor') return candidate !== undefined && patch === 0 ? core(current) : `${major}.${minor + 1}.0`;
  if (step === 'patch') return candidate !== undefined ? core(current) : `${major}.${minor}.${patch + 1}`;
  if (!isVersion(step))
    throw new Error(`${step} is neither major, minor, patch nor a version such as 1.2.3 or 1.2.3-rc.1.`);
  if (compareVersions(step, current) <= 0) throw new Error(`${step} does not come after ${current}.`);
  return step;
}

/** Negative where a comes before b; a candidate comes before its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parts(a), parts(b)];
  for (const index of [0, 1, 2] as const) {
    if (left[index] !== right[index]) return left[index] - right[index];
  }
  return (left[3] ?? Number.POSITIVE_INFINITY) - (right[3] ?? Number.POSITIVE_INFINITY) || 0;
}

const core = (version: string) => version.replace(/-rc\.\d+$/, '');

function parts(version: string): [number, number, number, number | undefined] {
  const found = pattern.exec(version);
  if (!found) throw new Error(`${version} is no version such as 1.2.3 or 1.2.3-rc.1.`);
  const [major, minor, patch] = found.slice(1, 4).map(Number) as [number, number, number];
  return [major, minor, patch, found[4] === undefined ? undefined : Number(found[4])];
}
