import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';

/**
 * Waits on a pipe that we hold open. When we die, however suddenly, it ends the processes whose ids stand in the file:
 * Redis, Chroma and whatever is frozen would not notice by themselves.
 */
const script = 'cat >/dev/null; while read -r pid; do kill -s KILL -- "-$pid" 2>/dev/null; done <"$1"';

export interface Reaper {
  /** Remembers a process group. */
  add(pid: number): void;
  /** Called once all of them have ended in order. */
  dismiss(): void;
}

export function startReaper(pidFile: string): Reaper {
  writeFileSync(pidFile, '');
  const child: ChildProcess = spawn('/bin/sh', ['-c', script, 'reaper', pidFile], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  child.unref();
  // It goes before we do only where somebody kills it.
  child.stdin?.on('error', () => {});
  return {
    add: (pid) => appendFileSync(pidFile, `${pid}\n`),
    dismiss() {
      writeFileSync(pidFile, '');
      child.stdin?.end();
    },
  };
}
