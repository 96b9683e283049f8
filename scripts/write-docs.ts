import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { generatedPages } from './docs/generated-pages.ts';

/** Writes what follows from the code in docs (`make docs`); with `--check` says only which file is not as it would be. */
const repository = fileURLToPath(new URL('..', import.meta.url));
const isCheck = process.argv.includes('--check');

for (const [path, text] of Object.entries(await generatedPages())) {
  const file = `${repository}/${path}`;
  if (!isCheck) await writeFile(file, text);
  else if ((await readFile(file, 'utf8').catch(() => '')) !== text) {
    console.error(`${path} is not as the code has it: make docs`);
    process.exitCode = 1;
  }
}
