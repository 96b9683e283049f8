import { readFile } from 'node:fs/promises';
import { runCommand } from './run-command.ts';

/**
 * Tells one process from a later one that was given the same number: its start time. Numbers come round again soon in
 * containers, where a restarted one begins at 1.
 * @returns undefined where there is no such process
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    try {
      const [stat, boot] = await Promise.all([
        readFile(`/proc/${pid}/stat`, 'utf8'),
        readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      ]);
      // proc(5): the name in brackets may hold blanks; behind it state is field 3 and the start time field 22.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : `${boot.trim()} ${fields[19]}`;
    } catch (error) {
      if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }
  const { ok, output } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
  return ok && output !== '' ? output : undefined;
}
