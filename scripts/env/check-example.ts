import { featureSection } from '@semantic-memory/runtime/env-example';
import type { ExampleEntry } from './example-entries.ts';

export interface ExampleCheck {
  readonly entries: readonly ExampleEntry[];
  /** Variables that the code reads by name, with a file that does. */
  readonly read: ReadonlyMap<string, string>;
  /** Variables of the schema: the code reads them through it. */
  readonly schema: readonly { readonly name: string; readonly feature?: boolean; readonly used: boolean }[];
}

/** Set by the system, or by one of our own processes for another: nobody sets them by hand. */
export const notSettings: Readonly<Record<string, string>> = {
  CHAOS_SETTINGS: 'make chaos hands it to the process that it starts',
  CI: 'set by the machines of continuous integration',
  CLOSING_LINE_FILE: '.ci/run hands it to scripts/test.sh',
  FREE_PORTS: 'set for tests by jest',
  GITHUB_OUTPUT: 'set by GitHub Actions',
  GITHUB_REF_NAME: 'set by GitHub Actions',
  HOME: 'set by the system',
  JEST_WORKER_ID: 'set by jest',
  MAKELEVEL: 'set by make',
  NODE_COMPILE_CACHE: 'read by Node.js itself; make sets it',
  NODE_OPTIONS: 'read by Node.js itself',
  NO_COLOR: 'a convention of terminals',
  PATH: 'set by the system',
  TEST_CHROMA_HOST: 'set for tests by jest',
  TEST_CHROMA_PORT: 'set for tests by jest',
  TEST_NODE: 'scripts/test-on-this-node.sh hands it to scripts/jest.sh',
  TEST_REDIS_URL: 'set for tests by jest',
};

/** What .env.example and the code say differently of the variables, a sentence each. */
export function checkExample({ entries, read, schema }: ExampleCheck): string[] {
  const findings: string[] = [];
  const told = new Map(entries.map((entry) => [entry.name, entry]));
  const known = new Map(schema.map((variable) => [variable.name, variable]));
  for (const [name, file] of read) {
    if (!told.has(name) && !(name in notSettings)) findings.push(`${name} is read by ${file} but not in .env.example.`);
  }
  for (const { name } of schema) {
    if (!told.has(name)) findings.push(`${name} is in the schema of the environment but not in .env.example.`);
  }
  for (const entry of entries) {
    const { name } = entry;
    if (!read.has(name) && !known.get(name)?.used) findings.push(`${name} is in .env.example but nothing reads it.`);
    const missing = (['purpose', 'format', 'default', 'need'] as const).filter((part) => !entry[part]);
    if (missing.length > 0) findings.push(`${name} has no ${missing.join(', no ')} in .env.example.`);
    const isFeature = known.get(name)?.feature === true;
    if (isFeature !== (entry.section === featureSection)) {
      findings.push(`${name} ${isFeature ? 'is a feature flag and not' : 'is no feature flag but'} in their section.`);
    }
  }
  for (const name of duplicates(entries)) findings.push(`${name} is in .env.example more than once.`);
  return findings;
}

const duplicates = (entries: readonly ExampleEntry[]) =>
  new Set(entries.map(({ name }) => name).filter((name, index, all) => all.indexOf(name) !== index));
