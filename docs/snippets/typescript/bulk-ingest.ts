import { openAsBlob } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from './memory.ts';

/*
 * Takes in every file of a folder: node bulk-ingest.ts FOLDER [NAMESPACE]. Ends with status 1 where a document failed.
 */
const [folder, namespace = 'default'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node bulk-ingest.ts FOLDER [NAMESPACE]');
  process.exit(2);
}

/** Up to 1,000 a request; fewer keep the requests small. */
const filesAtOnce = 100;

interface Batch {
  readonly batchId: string;
  readonly jobs: readonly {
    readonly documentId: string;
    readonly state: string;
    readonly error?: { message: string };
  }[];
}

const entries = await readdir(folder, { recursive: true, withFileTypes: true });
const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
let failed = 0;
for (let from = 0; from < paths.length; from += filesAtOnce) {
  const group = paths.slice(from, from + filesAtOnce);
  const form = new FormData();
  form.set('namespace', namespace);
  for (const path of group) form.append('file', await openAsBlob(path), relative(folder, path));
  const { batchId } = (await (await call('/ingest/batch', { method: 'POST', body: form })).json()) as Batch;

  // Jobs are in the order of the files. The last four states are final.
  const { jobs } = await untilDone(batchId);
  for (const [index, { documentId, state, error }] of jobs.entries()) {
    console.log(`${state}\t${documentId}\t${group[index]}\t${error?.message ?? ''}`);
    if (state !== 'succeeded' && state !== 'partial') failed += 1;
  }
}
console.log(`${paths.length - failed} of ${paths.length} documents can be searched`);
process.exitCode = failed === 0 ? 0 : 1;

async function untilDone(batchId: string): Promise<Batch> {
  for (;;) {
    const batch = (await (await call(`/ingest/batches/${batchId}`)).json()) as Batch;
    if (batch.jobs.every(({ state }) => ['succeeded', 'partial', 'failed', 'cancelled'].includes(state))) return batch;
    await delay(500);
  }
}
