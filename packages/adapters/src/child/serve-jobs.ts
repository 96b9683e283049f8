import { writeFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { toMemoryError } from '@semantic-memory/shared/contracts/errors';
import { type JobMessage, maxInlineResultChars, type ReplyMessage, toErrorMessage } from './messages.ts';

const progressIntervalMs = 200;

/** Does a job. It calls `progress` as often as it likes. */
export type JobHandler = (job: unknown, progress: () => void) => Promise<unknown>;

/** The child's side of a pool: does the jobs that the parent sends, one at a time, until the parent goes away. */
/* istanbul ignore next -- it takes over its process's signals, channel and exit: only in children */
export function serveJobs(handle: JobHandler): void {
  // Ctrl-C and a supervisor's SIGTERM may reach the whole process group: the parent decides when the work is done.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  const send = (message: ReplyMessage) => process.send?.(message);
  let compiled = false;
  process.on('message', async (message: JobMessage) => {
    await answerJob(message, handle, send);
    // Children end by SIGKILL, so what Node would write at exit is written after the first job.
    if (!compiled) flushCompileCache();
    compiled = true;
  });
  process.on('disconnect', () => process.exit());
  send({ id: 0, type: 'ready' });
}

/** Does one job and says what came of it, with signs of life while it is under way. Never rejects. */
export async function answerJob(
  { id, job, resultPath }: JobMessage,
  handle: JobHandler,
  send: (reply: ReplyMessage) => void,
): Promise<void> {
  let lastProgress = Date.now();
  const progress = () => {
    if (Date.now() - lastProgress < progressIntervalMs) return;
    lastProgress = Date.now();
    send({ id, type: 'progress' });
  };
  try {
    const json = JSON.stringify(await handle(job, progress));
    if (json.length <= maxInlineResultChars) {
      send({ id, type: 'done', json });
    } else {
      await writeFile(resultPath, json);
      send({ id, type: 'done-in-file' });
    }
  } catch (error) {
    send({ id, type: 'failed', error: toErrorMessage(toMemoryError(error)) });
  }
}
