import type { EmbeddingOutcome, EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import { loadModelSession, type Projection } from './model-session.ts';

// Ctrl-C and a supervisor's SIGTERM reach the whole process group: the parent decides when the work is done, and
// closes the channel. The same event says that the parent has died.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));

const send = (report: EmbeddingReport) => process.send!(report);
const [modelPath, projection] = process.argv.slice(2);
const session = await loadModelSession(
  modelPath!,
  projection === undefined ? undefined : (JSON.parse(projection) as Projection),
);
const waiting: EmbeddingTask[] = [];
let isRunning = false;

process.on('message', (task: EmbeddingTask) => {
  if (task.overtakes) waiting.unshift(task);
  else waiting.push(task);
  if (!isRunning) void runAll();
});
send({ kind: 'ready' });

async function runAll(): Promise<void> {
  isRunning = true;
  for (let task = waiting.shift(); task !== undefined; ) {
    const outcome = await embed(task);
    await channelWasRead();
    const next = waiting.shift();
    send({ id: task.id, next: next?.id, ...outcome });
    task = next;
  }
  isRunning = false;
}

/** While the model computes nothing is read: what came meanwhile may be what goes next. */
const channelWasRead = () => new Promise((resolve) => setImmediate(resolve));

async function embed({ tokenIds, skip }: EmbeddingTask): Promise<EmbeddingOutcome> {
  try {
    if (skip === undefined) return { kind: 'done', vector: await session.embed(tokenIds) };
    return { kind: 'done', ...(await session.embedTokens(tokenIds, skip)) };
  } catch (error) {
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}
