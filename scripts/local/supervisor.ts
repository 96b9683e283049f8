import { setTimeout as delay } from 'node:timers/promises';
import { signalGroup } from './guarded-child.ts';
import { type Program, StartError } from './program.ts';
import { type RunningProgram, startProgram } from './start-program.ts';

export interface SupervisorDeps {
  /** Told every line that a program writes. */
  onLine: (name: string, line: string) => void;
  /** Told its process as soon as there is one, and when it has ended. */
  onSpawn: (name: string, pid: number) => void;
  onGone: (name: string) => void;
  /** Told, for people, that something ended and will be started again. */
  say: (message: string) => void;
  /** Waits before the next start, in ms: the first, doubled up to the longest. Back to the first after a good minute. */
  backoff?: { firstMs: number; longestMs: number };
}

export interface Supervised {
  name: string;
  /** Resolves when it serves for the first time. Rejects where it never did: then nothing of it runs. */
  ready: Promise<void>;
  /** Whether it serves now. */
  isUp: () => boolean;
  /** How often it was started again. */
  restarts: () => number;
  /** Ends it, and the starting again. Resolves when it is gone. */
  stop: (graceMs: number) => Promise<void>;
  /** Ends it at once, with all its children. */
  kill: () => void;
}

/** Another program may have got the port between the asking and the listening, or somebody may have killed it. */
const FIRST_STARTS = 5;
const GOOD_RUN_MS = 60_000;

/**
 * Keeps a program running: whenever it ends, it is started again after a growing pause.
 * @param makeProgram asked before each start, since a port may have to change; `restart` counts from 0
 */
export function supervise(
  name: string,
  makeProgram: (restart: number) => Promise<Program>,
  deps: SupervisorDeps,
): Supervised {
  const { firstMs, longestMs } = deps.backoff ?? { firstMs: 250, longestMs: 10_000 };
  const stopping = new AbortController();
  let running: RunningProgram | undefined;
  let pid: number | undefined;
  let restarts = 0;
  let stopGraceMs = 0;

  const start = async (): Promise<RunningProgram> => {
    const program = await makeProgram(restarts);
    stopping.signal.throwIfAborted();
    try {
      return await startProgram(program, {
        onLine: (line) => deps.onLine(name, line),
        onSpawn: (spawned) => {
          pid = spawned;
          deps.onSpawn(name, spawned);
        },
        signal: stopping.signal,
      });
    } catch (error) {
      gone();
      throw error;
    }
  };
  const gone = () => {
    running = undefined;
    pid = undefined;
    deps.onGone(name);
  };

  const firstStart = async (): Promise<RunningProgram> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await start();
      } catch (error) {
        // What it said itself is final: another start would end the same way.
        const badLuck = error instanceof StartError && (error.reason === 'port_taken' || error.reason === 'killed');
        if (!badLuck || attempt === FIRST_STARTS || stopping.signal.aborted) throw error;
      }
    }
  };

  const startAgain = async (why: string): Promise<RunningProgram | undefined> => {
    for (let pauseMs = firstMs, reason = why; ; pauseMs = Math.min(pauseMs * 2, longestMs)) {
      deps.say(`${name} ${reason}; starting it again${pauseMs >= 1_000 ? ` in ${Math.round(pauseMs / 1_000)} s` : ''}`);
      await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return undefined;
      restarts++;
      try {
        return await start();
      } catch (error) {
        if (stopping.signal.aborted) return undefined;
        reason = `could not be started (${error instanceof Error ? firstLine(error.message) : String(error)})`;
      }
    }
  };

  /** Watches one life after the other until we stop. A run that was too short counts as a failed start. */
  const watch = async (): Promise<void> => {
    let shortRuns = 0;
    while (running !== undefined) {
      const started = Date.now();
      const { code, signal } = await running.exited;
      gone();
      if (stopping.signal.aborted) return;
      shortRuns = Date.now() - started < GOOD_RUN_MS ? shortRuns + 1 : 0;
      if (shortRuns > 1) {
        const pauseMs = Math.min(firstMs * 2 ** (shortRuns - 1), longestMs);
        await delay(pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
      if (stopping.signal.aborted) return;
      running = await startAgain(signal === null ? `ended with status ${code}` : `was ended by ${signal}`);
      // It may have served just when we were told to stop, and nobody but us knows of it.
      if (stopping.signal.aborted) await running?.stop(stopGraceMs);
      else if (running !== undefined) deps.say(`${name} runs again`);
    }
  };

  let watching: Promise<void> = Promise.resolve();
  const ready = firstStart().then((program) => {
    running = program;
    watching = watch();
  });
  // Whoever waits for `ready` sees the fault; nobody may be waiting any more while we stop.
  const settled = ready.catch(() => {});

  return {
    name,
    ready,
    isUp: () => running !== undefined,
    restarts: () => restarts,
    async stop(graceMs) {
      stopGraceMs = Math.max(stopGraceMs, graceMs);
      stopping.abort();
      await settled;
      await running?.stop(stopGraceMs);
      await watching;
    },
    kill() {
      stopping.abort();
      if (pid !== undefined) signalGroup(pid, 'SIGKILL');
    },
  };
}

const firstLine = (text: string) => text.split('\n')[0] ?? '';
