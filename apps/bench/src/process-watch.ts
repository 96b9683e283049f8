import { readFile } from 'node:fs/promises';
import { descendants } from '@semantic-memory/e2e/service';

/**
 * Watching takes from the cores that are measured: 7 % of two where it looked four times a second, and a page table walk
 * of a dozen processes takes 100 ms. What a process had at most between two looks the system knows.
 */
const sampleEveryMs = 1000;
const proportionalEvery = 10;
/** Of /proc/PID/stat on every Linux that Node runs on. */
const ticksPerSecond = 100;

/** What a group of processes used while something ran. */
export interface ProcessUse {
  /** Peak of the resident memory of all processes together, in MB, as seen once a second; shared pages count for each. */
  readonly totalMb: number;
  /** The same with each shared page counted once (proportional set size): what the machine has less of. */
  readonly totalProportionalMb: number;
  /** Who had how much at that moment, in MB. */
  readonly atPeakMb: Readonly<Record<string, number>>;
  /** Peak of the largest single process of each role, in MB, since that process began. */
  readonly largestMb: Readonly<Record<string, number>>;
  /** Processor seconds of each role, of all its processes. */
  readonly cpuSeconds: Readonly<Record<string, number>>;
}

interface Watch {
  stop(): Promise<ProcessUse>;
}

interface Sample {
  readonly pid: number;
  readonly role: string;
  readonly mb: number;
  readonly peakMb: number;
  readonly cpuSeconds: number;
}

/**
 * Watches a process and all below it until stopped.
 * @param others counted with them where they are no children of it: role by process id
 */
export function watchProcesses(pid: number, others: Readonly<Record<number, string>> = {}): Watch {
  let running = true;
  let totalMb = 0;
  let totalProportionalMb = 0;
  let round = 0;
  let atPeakMb: Record<string, number> = {};
  const largestMb: Record<string, number> = {};
  const cpu = new Map<number, { role: string; first: number; last: number }>();
  let isFirst = true;
  const roles = new Map<number, string>();
  const watching = (async () => {
    while (running) {
      const samples = await sampleAll(pid, roles);
      for (const [other, role] of Object.entries(others)) samples.push(await sample(Number(other), role));
      const sum = samples.reduce((total, sample) => total + sample.mb, 0);
      if (sum > totalMb) {
        totalMb = sum;
        atPeakMb = {};
        for (const { role, mb } of samples) atPeakMb[role] = (atPeakMb[role] ?? 0) + mb;
      }
      for (const { pid: each, role, peakMb, cpuSeconds } of samples) {
        largestMb[role] = Math.max(largestMb[role] ?? 0, peakMb);
        const known = cpu.get(each);
        // A process that is seen for the first time after the start has used everything meanwhile.
        if (known) known.last = Math.max(known.last, cpuSeconds);
        else cpu.set(each, { role, first: isFirst ? cpuSeconds : 0, last: cpuSeconds });
      }
      isFirst = false;
      // It walks the page tables of every process: not at each look.
      if (round % proportionalEvery === 0) {
        const parts = await Promise.all(samples.map((each) => proportionalMb(each.pid)));
        totalProportionalMb = Math.max(
          totalProportionalMb,
          parts.reduce((total, mb) => total + mb, 0),
        );
      }
      round += 1;
      await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
    }
  })();
  return {
    stop: async () => {
      running = false;
      await watching;
      const cpuSeconds: Record<string, number> = {};
      for (const { role, first, last } of cpu.values()) cpuSeconds[role] = (cpuSeconds[role] ?? 0) + last - first;
      return {
        totalMb: Math.round(totalMb),
        totalProportionalMb: Math.round(totalProportionalMb),
        atPeakMb: roundedValues(atPeakMb),
        largestMb: roundedValues(largestMb),
        cpuSeconds: roundedValues(cpuSeconds),
      };
    },
  };
}

const roundedValues = (record: Record<string, number>) =>
  Object.fromEntries(
    Object.entries(record)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([role, value]) => [role, Math.round(value)]),
  );

async function sampleAll(root: number, roles: Map<number, string>): Promise<Sample[]> {
  const samples = [await sample(root, 'supervisor')];
  for (const { pid, command } of await descendants(root)) {
    let role = roles.get(pid);
    if (role === undefined) {
      role = await roleOf(pid, command);
      roles.set(pid, role);
    }
    samples.push(await sample(pid, role));
  }
  return samples;
}

/** What a process is for, by what it runs; a worker by its tiers. */
async function roleOf(pid: number, command: string): Promise<string> {
  if (/redis-server|valkey-server/.test(command)) return 'redis';
  if (/chromadb|chroma run/.test(command)) return 'chroma';
  if (command.includes('apps/api/')) return 'api';
  if (command.includes('apps/worker/')) {
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    return `worker ${/(?:^|\0)TIERS=([^\0]*)/.exec(environment)?.[1] ?? ''}`;
  }
  const script = /packages\/\S+?\/(?:src|dist)\/(\S+?)\.(?:ts|js)/.exec(command);
  return script?.[1] ? `child ${script[1]}` : 'other';
}

async function sample(pid: number, role: string): Promise<Sample> {
  // A process that has ended meanwhile has no memory and uses no time.
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return { pid, role, mb: mbOf('VmRSS', status), peakMb: mbOf('VmHWM', status), cpuSeconds: await cpuSecondsOf(pid) };
}

/** The processor seconds that a process has used since its start, its children apart; none where it has ended. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Fields 14 and 15, user and system time, counted behind the name in parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond;
}

async function proportionalMb(pid: number): Promise<number> {
  return mbOf('Pss', await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => ''));
}

/** A line of the system's that counts kB; 0 where it is not there. */
function mbOf(name: string, lines: string): number {
  const kb = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(lines)?.[1];
  return (Number(kb ?? 0) * 1024) / 1e6;
}
