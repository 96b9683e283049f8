import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Program } from './program.ts';

/**
 * The program becomes the child itself (exec), so its pid and its signals are its own. Beside it waits a shell of one
 * megabyte on a pipe that we hold open: when we die, however suddenly, the pipe closes and the shell ends the program.
 * Neither Redis nor Chroma would notice by themselves, and a detached child gets no Ctrl-C from the terminal, which is
 * what lets us stop them in order.
 */
const GUARD = `
child=$$
( (
  trap '' TERM INT HUP
  read -r line <&3
  kill -TERM "$child" 2>/dev/null || exit 0
  waited=0
  while [ "$waited" -lt 20 ] && kill -0 "$child" 2>/dev/null; do sleep 1; waited=$((waited + 1)); done
  kill -s KILL -- "-$child" 2>/dev/null
) >/dev/null 2>&1 & )
exec "$@" 3<&-
`;

export interface GuardedChild {
  pid: number;
  /** Resolves once, with how it ended, after all of its output was seen. Its whole process group is gone then. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  signal: (signal: NodeJS.Signals) => void;
}

/**
 * Starts a program in a process group of its own that ends with us.
 * @param onLine every line of its stdout and stderr
 * @throws where it cannot be started at all (no such command)
 */
export async function spawnGuarded(program: Program, onLine: (line: string) => void): Promise<GuardedChild> {
  const child = spawn('/bin/sh', ['-c', GUARD, 'guard', program.command, ...program.args], {
    cwd: program.cwd,
    env: { ...process.env, ...program.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', onLine);
  const pid = await started(child);
  // A closed guard pipe is the normal end; without a listener it would be an uncaught error.
  child.stdio[3]?.on('error', () => {});

  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', () => signalGroup(pid, 'SIGKILL'));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { pid, exited, signal: (signal) => child.kill(signal) };
}

/** Signals a whole process group; one that is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // EPERM is what macOS says of a group of which only zombies are left.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

function started(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid as number));
  });
}
