import { changelogSections } from './changelog.ts';
import { isVersion } from './version.ts';

/** What a release is judged by. */
export interface ReleaseRequest {
  /** What package.json has. */
  readonly version: string;
  /** What the person who asked for it typed. */
  readonly confirm: string;
  /** From where it was asked for. */
  readonly branch: string;
  readonly tags: readonly string[];
  readonly changelog: string;
}

/** Every release tells these of itself in CHANGELOG.md. */
const told = ['Key features', 'Upgrade path', 'Known limitations'];

export const isCandidate = (version: string): boolean => version.includes('-rc.');

/** Why it must not be released, a sentence each; none where it may. */
export function releaseFaults({ version, confirm, branch, tags, changelog }: ReleaseRequest): string[] {
  const faults: string[] = [];
  if (!isVersion(version)) faults.push(`${version} is no version such as 1.2.3 or 1.2.3-rc.1.`);
  if (confirm !== version) faults.push(`The version would be ${version}, and ${confirm || 'nothing'} was confirmed.`);
  if (tags.includes(`v${version}`)) faults.push(`v${version} was released already: there is a tag.`);
  const onReleaseBranch = branch.startsWith('release/');
  if (isCandidate(version) && !onReleaseBranch) {
    faults.push(`A release candidate comes from a branch release/…, never from ${branch}.`);
  } else if (!onReleaseBranch && branch !== 'main') {
    faults.push(`A release comes from main or from a branch release/…, not from ${branch}.`);
  }
  const section = changelogSections(changelog).find(({ name }) => name === version);
  if (!section) faults.push(`CHANGELOG.md has no section for ${version}.`);
  else {
    if (!section.date) faults.push(`The section for ${version} in CHANGELOG.md has no date.`);
    if (!section.body) faults.push(`The section for ${version} in CHANGELOG.md is empty.`);
    for (const heading of isCandidate(version) ? [] : told) {
      const found = new RegExp(`^### ${heading}\\n+(?!#)\\S`, 'm').test(section.body);
      if (!found) faults.push(`The section for ${version} in CHANGELOG.md tells nothing under “${heading}”.`);
    }
  }
  return faults;
}
