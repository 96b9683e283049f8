import { createTokenizer } from '@semantic-memory/adapters/onnx/tokenizer';
import type { Service } from '@semantic-memory/e2e/service';
import type { DocumentChunk } from '@semantic-memory/shared/contracts/model/document';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { embedTextOf } from '@semantic-memory/shared/ingest/chunk/embed-text';
import { ingestAll } from '../ingest-all.ts';
import { largePdf } from '../large-pdf.ts';
import { ingestBesideBareModel } from './beside-bare-model.ts';

/** The first pages alone have as many chunks as the model is measured with. */
const samplePages = 60;
const modelSample = 200;

/** One PDF of so many pages of text; speed against the model alone on its first chunks, and memory of every process. */
export async function measureLongPdf(service: Service, pages: number) {
  const namespace = `pdf-${pages}`;
  const documentId = `book-${pages}`;
  const postOf = async (count: number, to: { namespace: string; documentId: string }) => {
    const file = { blob: new Blob([await largePdf(count)], { type: 'application/pdf' }), filename: 'book.pdf' };
    return () => service.client.ingestFile(file, to);
  };
  const sample = { namespace: 'sample', documentId: 'sample' };
  await ingestAll(service, sample.namespace, [await postOf(samplePages, sample)]);
  const texts = await embeddedTexts(service, sample.documentId, modelSample);
  const post = await postOf(pages, { namespace, documentId });
  const { use, ...run } = await ingestBesideBareModel(service, namespace, [post], texts);
  const { jobId } = await service.client.document(documentId);
  return { ...run, stageSeconds: stageSeconds(await service.client.job(jobId)), use };
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

/** What the model is given for the first chunks. */
async function embeddedTexts(service: Service, documentId: string, count: number): Promise<string[]> {
  const tokenizer = createTokenizer();
  const { title } = await service.client.document(documentId);
  const chunks: DocumentChunk[] = [];
  let cursor: string | undefined;
  do {
    const page = await service.client.chunks(documentId, { limit: 100, cursor });
    chunks.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined && chunks.length < count);
  return chunks.slice(0, count).map(({ headings, text }) => embedTextOf(tokenizer, { title, headings, body: text }));
}
