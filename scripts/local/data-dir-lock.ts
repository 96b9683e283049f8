import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processIdentity } from './process-identity.ts';
import { StartError } from './program.ts';

interface Holder {
  pid: number;
  identity: string;
}

/**
 * Takes the folder for this process: two sets of servers on one folder would spoil each other's data. The lock of a
 * process that is gone is taken over.
 * @returns a function that gives it back
 * @throws StartError `data_dir_in_use`; `data_dir_unusable` where nothing can be written there
 */
export async function lockDataDir(dataDir: string): Promise<() => Promise<void>> {
  const file = join(dataDir, 'lock');
  const own = `${file}.${process.pid}`;
  const identity = (await processIdentity(process.pid)) ?? '';
  try {
    // Documents, their vectors and the queues lie in it as plain files: for its owner only.
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    await writeFile(own, JSON.stringify({ pid: process.pid, identity } satisfies Holder));
  } catch (cause) {
    const { message } = cause as Error;
    throw new StartError('data_dir_unusable', `DATA_DIR ${dataDir} cannot be used: ${message}.`, { cause });
  }
  try {
    // A link is made whole or not at all, so nobody reads a lock that is half written.
    while (!(await linked(own, file))) {
      const text = await readIfThere(file);
      if (text === undefined) continue;
      const holder = parse(text);
      if (holder !== undefined && (await processIdentity(holder.pid)) === holder.identity) {
        throw new StartError(
          'data_dir_in_use',
          `${dataDir} is in use by another copy (process ${holder.pid}). Stop that one, or give this one a DATA_DIR of its own.`,
        );
      }
      await takeAway(file, text);
    }
  } finally {
    await rm(own, { force: true });
  }
  return () => rm(file, { force: true });
}

/** Removes a stale lock, unless another process has put its own there since we read it. */
async function takeAway(file: string, stale: string): Promise<void> {
  const aside = `${file}.stale.${process.pid}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readIfThere(aside)) !== stale) await linked(aside, file);
  await rm(aside, { force: true });
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function parse(text: string): Holder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<Holder>;
    return typeof holder.pid === 'number' && typeof holder.identity === 'string' ? (holder as Holder) : undefined;
  } catch {
    // Cut short by a full disk: it names nobody.
    return undefined;
  }
}
