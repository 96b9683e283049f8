import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';

/** How one process is started, the same each time. */
export interface Command {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Answers whether it serves. */
  readonly isReady: () => Promise<boolean>;
}

export interface ManagedProcess {
  readonly name: string;
  readonly pid: number | undefined;
  /** How often it was started. */
  readonly starts: number;
  /** Whether it serves now; false also while it is frozen. */
  isReady(): Promise<boolean>;
  start(): Promise<void>;
  /** Ends it with a signal; it is started again after `downMs`. Resolves when it serves again. */
  end(signal: 'SIGKILL' | 'SIGTERM', downMs: number, whileDown?: () => Promise<void>): Promise<void>;
  /** Stops its clock with all its children, and lets it go on after `holdMs`. */
  freeze(holdMs: number): Promise<void>;
  /** Ends it for good; whoever does not obey within the grace is killed. */
  stop(graceMs: number): Promise<void>;
}

export interface ProcessEvents {
  /** It ended although nobody ended it, and is started again. */
  readonly onUnexpectedEnd: (name: string, how: string) => void;
  readonly onSpawn: (name: string, pid: number) => void;
}

const readyWithinMs = 60_000;
const restartPauseMs = 500;

/** A process that is kept running until it is stopped, in a group of its own. Its output goes to one file. */
export function manageProcess(command: Command, logPath: string, events: ProcessEvents): ManagedProcess {
  const log: WriteStream = createWriteStream(logPath, { flags: 'a' });
  let child: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  let starts = 0;
  /** Whoever ends it starts it again too. */
  let endedByUs = false;
  let stopped = false;

  function launch(): void {
    starts += 1;
    const started = spawn(command.command, [...command.args], {
      cwd: command.cwd,
      env: { ...process.env, ...command.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    child = started;
    if (started.pid !== undefined) events.onSpawn(command.name, started.pid);
    started.stdout?.pipe(log, { end: false });
    started.stderr?.pipe(log, { end: false });
    gone = new Promise((resolve) => {
      started.once('error', () => resolve());
      started.once('exit', (code, signal) => {
        if (child === started) child = undefined;
        resolve();
        if (endedByUs || stopped) return;
        events.onUnexpectedEnd(command.name, signal ?? `status ${code}`);
        setTimeout(() => {
          if (!stopped && !child) launch();
        }, restartPauseMs);
      });
    });
  }

  const ready = () => waitUntil(command.isReady, readyWithinMs, `${command.name} does not serve`);
  const signalGroup = (signal: NodeJS.Signals) => {
    if (child?.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  return {
    name: command.name,
    get pid() {
      return child?.pid;
    },
    get starts() {
      return starts;
    },
    isReady: command.isReady,
    async start() {
      launch();
      await ready();
    },
    async end(signal, downMs, whileDown) {
      endedByUs = true;
      // A frozen process hears no signal but SIGKILL.
      child?.kill(signal);
      await gone;
      await whileDown?.();
      await pause(downMs);
      endedByUs = false;
      if (!stopped) launch();
      await ready();
    },
    async freeze(holdMs) {
      const frozen = child;
      signalGroup('SIGSTOP');
      await pause(holdMs);
      // Ended meanwhile: there is nothing to wake.
      if (child === frozen) signalGroup('SIGCONT');
    },
    async stop(graceMs) {
      stopped = true;
      signalGroup('SIGCONT');
      child?.kill('SIGTERM');
      const timer = setTimeout(() => signalGroup('SIGKILL'), graceMs);
      await gone;
      clearTimeout(timer);
      await new Promise<void>((resolve) => log.end(resolve));
    },
  };
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** @throws Error `what` where it does not come true in time */
export async function waitUntil(holds: () => Promise<boolean>, withinMs: number, what: string): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`${what} within ${withinMs} ms`);
    await pause(100);
  }
}
