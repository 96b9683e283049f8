import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Variable } from '@semantic-memory/runtime/config-variable';
import { configVariables } from '@semantic-memory/runtime/config-variables';
import { checkExample } from './env/check-example.ts';
import { checkRequired } from './env/check-required.ts';
import { exampleEntries } from './env/example-entries.ts';
import { sourceFiles, variablesReadBy } from './env/read-by-code.ts';

const usage = `Compares .env.example with the variables that the code reads, both ways.

scripts/check-env             every variable in both, each with purpose, format, default and whether it is required
scripts/check-env --require   does this environment set what a production must, well-formed? Names each that it does not
`;

const schemaFile = 'packages/runtime/src/config-variables.ts';

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { require: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const findings = values.require ? checkRequired(process.env) : await checkRepository();
  for (const finding of findings) process.stderr.write(`check-env: ${finding}\n`);
  return findings.length === 0 ? 0 : 1;
}

async function checkRepository(): Promise<string[]> {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const files = await sourceFiles(root);
  const readers = files.filter(({ path }) => path !== schemaFile).map(({ text }) => text);
  const schema = (Object.entries(configVariables) as [string, Variable<unknown>][]).map(([field, variable]) => ({
    name: variable.name,
    feature: variable.feature === true,
    used: readers.some((text) => new RegExp(`\\b${field}\\b`).test(text)),
  }));
  const example = await readFile(join(root, '.env.example'), 'utf8');
  return checkExample({ entries: exampleEntries(example), read: variablesReadBy(files), schema });
}

process.exitCode = await main();
