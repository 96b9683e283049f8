import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedChild, spawnGuarded } from './guarded-child.ts';
import { type Program, StartError, type StartFailure } from './program.ts';

const POLL_MS = 25;
const LINES_KEPT = 20;

export interface RunningProgram extends GuardedChild {
  /** SIGTERM, and SIGKILL after the grace; resolves when it is gone. */
  stop: (graceMs?: number) => Promise<void>;
}

export interface StartOptions {
  /** Told every line that it writes. */
  onLine?: (line: string) => void;
  /** Told its process, before it serves. */
  onSpawn?: (pid: number) => void;
  /** Aborted: it is stopped and the start fails. */
  signal?: AbortSignal;
}

/**
 * Starts a program and waits until it serves.
 * @throws StartError with the end of its output where it exits first, says why it cannot, or takes too long
 */
export async function startProgram(program: Program, options: StartOptions = {}): Promise<RunningProgram> {
  const lines: string[] = [];
  let failure: StartFailure | undefined;
  const child = await spawnGuarded(program, (line) => {
    lines.push(line);
    if (lines.length > LINES_KEPT) lines.shift();
    failure ??= program.explainFailure?.(line);
    options.onLine?.(line);
  });
  options.onSpawn?.(child.pid);
  const running = { ...child, stop: (graceMs = 15_000) => stopChild(child, graceMs) };

  let ended: string | undefined;
  void child.exited.then(({ code, signal }) => {
    if (signal !== null) failure ??= 'killed';
    ended = signal === null ? `with status ${code}` : `by ${signal}`;
  });
  const deadline = Date.now() + program.readyWithinMs;
  const said = () => (lines.length > 0 ? `; it said:\n${lines.join('\n')}` : '');
  while (Date.now() < deadline && !options.signal?.aborted) {
    if (ended !== undefined) {
      throw new StartError(failure ?? 'exited_early', `${program.name} ended ${ended} before it served${said()}`);
    }
    // Asked again after the answer: a server of the same kind on the same port may have answered in place of ours.
    if ((await program.isReady()) && ended === undefined && failure === undefined) return running;
    await delay(POLL_MS);
  }
  await running.stop(options.signal?.aborted ? undefined : 2_000);
  throw new StartError(
    failure ?? 'not_ready',
    `${program.name} did not serve within ${program.readyWithinMs} ms${said()}`,
  );
}

/** Ends a child: SIGTERM, then after the grace SIGKILL to its whole group. */
async function stopChild(child: GuardedChild, graceMs: number): Promise<void> {
  child.signal('SIGTERM');
  const timer = new AbortController();
  const gone = child.exited.then(() => true);
  const late = delay(graceMs, false, { signal: timer.signal }).catch(() => false);
  if (!(await Promise.race([gone, late]))) child.signal('SIGKILL');
  await child.exited;
  timer.abort();
}
