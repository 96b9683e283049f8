import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is kept there: a pool's results on their way and code compiled by its children, or local files of blobs. */
export type WorkKind = 'child' | 'blobs';

/**
 * Makes a temporary folder of this process. A process that is killed leaves some MB behind; folders of processes that
 * are gone are removed here.
 */
export async function makeWorkDirectory(parent: string = tmpdir(), kind: WorkKind = 'child'): Promise<string> {
  const prefix = `semantic-memory-${kind}-`;
  for (const name of await readdir(parent)) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    const path = join(parent, name);
    if (owner && (await isLeftover(path, Number(owner)))) await rm(path, { recursive: true, force: true });
  }
  return mkdtemp(join(parent, `${prefix}${process.pid}-`));
}

async function isLeftover(path: string, owner: number): Promise<boolean> {
  if (owner !== process.pid) return !isAlive(owner);
  // In a container the process has the same id at each start.
  const born = (await stat(path).catch(() => undefined))?.birthtimeMs ?? 0;
  return born > 0 && born < Date.now() - process.uptime() * 1000;
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
