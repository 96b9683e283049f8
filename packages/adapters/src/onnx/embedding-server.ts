import type { EmbeddingOutcome, EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import { loadModelSession, type ModelSession, type Projection } from './model-session.ts';

/** What a child process has of its parent: `process`, where it is one. */
export interface ParentChannel {
  readonly argv: readonly string[];
  on(event: 'SIGINT' | 'SIGTERM' | 'disconnect', listener: () => void): unknown;
  on(event: 'message', listener: (task: EmbeddingTask) => void): unknown;
  exit(code: number): void;
}

/**
 * Embeds what the parent sends, one text after the other, and ends with the channel. The model's file is the first
 * argument, the projection of its token vectors the second, where they are wanted.
 */
export async function serveEmbeddings(channel: ParentChannel, send: (report: EmbeddingReport) => void): Promise<void> {
  // Ctrl-C and a supervisor's SIGTERM reach the whole process group: the parent decides when the work is done, and
  // closes the channel. The same event says that the parent has died.
  const ignore = () => {};
  channel.on('SIGINT', ignore);
  channel.on('SIGTERM', ignore);
  channel.on('disconnect', () => channel.exit(0));
  const [modelPath, projection] = channel.argv.slice(2);
  const session = await loadModelSession(
    modelPath!,
    projection === undefined ? undefined : (JSON.parse(projection) as Projection),
  );
  channel.on('message', createQueue(session, send));
  send({ kind: 'ready' });
}

function createQueue(session: ModelSession, send: (report: EmbeddingReport) => void): (task: EmbeddingTask) => void {
  const waiting: EmbeddingTask[] = [];
  let isRunning = false;

  async function runAll(): Promise<void> {
    isRunning = true;
    for (let task = waiting.shift(); task !== undefined; ) {
      const outcome = await embed(session, task);
      await channelWasRead();
      const next = waiting.shift();
      send({ id: task.id, next: next?.id, ...outcome });
      task = next;
    }
    isRunning = false;
  }

  return (task) => {
    if (task.overtakes) waiting.unshift(task);
    else waiting.push(task);
    if (!isRunning) void runAll();
  };
}

/** While the model computes nothing is read: what came meanwhile may be what goes next. */
const channelWasRead = () => new Promise((resolve) => setImmediate(resolve));

async function embed(session: ModelSession, { tokenIds, skip }: EmbeddingTask): Promise<EmbeddingOutcome> {
  try {
    if (skip === undefined) return { kind: 'done', vector: await session.embed(tokenIds) };
    return { kind: 'done', ...(await session.embedTokens(tokenIds, skip)) };
  } catch (error) {
    return { kind: 'failed', message: (error as Error).message };
  }
}
