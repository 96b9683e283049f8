/** One section of CHANGELOG.md: `## [name] - date` and what follows. */
export interface ChangelogSection {
  /** `Unreleased` or a version. */
  readonly name: string;
  readonly date: string | undefined;
  /** Without the heading, trimmed. */
  readonly body: string;
}

const heading = /^## \[([^\]]+)\](?: - (\d{4}-\d{2}-\d{2}))?$/;

/** The sections from top to bottom. */
export function changelogSections(text: string): ChangelogSection[] {
  const sections: { name: string; date: string | undefined; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    const found = heading.exec(line);
    if (found) sections.push({ name: found[1] ?? '', date: found[2], lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ name, date, lines }) => ({ name, date, body: lines.join('\n').trim() }));
}

/**
 * The text with what is unreleased as the section of a version, below an empty section for what comes next.
 * @throws Error where nothing is unreleased, or where the version has a section already
 */
export function releaseUnreleased(text: string, version: string, date: string): string {
  const sections = changelogSections(text);
  if (sections.some(({ name }) => name === version)) throw new Error(`CHANGELOG.md has a section ${version} already.`);
  const unreleased = sections.find(({ name }) => name === 'Unreleased');
  if (!unreleased?.body) throw new Error('CHANGELOG.md tells nothing under [Unreleased]: say there what has changed.');
  return text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${date}\n`);
}
