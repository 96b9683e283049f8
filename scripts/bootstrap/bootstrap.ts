import { join } from 'node:path';
import { createClient } from '@semantic-memory/client/client';
import { type Expectations, readExpectations, sampleLibrary } from './expectations.ts';
import { type IngestContext, ingestAddress, ingestFolder } from './ingest-source.ts';
import { openJournal } from './journal.ts';
import type { Discrepancy, DocumentReport, QueryReport, Report } from './report.ts';
import { askQueries, checkDocument, compareCounts, countsAgree } from './verify.ts';

export interface Progress {
  finished: number;
  total: number;
  /** What moved last, and where it stands. */
  file: string;
  stage: string;
}

export interface BootstrapOptions {
  /** Where the service listens. */
  url: string;
  token: string;
  /** A file, a folder, a web address or a git repository; the sample library unless given. */
  source?: string | undefined;
  /** Default `default`. */
  namespace?: string | undefined;
  /** Documents at a time. Default 8. */
  concurrency?: number | undefined;
  /** Documents that take longer are listed with the time of each stage. Default 30: a scanned page takes about 3. */
  slowSeconds?: number | undefined;
  /** JSON lines; default is a file named after the time in `bootstrap/` under `dataDir`. */
  logPath?: string | undefined;
  /** Default `.data`. */
  dataDir?: string | undefined;
  /** How long the stores may differ after the last job. Default 10,000. */
  settleMs?: number | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export const defaultSlowSeconds = 30;

/**
 * Ingests a library through the API and checks that everything came out as it must: outcomes, pages, text of
 * pictures, queries, and that all stores hold the same number of chunks. What is off stands in the report and in the
 * log; it is thrown only where the service cannot be reached or does not let the caller in.
 */
export async function bootstrap(options: BootstrapOptions): Promise<Report> {
  const startedAt = performance.now();
  const source = options.source ?? sampleLibrary;
  const namespace = options.namespace ?? 'default';
  const slowSeconds = options.slowSeconds ?? defaultSlowSeconds;
  const logName = `${new Date().toISOString().replace(/[:.]/g, '-')}.jsonl`;
  const logPath = options.logPath ?? join(options.dataDir ?? '.data', 'bootstrap', logName);
  const isAddress = /^https?:\/\//.test(source);
  const expectations = isAddress ? undefined : await readExpectations(source);
  const client = createClient({ baseUrl: options.url, token: options.token });
  const journal = await openJournal(logPath);
  try {
    journal.write('start', { source, url: options.url, namespace, slowSeconds });
    let finished = 0;
    let total = 0;
    const report = (file: string, stage: string) => options.onProgress?.({ finished, total, file, stage });
    const context: IngestContext = {
      client,
      namespace,
      concurrency: options.concurrency ?? 8,
      signal: options.signal,
      onStage: report,
      onDone(document, all) {
        finished += 1;
        total = all;
        journal.write('document', document);
        report(document.file, document.state);
      },
    };
    const documents = await (isAddress ? ingestAddress(context, source) : ingestFolder(context, source));
    const discrepancies = await findDiscrepancies(context, documents, expectations);
    const queries = await askQueries(client, expectations?.queries ?? [], namespace);
    const counts = await compareCounts(client, options.settleMs);
    discrepancies.push(...queries.filter(({ ok }) => !ok).map(describeMiss));
    if (!countsAgree(counts)) discrepancies.push(describeCounts(counts));
    const slow = documents.filter((document) => document.seconds > slowSeconds);
    for (const query of queries) journal.write('query', query);
    for (const document of slow) journal.write('slow', document);
    for (const discrepancy of discrepancies) journal.write('discrepancy', discrepancy);
    const seconds = (performance.now() - startedAt) / 1000;
    const ok = discrepancies.length === 0;
    journal.write('end', { ok, seconds, counts, documents: documents.length, discrepancies: discrepancies.length });
    return { ok, source, seconds, documents, queries, counts, discrepancies, slow, slowSeconds, logPath };
  } finally {
    await journal.close();
  }
}

async function findDiscrepancies(
  { client }: IngestContext,
  documents: DocumentReport[],
  expectations: Expectations | undefined,
): Promise<Discrepancy[]> {
  const expected = new Map(expectations?.documents.map((document) => [document.file, document]));
  const found: Discrepancy[] = [];
  for (const document of documents) {
    found.push(...(await checkDocument(client, document, expected.get(document.file))));
    expected.delete(document.file);
  }
  for (const subject of expected.keys()) found.push({ kind: 'missing', subject, message: 'is expected and not there' });
  return found;
}

function describeMiss({ query, wanted, found }: QueryReport): Discrepancy {
  const message = `wants ${wanted.join(', ')} and found ${found.join(', ') || 'nothing'}`;
  return { kind: 'query', subject: query, message };
}

function describeCounts(counts: Report['counts']): Discrepancy {
  const { documentChunks, chunks, vectors, consistent } = counts;
  const message = `${documentChunks} chunks in the documents, ${chunks} in the statistics, ${vectors} vectors, consistent: ${consistent}`;
  return { kind: 'counts', subject: 'stores', message };
}
