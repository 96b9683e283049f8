import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { generatedPages } from './docs/generated-pages.ts';

/** Writes what follows from the code in docs: `make docs`. */
const repository = fileURLToPath(new URL('..', import.meta.url));

for (const [path, text] of Object.entries(await generatedPages())) await writeFile(`${repository}/${path}`, text);
