import type { ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import { crashError } from '@semantic-memory/shared/ingest/jobs/poison';
import { fromErrorMessage, type JobMessage, type ReplyMessage } from './messages.ts';
import { residentBytes } from './resident-bytes.ts';

/** Why a child did not finish its job. The owner of the job says what that means for the document or the page. */
export class ChildFailure extends Error {
  override readonly name = 'ChildFailure';
  /** `unstartable`: it ended before it could take a job, so that the job has nothing to do with it. */
  readonly kind: 'deadline' | 'memory' | 'died' | 'unstartable';

  constructor(kind: ChildFailure['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}

export interface JobLimits {
  /** The longest without a sign of progress. */
  readonly silenceMs: number;
  /** The longest in all. */
  readonly overallMs: number;
  readonly signal: AbortSignal;
}

// A zip bomb inflates some 5 MB in 25 ms.
const watchIntervalMs = process.platform === 'linux' ? 25 : /* istanbul ignore next -- not on Linux, by `ps` */ 250;
const outOfMemory = /heap out of memory|Allocation failed|Cannot allocate memory|out of memory|std::bad_alloc/i;
const maxStderrChars = 4096;

let nextJobId = 1;

/** One child of a pool: does one job at a time, and is killed where the job goes beyond its limits. */
export class PoolChild {
  readonly #process: ChildProcess;
  readonly #directory: string;
  readonly #maxRssBytes: number;
  readonly #startWithinMs: number;
  readonly #exited: Promise<string>;
  #stderr = '';
  #alive = true;
  #ready = false;
  jobs = 0;
  /** Whose jobs it does; undefined before the first one, or where it does not matter. */
  owner: string | undefined;

  /** @param options.startWithinMs how long it may take to be ready, however little time its job has */
  constructor(child: ChildProcess, options: { directory: string; maxRssBytes: number; startWithinMs: number }) {
    this.#process = child;
    this.#directory = options.directory;
    this.#maxRssBytes = options.maxRssBytes;
    this.#startWithinMs = options.startWithinMs;
    // Only read to tell running out of memory from other ends; never logged, since it may quote the document.
    child.stderr?.setEncoding('latin1').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-maxStderrChars);
    });
    this.#exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#alive = false;
        resolve(how);
      };
      child.once('error', (error) => end(`could not be started or reached: ${error.message}`));
      // `close`, not `exit`: by then stderr is complete.
      child.once('close', (code, signal) => end(signal ? `was ended by ${signal}` : `ended with status ${code}`));
    });
    child.on('message', ({ type }: ReplyMessage) => {
      if (type === 'ready') this.#ready = true;
    });
    // An idle child keeps no process alive; a job holds its own timers.
    child.unref();
    child.channel?.unref();
    (child.stderr as { unref?: () => void } | null)?.unref?.();
  }

  get alive(): boolean {
    return this.#alive && this.#process.connected;
  }

  /** Kills the child and waits for its end. */
  async end(): Promise<void> {
    this.#process.ref();
    this.kill();
    await this.#exited;
  }

  get exited(): Promise<string> {
    return this.#exited;
  }

  rssBytes(): Promise<number> {
    return this.#process.pid === undefined ? Promise.resolve(0) : residentBytes(this.#process.pid);
  }

  kill(): void {
    // At once, not when its end is noticed: until then it must not be given another job.
    this.#alive = false;
    this.#process.kill('SIGKILL');
  }

  /**
   * Does one job.
   * @throws ChildFailure where the child had to be killed or died; MemoryError as the job threw it; the signal's reason.
   */
  async run(job: unknown, limits: JobLimits): Promise<unknown> {
    limits.signal.throwIfAborted();
    const id = nextJobId++;
    const resultPath = join(this.#directory, `${id}.json`);
    this.jobs += 1;
    this.#process.channel?.ref();
    let mayHaveFile = true;
    try {
      const json = await this.#exchange({ id, job, resultPath }, limits);
      mayHaveFile = json === undefined;
      return JSON.parse(json ?? (await readFile(resultPath, 'utf8')));
    } finally {
      if (this.#process.connected) this.#process.channel?.unref();
      if (mayHaveFile) await rm(resultPath, { force: true });
    }
  }

  #exchange(message: JobMessage, limits: JobLimits): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
      let startedAt = performance.now();
      let heardAt = startedAt;
      // A child that is only starting, on a busy machine, is not the job's fault: its time begins when it can be done.
      let isStarting = !this.#ready;
      let settled = false;
      const settle = (act: () => void) => {
        if (settled) return;
        settled = true;
        clearInterval(watch);
        this.#process.off('message', onMessage);
        limits.signal.removeEventListener('abort', onAbort);
        act();
      };
      const killWith = (error: unknown) => {
        this.kill();
        settle(() => reject(error));
      };
      const onMessage = (reply: ReplyMessage) => {
        if (reply.type === 'ready') {
          isStarting = false;
          startedAt = performance.now();
          heardAt = startedAt;
        }
        if (reply.id !== message.id) return;
        heardAt = performance.now();
        if (reply.type === 'done') settle(() => resolve(reply.json));
        else if (reply.type === 'done-in-file') settle(() => resolve(undefined));
        else if (reply.type === 'failed') settle(() => reject(fromErrorMessage(reply.error)));
      };
      const onAbort = () => killWith(limits.signal.reason);
      const watch = setInterval(async () => {
        const now = performance.now();
        if (isStarting) {
          if (now - startedAt > this.#startWithinMs) {
            killWith(new ChildFailure('unstartable', 'It did not start in time.'));
          }
          return;
        }
        if (now - heardAt > limits.silenceMs || now - startedAt > limits.overallMs) {
          killWith(new ChildFailure('deadline', `It took longer than ${Math.round((now - startedAt) / 1000)} s.`));
          return;
        }
        if ((await this.rssBytes()) > this.#maxRssBytes) {
          killWith(new ChildFailure('memory', `It took more than ${Math.round(this.#maxRssBytes / 2 ** 20)} MiB.`));
        }
      }, watchIntervalMs);
      this.#process.on('message', onMessage);
      limits.signal.addEventListener('abort', onAbort, { once: true });
      void this.#exited.then((how) => {
        settle(() => reject(new ChildFailure(this.#kindOfEnd(), `The child process ${how}.`)));
      });
      // A failure to send shows as the child's end.
      if (this.#process.connected) this.#process.send(message, () => {});
    });
  }

  #kindOfEnd(): ChildFailure['kind'] {
    if (!this.#ready) return 'unstartable';
    return outOfMemory.test(this.#stderr) ? 'memory' : 'died';
  }
}

/** A failure of ours to say to the queue, which counts the attempts: whether the work is to blame shows when it repeats. */
export function failureError(failure: ChildFailure, doing: string): MemoryError {
  const message = `The process that was ${doing} ended unexpectedly: ${failure.message}`;
  if (failure.kind === 'died') return crashError(message, failure);
  return new MemoryError('internal', message, { retry: { kind: 'backoff' }, cause: failure });
}
