import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { signalGroup } from './guarded-child.ts';
import { processIdentity } from './process-identity.ts';
import { readState, writeState } from './state-file.ts';

const POLL_MS = 50;

export interface Leftovers {
  /** Remembers a running process by its program's name. */
  add: (name: string, pid: number) => Promise<void>;
  remove: (name: string) => Promise<void>;
  /** Resolves when all of it is written. */
  written: () => Promise<void>;
}

/**
 * Keeps track of our processes in a file, since a killed supervisor leaves servers that take seconds to end, and a new
 * server must not open their data before. First waits for those of the last run; whatever stays is killed.
 * @param file list of the running processes, one per DATA_DIR, whose lock the caller holds
 * @param graceMs how long the last run's processes may take
 */
export async function endLeftovers(file: string, graceMs: number, say: (message: string) => void): Promise<Leftovers> {
  type Known = Record<string, { pid: number; identity: string }>;
  const known = await readState<Known>(file, {});
  const deadline = Date.now() + graceMs;
  let said = false;
  for (const [name, { pid, identity }] of Object.entries(known)) {
    while ((await processIdentity(pid)) === identity) {
      if (!said) say('waiting for the processes of the last run to end…');
      said = true;
      if (Date.now() > deadline) {
        say(`killing ${name} (process ${pid}) of the last run`);
        signalGroup(pid, 'SIGKILL');
      }
      await delay(POLL_MS);
    }
  }
  const running: Known = {};
  // One write after the other: each holds the whole list.
  let writing = writeState(file, running);
  const save = () => {
    writing = writing.then(() => writeState(file, running));
    return writing;
  };
  await writing;
  return {
    async add(name, pid) {
      const identity = await processIdentity(pid);
      if (identity === undefined) return;
      running[name] = { pid, identity };
      await save();
    },
    async remove(name) {
      delete running[name];
      await save();
    },
    written: () => writing,
  };
}

/** Where the list of the running processes is kept. */
export const leftoversFile = (dataDir: string): string => join(dataDir, 'processes.json');
