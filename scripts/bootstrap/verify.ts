import type { Client } from '@semantic-memory/client/client';
import { documentIdOf } from '@semantic-memory/client/find-files';
import { characterErrorRate } from './error-rate.ts';
import type { ExpectedDocument, ExpectedQuery } from './expectations.ts';
import type { CountsReport, Discrepancy, DocumentReport, QueryReport } from './report.ts';

/** At most so many edits a character on pictures of text. */
export const maxErrorRate = 0.05;
/** A document must be among so many hits. */
const topK = 3;
/** Queries a call; the service takes up to 100. */
const batchSize = 50;
/** How long the stores may differ after the last job, while the version before is taken out. */
const settleMs = 10_000;

/** Compares how a document ended with how it must; reads its text where the truth is known. */
export async function checkDocument(
  client: Client,
  document: DocumentReport,
  expected: ExpectedDocument | undefined,
): Promise<Discrepancy[]> {
  const { file: subject } = document;
  const wanted = expected ?? { file: subject, state: 'succeeded' };
  const ended = [document.state, document.code].filter(Boolean).join(' with ');
  const mustEnd = [wanted.state, wanted.code].filter(Boolean).join(' with ');
  if (ended !== mustEnd) return [{ kind: 'outcome', subject, message: `ended ${ended}, and must end ${mustEnd}` }];
  const found: Discrepancy[] = [];
  if (wanted.pages !== undefined && wanted.pages !== document.pages) {
    found.push({ kind: 'pages', subject, message: `has ${document.pages} pages, and must have ${wanted.pages}` });
  }
  if (wanted.groundTruth !== undefined && document.documentId !== undefined) {
    const rate = characterErrorRate(wanted.groundTruth, await client.text(document.documentId));
    document.characterErrorRate = rate;
    if (rate > maxErrorRate) {
      const message = `character error rate ${percent(rate)}, at most ${percent(maxErrorRate)} allowed`;
      found.push({ kind: 'ocr', subject, message });
    }
  }
  return found;
}

/** Asks every query; each of its documents must be among the first three hits. */
export async function askQueries(client: Client, queries: ExpectedQuery[], namespace: string): Promise<QueryReport[]> {
  const reports: QueryReport[] = [];
  for (let start = 0; start < queries.length; start += batchSize) {
    const asked = queries.slice(start, start + batchSize);
    const { results } = await client.searchBatch(
      asked.map(({ query }) => ({ query, namespace, topK, highlight: false })),
    );
    for (const [index, { query, kind, documents: wanted }] of asked.entries()) {
      const found = (results[index]?.hits ?? []).map((hit) => hit.documentId);
      reports.push({ query, kind, wanted, found, ok: wanted.every((file) => found.includes(documentIdOf(file))) });
    }
  }
  return reports;
}

/** Counts the chunks document by document and compares with the stores, until they agree or the time is over. */
export async function compareCounts(client: Client, waitMs: number = settleMs): Promise<CountsReport> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    let documentChunks = 0;
    for await (const document of client.allDocuments({ state: 'active', limit: 100 }))
      documentChunks += document.chunks;
    const { chunks, vectors, consistent } = await client.stats();
    const counts = { documentChunks, chunks, vectors, consistent };
    if (countsAgree(counts) || performance.now() >= deadline) return counts;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

export function countsAgree({ documentChunks, chunks, vectors, consistent }: CountsReport): boolean {
  return consistent && documentChunks === chunks && chunks === vectors;
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
