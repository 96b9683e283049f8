import { readFile } from 'node:fs/promises';
import { descendants } from '@semantic-memory/e2e/service';

const sampleEveryMs = 250;
const bytesPerPage = 4096;

/** Peaks of resident memory, in MB, while something ran. */
export interface MemoryPeaks {
  /** Of all processes together, at one moment; shared pages count for each. */
  readonly totalMb: number;
  /** Of the largest single process of each role. */
  readonly byRole: Readonly<Record<string, number>>;
}

/** Watches the memory of a process and all below it until stopped. */
export function watchMemory(pid: number): { stop(): Promise<MemoryPeaks> } {
  let running = true;
  let totalMb = 0;
  const byRole = new Map<string, number>();
  const watching = (async () => {
    while (running) {
      let sum = await residentMb(pid);
      for (const child of await descendants(pid)) {
        const mb = await residentMb(child.pid);
        sum += mb;
        const role = roleOf(child.command);
        byRole.set(role, Math.max(byRole.get(role) ?? 0, mb));
      }
      totalMb = Math.max(totalMb, sum);
      await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
    }
  })();
  return {
    stop: async () => {
      running = false;
      await watching;
      return {
        totalMb: Math.round(totalMb),
        byRole: Object.fromEntries([...byRole].map(([role, mb]) => [role, Math.round(mb)]).sort()),
      };
    },
  };
}

/** What a process is for, by what it runs. */
export function roleOf(command: string): string {
  if (/redis-server|valkey-server/.test(command)) return 'redis';
  if (/chroma/.test(command)) return 'chroma';
  const script = /(?:apps|packages)\/\S+?\/src\/(\S+?)\.(?:ts|js)/.exec(command);
  if (!script?.[1]) return 'other';
  if (command.includes('apps/api')) return 'api';
  if (command.includes('apps/worker')) return 'worker';
  return `child ${script[1]}`;
}

async function residentMb(pid: number): Promise<number> {
  // A process that has ended meanwhile has no memory.
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  return (Number(statm.split(' ')[1]) * bytesPerPage) / 1e6;
}
