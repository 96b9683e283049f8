import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bump, onlyVersion } from './release/bump.ts';

const usage = `Writes the next version into every package.json, the chart, the tags of the images and CHANGELOG.md.

scripts/bump-version major | minor | patch | X.Y.Z | X.Y.Z-rc.N
scripts/bump-version --check     is it the same everywhere? Changes nothing

  --root DIR    repository; default: the one that holds this script
  --date DATE   of the section in CHANGELOG.md; default: today in UTC
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      check: { type: 'boolean' },
      root: { type: 'string' },
      date: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [step, ...more] = positionals;
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  if (more.length > 0 || (step === undefined) !== (values.check === true)) {
    process.stderr.write(usage);
    return 2;
  }
  const root = values.root ?? fileURLToPath(new URL('..', import.meta.url));
  if (step === undefined) {
    const { version, places } = await onlyVersion(root);
    process.stdout.write(`${version}: the same in ${places} places\n`);
    return 0;
  }
  const { current, next, files } = await bump(root, step, values.date ?? new Date().toISOString().slice(0, 10));
  process.stdout.write(`${current} -> ${next} in ${files.join(', ')}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`bump-version: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
