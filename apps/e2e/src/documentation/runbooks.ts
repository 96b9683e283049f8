import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../../docs/runbooks/', import.meta.url));

export interface Runbook {
  readonly name: string;
  /** Its blocks marked `sh`, which may be run at any time. */
  readonly commands: string;
}

/** The runbooks, and first of all what their commands stand on. */
export async function runbooks(): Promise<{ readonly basis: string; readonly all: readonly Runbook[] }> {
  const read = async (name: string) => {
    const text = await readFile(join(folder, name), 'utf8');
    return [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block).join('\n');
  };
  const names = (await readdir(folder)).filter((name) => name !== 'README.md');
  const all = await Promise.all(names.map(async (name) => ({ name, commands: await read(name) })));
  return { basis: await read('README.md'), all };
}
