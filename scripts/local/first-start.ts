import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '@semantic-memory/client/api-error';
import type { Client } from '@semantic-memory/client/client';
import { openFile } from '@semantic-memory/client/file-source';
import { documentIdOf, findFiles } from '@semantic-memory/client/find-files';
import { isTerminal, type Job } from '@semantic-memory/shared/contracts/model/job';
import { writeState } from './state-file.ts';
import type { Terminal } from './terminal.ts';

const POLL_MS = 500;
/** A question that the sample library answers, asked in other words than its documents use. */
const SAMPLE_QUERY = 'How many days off do employees get in a year?';

export interface FirstStart {
  client: Client;
  terminal: Terminal;
  /** Folder with the sample documents. */
  samples: string;
  dataDir: string;
  signal: AbortSignal;
}

/**
 * Ingests the sample library once per DATA_DIR and shows one search in it. Some samples are broken on purpose: what
 * fails is counted and told, and nothing more.
 */
export async function ingestSamples({ client, terminal, samples, dataDir, signal }: FirstStart): Promise<void> {
  const marker = join(dataDir, 'samples.json');
  if (!existsSync(samples) || existsSync(marker)) return;
  const files = await findFiles(samples);
  terminal.progress(0, files.length, 'sample documents');
  const open: Sample[] = [];
  const ended: Ended[] = [];
  for (const { name, path } of files) {
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    // A start that was broken off finds its own jobs again instead of making new versions.
    const options = {
      documentId: documentIdOf(name),
      idempotencyKey: `sample:${sha256}:${documentIdOf(name)}`,
      signal,
    };
    try {
      open.push({ name, job: await client.ingestFile(await openFile(path), options) });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) throw error;
      ended.push({ name, failure: error.code });
    }
  }
  while (open.length > 0) {
    await delay(POLL_MS, undefined, { signal });
    for (const entry of [...open]) {
      entry.job = await client.job(entry.job.id, { signal });
      if (!isTerminal(entry.job.state)) continue;
      open.splice(open.indexOf(entry), 1);
      ended.push({ name: entry.name, failure: failureOf(entry.job) });
    }
    terminal.progress(ended.length, files.length, 'sample documents');
  }
  terminal.endProgress();
  terminal.say(summary(ended));
  await writeState(marker, { ingestedAt: new Date().toISOString(), documents: ended.length });
}

interface Sample {
  name: string;
  job: Job;
}

interface Ended {
  name: string;
  /** Why it cannot be found; undefined where it can. */
  failure: string | undefined;
}

function failureOf(job: Job): string | undefined {
  return job.state === 'succeeded' || job.state === 'partial' ? undefined : (job.error?.code ?? job.state);
}

function summary(ended: readonly Ended[]): string {
  const failed = ended.filter(({ failure }) => failure !== undefined);
  const rest = failed.length === 0 ? '' : `; ${failed.length} cannot be read (some are made so):`;
  const reasons = failed.map(({ name, failure }) => `  ${name}: ${failure}`);
  return [`${ended.length - failed.length} sample documents can be searched${rest}`, ...reasons].join('\n');
}

/** Asks one question and shows what was found. */
export async function showSampleSearch(client: Client, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { hits, tookMs } = await client.search({ query: SAMPLE_QUERY, topK: 3 }, { signal });
  terminal.say(`search: ${SAMPLE_QUERY} (${Math.round(tookMs)} ms)`);
  if (hits.length === 0) terminal.say('  nothing found');
  for (const [i, hit] of hits.entries()) {
    const where = [hit.title, ...hit.headings.slice(-1), ...(hit.page === undefined ? [] : [`page ${hit.page}`])];
    const text = hit.text.replace(/\s+/g, ' ').trim();
    terminal.say(`  ${i + 1}. ${where.join(', ')} (${hit.similarity.toFixed(3)})`);
    terminal.say(`     ${text.length > 160 ? `${text.slice(0, 160)}…` : text}`);
  }
}
