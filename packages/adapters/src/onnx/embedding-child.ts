import type { EmbeddingReport, EmbeddingTask } from './embedding-protocol.ts';
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
let last: Promise<void> = Promise.resolve();

process.on('message', (task: EmbeddingTask) => {
  last = last.then(() => embed(task));
});
send({ kind: 'ready' });

async function embed({ id, tokenIds, skip }: EmbeddingTask): Promise<void> {
  try {
    if (skip === undefined) send({ kind: 'done', id, vector: await session.embed(tokenIds) });
    else send({ kind: 'done', id, ...(await session.embedTokens(tokenIds, skip)) });
  } catch (error) {
    send({ kind: 'failed', id, message: error instanceof Error ? error.message : String(error) });
  }
}
