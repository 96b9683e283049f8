import type { EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
import { loadModelSession } from './model-session.ts';

// Ctrl-C and a supervisor's SIGTERM reach the whole process group: the parent decides when the work is done, and
// closes the channel. The same event says that the parent has died.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('disconnect', () => process.exit(0));

const send = (report: EmbeddingReport) => process.send!(report);
const session = await loadModelSession(process.argv[2]!);
let last: Promise<void> = Promise.resolve();

process.on('message', (task: EmbeddingTask) => {
  last = last.then(() => embed(task));
});
send({ kind: 'ready' });

async function embed({ id, tokenIds }: EmbeddingTask): Promise<void> {
  try {
    send({ kind: 'done', id, vector: await session.embed(tokenIds) });
  } catch (error) {
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}
