import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'semantic-memory-child-';

/**
 * Makes the temporary folder of a pool: results on their way, and code compiled by its children. A process that is
 * killed leaves some MB behind; folders of processes that are gone are removed here.
 */
export async function makeWorkDirectory(parent: string = tmpdir()): Promise<string> {
  for (const name of await readdir(parent)) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner && !isAlive(Number(owner))) await rm(join(parent, name), { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${prefix}${process.pid}-`));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Forbidden to signal means that it is there.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
