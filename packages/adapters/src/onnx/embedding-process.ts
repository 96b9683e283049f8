import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { workInBackground } from '../child/work-in-background.ts';
import type { EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import type { Projection } from './model-session.ts';

const isSource = import.meta.url.endsWith('.ts');
const program = fileURLToPath(new URL(`./embedding-child.${isSource ? 'ts' : 'js'}`, import.meta.url));
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

/** The child gets no environment: it needs none, and so can leak none. A small heap, since the model lives outside it. */
export function startEmbeddingProcess(
  { modelPath, projection, background }: EmbeddingModelFiles,
  events: EmbeddingProcessEvents,
): EmbeddingProcess {
  const files = projection ? [modelPath, JSON.stringify(projection)] : [modelPath];
  const child: ChildProcess = fork(program, files, {
    execPath: process.execPath,
    execArgv: [
      ...(isSource ? ['--conditions=development'] : []),
      '--max-semi-space-size=1',
      '--max-old-space-size=128',
    ],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (background) workInBackground(child.pid);
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxStderrCharacters);
  });
  const { promise: gone, resolve: markGone } = Promise.withResolvers<void>();
  const end = (reason: string) => {
    markGone();
    events.onExit(stderr === '' ? reason : `${reason}: ${stderr.trim()}`);
  };
  child.once('error', (error) => {
    // Where the process never started there is no exit event.
    if (child.pid === undefined) end(error.message);
  });
  // Not `close`: Node 24 does not emit it after a `disconnect` from this side.
  child.once('exit', (code, signal) => {
    const reason = signal === null ? `exit code ${code}` : signal;
    if (child.stderr!.closed) end(reason);
    else child.stderr!.once('close', () => end(reason));
  });
  child.on('message', (report: EmbeddingReport) => events.onReport(report));
  return {
    pid: child.pid,
    // A channel that has just broken is told by the exit that follows.
    send: (task) => void child.send(task, () => {}),
    kill: () => void child.kill('SIGKILL'),
    close: async () => {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), closeGraceMs);
      await gone;
      clearTimeout(timer);
    },
  };
}
