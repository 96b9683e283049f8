/** One variable as .env.example tells of it; a part that is missing there is undefined. */
export interface ExampleEntry {
  readonly name: string;
  readonly section: string;
  readonly purpose: string | undefined;
  readonly format: string | undefined;
  readonly default: string | undefined;
  readonly need: 'required in production' | 'optional' | undefined;
}

/**
 * Reads the text of .env.example: sections that begin with `# ---- Name`, and in them entries of comment lines before
 * `#NAME=value` or `NAME=value`.
 */
export function exampleEntries(text: string): ExampleEntry[] {
  const entries: ExampleEntry[] = [];
  let section = '';
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const heading = /^# ---- (.+)$/.exec(line)?.[1];
    const name = /^#?([A-Z][A-Z0-9_]*)=/.exec(line)?.[1];
    if (heading !== undefined) section = heading;
    else if (name !== undefined) entries.push(entry(name, section, comment));
    else if (line.startsWith('# ')) comment.push(line.slice(2));
    if (heading !== undefined || name !== undefined || line === '') comment = [];
  }
  return entries;
}

function entry(name: string, section: string, comment: readonly string[]): ExampleEntry {
  const facts = comment.find((line) => line.startsWith('Format: ')) ?? '';
  const parts = /^Format: (.+?)\. Default: (.+)\. (Required in production|Optional)\.$/.exec(facts);
  return {
    name,
    section,
    purpose: comment.find((line) => !line.startsWith('Format: ')),
    format: parts?.[1],
    default: parts?.[2],
    need: parts === null ? undefined : parts[3] === 'Optional' ? 'optional' : 'required in production',
  };
}
