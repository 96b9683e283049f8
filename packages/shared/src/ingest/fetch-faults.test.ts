import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import type { StoredSource } from '../contracts/model/source.ts';
import { deletedWhileAccepted } from '../testing/deleted-while-accepted.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { onNext } from '../testing/on-next.ts';
import { accept } from './accept.ts';
import { fetchStep } from './fetch.ts';
import { removeDocument } from './remove.ts';
import type { StepContext } from './step.ts';
import { readManifest } from './stored/artifacts.ts';
import { checkoutKey, fetchedKey, versionPrefix } from './stored/blob-keys.ts';
import { readText } from './versions/read-document.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semantic-memory-fetch-faults-'));
  await writeFile(join(folder, 'a'), 'One.');
  await writeFile(join(folder, 'b'), 'Two.');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const tenant = 'acme';
const ref = { tenant, documentId: 'source', version: 1 };
const page = { type: 'url', url: 'https://example.org/tides.txt' } as const;
const repository = { type: 'git', url: 'https://example.org/library.git' } as const;

const begin = (flow: InMemoryFlow, source: StoredSource) =>
  accept(flow.deps, {
    ...{ tenant, namespace: 'default', documentId: 'source', metadata: {}, priority: 'normal', options: {} },
    source,
  });

/** Answers each fetch with the next of these bodies, the last one again and again. */
function withWeb(...bodies: (() => AsyncGenerator<Uint8Array>)[]): InMemoryFlow {
  const flow = createInMemoryFlow();
  const left = [...bodies];
  Object.assign(flow.deps, {
    web: {
      fetch: async () => {
        const body = left.length > 1 ? left.shift() : left[0];
        return { body: body?.(), mediaType: 'text/plain', finalUrl: page.url };
      },
    },
  });
  return flow;
}

async function* whole() {
  yield new TextEncoder().encode('Spring tides follow the moon.');
}

async function* cutShort() {
  yield new TextEncoder().encode('Spring ');
  throw new MemoryError('internal', 'The connection was lost.');
}

/** A repository of two files; counts its checkouts that were not disposed of. */
function withRepository(bytes = 4) {
  const flow = createInMemoryFlow();
  let open = 0;
  Object.assign(flow.deps, {
    git: {
      checkout: async () => {
        open += 1;
        return {
          commit: 'c0ffee',
          files: [
            { path: 'docs/a.md', localPath: join(folder, 'a'), bytes: 4 },
            { path: 'b.md', localPath: join(folder, 'b'), bytes },
          ],
          dispose: async () => {
            open -= 1;
          },
        };
      },
    },
  });
  return { flow, open: () => open };
}

const jobOf = (flow: InMemoryFlow, id: string) => flow.ledger.getJob(tenant, id);

test('what came with its request has nothing to fetch, and goes on', async () => {
  const flow = createInMemoryFlow();
  const job = await flow.ingest('Spring tides follow the moon.');
  const context = { manifest: await readManifest(flow.blobs, { tenant, documentId: 'notes', version: 1 }) };
  expect(await fetchStep(flow.deps, context as StepContext)).toEqual({});
  await flow.drain();
  expect(await jobOf(flow, job.id)).toMatchObject({ state: 'succeeded' });
});

test('an address whose end cannot be decoded is called by it as it stands', async () => {
  const flow = withWeb(whole);
  await begin(flow, { type: 'url', url: 'https://example.org/%E0%A4%A' });
  await flow.drain();
  expect(await flow.ledger.getDocument(tenant, 'source')).toMatchObject({ title: '%E0%A4%A' });
});

test('an answer that is cut short is fetched again, and nothing of the first part is kept', async () => {
  const flow = withWeb(cutShort, whole);
  const { id } = await begin(flow, page);
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
  expect(await readText(flow.deps, tenant, 'source')).toBe('Spring tides follow the moon.');
});

test('what is fetched for a document that is deleted meanwhile is not kept', async () => {
  const flow = withWeb(whole);
  const { id } = await begin(flow, page);
  // Another worker has named its own fetch, and both went with the document.
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => {
      await removeDocument(flow.deps, tenant, 'source');
      return false;
    },
    (key) => key === fetchedKey(ref),
  );
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'cancelled' });
  expect([...flow.blobs.blobs.keys()].filter((key) => key.includes('/documents/'))).toEqual([]);
});

test('a file that is too large is passed over and named, and the others are ingested', async () => {
  const { flow } = withRepository(1_000_001);
  const { id } = await begin(flow, repository);
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({
    state: 'succeeded',
    warnings: [{ code: 'skipped_too_large', message: 'b.md has 1000001 bytes.' }],
  });
  expect(await flow.ledger.getDocument(tenant, 'source:docs:a.md')).toMatchObject({ activeVersion: 1 });
  expect(await flow.ledger.getDocument(tenant, 'source:b.md')).toBeUndefined();
});

test('a checkout of a job that is gone is let go of, and no file of it is accepted', async () => {
  const { flow, open } = withRepository();
  const { id } = await begin(flow, repository);
  onNext(
    flow.blobs,
    'putIfAbsent',
    async () => {
      await flow.blobs.removePrefix(versionPrefix(ref));
      return false;
    },
    (key) => key === checkoutKey(ref),
  );
  await flow.drain();
  expect(open()).toBe(0);
  expect(await jobOf(flow, id)).toMatchObject({ state: 'cancelled' });
  expect((await flow.ledger.listJobs(tenant, { limit: 10 })).items).toHaveLength(1);
});

test('a file that is deleted while it is accepted is none of the documents that the job waits for', async () => {
  const { flow } = withRepository();
  const { id } = await begin(flow, repository);
  const gone = { tenant, documentId: 'source:b.md', version: 1 };
  deletedWhileAccepted(flow, gone);
  await flow.drain();
  expect(await jobOf(flow, id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.children(tenant, id)).toHaveLength(1);
  expect(await flow.ledger.getDocument(tenant, gone.documentId)).toBeUndefined();
});
