import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Resident memory of another process in bytes; 0 where it has ended. Linux: from /proc, some 20 µs; elsewhere by `ps`,
 * some milliseconds.
 */
export async function residentBytes(pid: number, platform: NodeJS.Platform = process.platform): Promise<number> {
  if (platform === 'linux') return residentBytesFromProc(pid);
  try {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(pid)]);
    return Number.parseInt(stdout.trim(), 10) * 1024;
  } catch {
    return 0;
  }
}

function residentBytesFromProc(pid: number): number {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    return 0;
  }
  // In kB whatever the page size, which statm's numbers depend on.
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}
