import { type ChildProcess, spawn } from 'node:child_process';
import { isolated, systemPath } from '../child/isolation.ts';
import { programBeside } from '../child/program-beside.ts';
import { workInBackground } from '../child/work-in-background.ts';
import type { EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import type { Projection } from './model-session.ts';

const program = programBeside(import.meta.url, 'embedding-child');
/** The end of what a child wrote to stderr, for the error's cause. */
const maxStderrCharacters = 2000;

export interface EmbeddingProcessEvents {
  onReport(report: EmbeddingReport): void;
  /** Once, however it ended. `reason` is for operators. */
  onExit(reason: string): void;
}

/** A child process with a session of the model. It ends when it is closed, killed, or its parent dies. */
export interface EmbeddingProcess {
  readonly pid: number | undefined;
  send(task: EmbeddingTask): void;
  kill(): void;
  /** Resolves when the process has gone. */
  close(): Promise<void>;
}

/** How long a closed child may take to notice before it is killed. */
const closeGraceMs = 2000;

/** What a process loads. */
export interface EmbeddingModelFiles {
  readonly modelPath: string;
  /** Set where tokens' own vectors are wanted. */
  readonly projection?: Projection | undefined;
  /** Whether it gives way to other processes. */
  readonly background?: boolean | undefined;
}

/**
 * The child gets no environment but the search path, and no network where the host allows that: it needs neither, and so
 * can leak nothing. A small heap, since the model lives outside it. It starts once the host was asked what it allows.
 */
export function startEmbeddingProcess(files: EmbeddingModelFiles, events: EmbeddingProcessEvents): EmbeddingProcess {
  let child: ChildProcess | undefined;
  let isUnwanted = false;
  const { promise: gone, resolve: markGone } = Promise.withResolvers<void>();
  const end = (reason: string) => {
    markGone();
    events.onExit(reason);
  };
  isolated(commandOf(files))
    .then((argv) => {
      if (isUnwanted) return end('ended before it began');
      child = spawnModel(argv, end);
      if (files.background) workInBackground(child.pid);
      child.on('message', (report: EmbeddingReport) => events.onReport(report));
    })
    // Some of what the system refuses (memory for another process) Node throws at once.
    .catch((error: Error) => end(error.message));
  return {
    get pid() {
      return child?.pid;
    },
    // Nothing is sent before it has said that it is ready. A channel that has just broken is told by the exit that follows.
    send: (task) => void child?.send(task, () => {}),
    kill: () => {
      isUnwanted = true;
      child?.kill('SIGKILL');
    },
    close: async () => {
      isUnwanted = true;
      if (child?.connected) child.disconnect();
      const timer = setTimeout(() => child?.kill('SIGKILL'), closeGraceMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

function commandOf({ modelPath, projection }: EmbeddingModelFiles): string[] {
  return [
    process.execPath,
    ...program.execArgv,
    '--max-semi-space-size=1',
    '--max-old-space-size=128',
    program.path,
    modelPath,
    ...(projection ? [JSON.stringify(projection)] : []),
  ];
}

/** @param onEnd called once, when the process has gone, with how */
function spawnModel(argv: readonly string[], onEnd: (reason: string) => void): ChildProcess {
  const [command, ...args] = argv as [string, ...string[]];
  const child = spawn(command, args, {
    env: { PATH: systemPath },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxStderrCharacters);
  });
  const end = (reason: string) => onEnd(stderr === '' ? reason : `${reason}: ${stderr.trim()}`);
  child.once('error', (error) => {
    // Where the process never started there is no exit event.
    /* istanbul ignore else -- a process of ours that runs can be killed and sent to: Node knows no other error here */
    if (child.pid === undefined) end(error.message);
  });
  // Not `close`: Node 24 does not emit it after a `disconnect` from this side.
  child.once('exit', (code, signal) => {
    const reason = signal === null ? `exit code ${code}` : signal;
    /* istanbul ignore else -- which of the two events comes first is up to the system */
    if (child.stderr!.closed) end(reason);
    else child.stderr!.once('close', () => end(reason));
  });
  return child;
}
