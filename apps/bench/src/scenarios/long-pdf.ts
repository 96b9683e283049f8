import type { Service } from '@semantic-memory/e2e/service';
import type { DocumentChunk } from '@semantic-memory/shared/contracts/model/document';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { ingestAll } from '../ingest-all.ts';
import { largePdf } from '../large-pdf.ts';
import { watchProcesses } from '../process-watch.ts';
import { rounded } from '../statistics.ts';
import { bareModelSpeed } from './bare-speed.ts';

const modelSample = 400;

/** One PDF of so many pages of text; speed against the model alone on the same chunks, and memory of every process. */
export async function measureLongPdf(service: Service, pages: number) {
  const namespace = `pdf-${pages}`;
  const documentId = `book-${pages}`;
  const file = { blob: new Blob([await largePdf(pages)], { type: 'application/pdf' }), filename: 'book.pdf' };
  const watch = watchProcesses(service.pid);
  const run = await ingestAll(service, namespace, [() => service.client.ingestFile(file, { namespace, documentId })]);
  const use = await watch.stop();
  const chunks = await firstChunks(service, documentId, modelSample);
  const { title, jobId } = await service.client.document(documentId);
  const bare = await bareModelSpeed(chunks.map((chunk) => [title, chunk.headings.join(' > '), chunk.text].join('\n')));
  const chunksPerSecond = run.chunks / run.seconds;
  return {
    ...run,
    chunksPerSecond: rounded(chunksPerSecond),
    bareModelPerSecond: rounded(bare),
    share: rounded(chunksPerSecond / bare),
    stageSeconds: stageSeconds(await service.client.job(jobId)),
    use,
  };
}

function stageSeconds(job: Job): Record<string, number> {
  const timed = job.stages.filter((stage) => stage.startedAt !== undefined && stage.finishedAt !== undefined);
  return Object.fromEntries(
    timed.map(({ name, startedAt, finishedAt }) => [
      name,
      (Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')) / 1000,
    ]),
  );
}

async function firstChunks(service: Service, documentId: string, count: number): Promise<DocumentChunk[]> {
  const chunks: DocumentChunk[] = [];
  let cursor: string | undefined;
  do {
    const page = await service.client.chunks(documentId, { limit: 100, cursor });
    chunks.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && chunks.length < count);
  return chunks.slice(0, count);
}
