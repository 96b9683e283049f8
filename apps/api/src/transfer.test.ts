import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readTar } from '@semantic-memory/adapters/tar/read-tar';
import { writeTar } from '@semantic-memory/adapters/tar/write-tar';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { createLateInteraction } from '@semantic-memory/shared/search/late-interaction/late-interaction';
import { createTokenVectorReader } from '@semantic-memory/shared/search/late-interaction/token-vectors';
import { startTestApi, type TestApi, tokenFor } from './testing/test-api.ts';

async function collected<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

let from: TestApi;
let to: TestApi;
let archive: Buffer;

/** With late interaction, as the default model has it. */
const started = () =>
  startTestApi(
    ({ blobs }) => {
      const tokenVectors = createTokenVectorReader({ blobs, maxBytes: 1_000_000 });
      return { tokenVectors, reranker: createLateInteraction(tokenVectors) };
    },
    undefined,
    { lateInteraction: true },
  );

beforeAll(async () => {
  from = await started();
  to = await started();
  await from.ingested('The harbour is closed. '.repeat(40), {
    documentId: 'harbour',
    metadata: { team: 'sea', year: 2025 },
  });
  await from.ingested('A lighthouse stands on the cliff.', { documentId: 'lighthouse', title: 'Light' });
  await from.ingested('An older lamp.', { documentId: 'lamp' });
  await from.ingested('The lamp at sea burns oil.', { documentId: 'lamp' });
  await from.call('/documents/lamp', {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Lamps of old', metadata: { team: 'light' } }),
  });
  await from.ingested('Elsewhere the harbour is open.', { documentId: 'other', namespace: 'elsewhere' });
  archive = Buffer.from(await (await from.call('/admin/export')).arrayBuffer());
});

afterAll(async () => {
  await from.close();
  await to.close();
});

const send = (api: TestApi, body: Uint8Array, path = '/admin/import', token?: string, type = 'application/x-tar') =>
  api.call(path, { method: 'POST', body, headers: { 'content-type': type }, ...(token ? { token } : {}) });

/** Sends an archive and runs everything: the job at its end. */
async function imported(api: TestApi, body: Uint8Array, path?: string, token?: string): Promise<Job> {
  const answer = await send(api, body, path, token);
  expect([answer.status, await answer.clone().text()]).toEqual([202, expect.any(String)]);
  const job = (await answer.json()) as Job;
  await api.flow.drain().catch(() => {});
  return (await (await api.call(`/jobs/${job.id}`, token ? { token } : {})).json()) as Job;
}

async function searched(api: TestApi, request: object, token?: string) {
  const answer = await api.post('/search', { topK: 20, ...request }, token ? { token } : {});
  // biome-ignore lint/suspicious/noExplicitAny: compared as a whole
  const { hits, mode } = (await answer.json()) as any;
  return { hits, mode };
}

const files = async (tar: Uint8Array) => {
  const found = new Map<string, Buffer>();
  for await (const { name, body } of readTar([tar][Symbol.iterator]() as unknown as AsyncIterable<Uint8Array>))
    found.set(name, Buffer.concat(await collected(body)));
  return found;
};

async function repacked(change: (files: Map<string, Buffer>) => void, { fixSums = false } = {}): Promise<Buffer> {
  const all = await files(archive);
  change(all);
  if (fixSums) sumAgain(all);
  async function* entries() {
    for (const [name, bytes] of all) yield { name, bytes: bytes.length, body: [bytes] as never };
  }
  return Buffer.concat(await collected(writeTar(entries())));
}

/** Makes the checksums fit what is there: whoever writes an archive can. */
function sumAgain(all: Map<string, Buffer>): void {
  const whole = createHash('sha256');
  let lines = '';
  for (const [name, bytes] of all) {
    const own = /^documents\/\d+\/(.+)$/.exec(name)?.[1];
    if (own === undefined) continue;
    if (own !== 'SHA256SUMS') lines += `${createHash('sha256').update(bytes).digest('hex')}  ${own}\n`;
    else {
      all.set(name, Buffer.from(lines));
      whole.update(lines);
      lines = '';
    }
  }
  const end = JSON.parse(String(all.get('end.json')));
  all.set('end.json', Buffer.from(JSON.stringify({ ...end, sha256: whole.digest('hex') })));
}

test('a namespace goes to another service and answers there as here, without an embedding call', async () => {
  const job = await imported(to, archive);
  expect(job).toMatchObject({
    state: 'succeeded',
    documentId: 'namespace:default',
    namespace: 'default',
    warnings: [],
  });
  expect(job.links).not.toHaveProperty('document');
  expect(to.flow.embedded).toEqual([]);
  for (const mode of ['hybrid', 'dense', 'lexical']) {
    for (const query of ['harbour', 'a lamp at sea', 'lamps of old', 'cliff']) {
      const here = await searched(from, { query, mode, explain: true });
      expect(here.hits.length).toBeGreaterThan(0);
      if (mode === 'hybrid') expect(here.hits[0].explain).toHaveProperty('rerank');
      expect(await searched(to, { query, mode, explain: true })).toEqual(here);
    }
  }
  const request = { query: 'lamp', filter: { team: 'light' }, recency: { halfLifeDays: 1 } };
  expect((await searched(to, request)).hits.map((hit: { documentId: string }) => hit.documentId)).toEqual(['lamp']);
  for (const path of ['/documents/lamp/text', '/documents/harbour/content'])
    expect(await (await to.call(path)).text()).toBe(await (await from.call(path)).text());
  const [here, there] = await Promise.all(
    [from, to].map(async (api) => (await (await api.call('/documents/lamp')).json()) as Record<string, unknown>),
  );
  for (const field of ['title', 'metadata', 'createdAt', 'version', 'sha256', 'mediaType', 'chunks'])
    expect([field, there?.[field]]).toEqual([field, here?.[field]]);
  expect(await (await to.call('/stats')).json()).toMatchObject({ documents: 3, consistent: true });
  // The archive itself is not kept.
  expect(await keptOriginals()).toBe(3);
  expect(await collected(to.flow.blobs.list('uploads/'))).toEqual([]);
});

test('an archive goes into another tenant’s namespace by form, and ids of chunks are that tenant’s', async () => {
  const form = new FormData();
  form.append('file', new Blob([archive]), 'memory.tar');
  const token = tokenFor('globex');
  const answer = await to.call('/admin/import?namespace=copies', { method: 'POST', body: form, token });
  expect(answer.status).toBe(202);
  await to.flow.drain();
  const query = { query: 'harbour', namespace: 'copies' };
  const there = await searched(to, query, token);
  const here = await searched(from, { query: 'harbour' });
  const shown = (hits: { documentId: string; text: string; score: number }[]) =>
    hits.map(({ documentId, text, score }) => ({ documentId, text, score: Math.round(score * 1e4) }));
  expect(shown(there.hits)).toEqual(shown(here.hits));
  expect(there.hits[0].chunkId).not.toBe(here.hits[0].chunkId);
  expect(to.flow.embedded).toEqual([]);
});

test('imported again, documents get a new version; in another namespace of the tenant, nothing is done', async () => {
  const token = tokenFor('initech');
  await imported(to, archive, undefined, token);
  expect(await imported(to, archive, undefined, token)).toMatchObject({ state: 'succeeded' });
  const document = await (await to.call('/documents/harbour', { token })).json();
  expect(document).toMatchObject({ version: 2, state: 'active', metadata: { team: 'sea' } });
  const refused = await imported(to, archive, '/admin/import?namespace=second', token);
  expect(refused).toMatchObject({ state: 'failed', error: { code: 'conflict' } });
  expect(refused.error?.message).toContain('harbour');
  expect(await (await to.call('/documents?namespace=second', { token })).json()).toEqual({ items: [] });
});

test('an empty namespace goes as well', async () => {
  const token = tokenFor('empty');
  await from.ingested('Soon gone.', { documentId: 'gone' }, token);
  await from.call('/documents/gone', { method: 'DELETE', token });
  const empty = Buffer.from(await (await from.call('/admin/export', { token })).arrayBuffer());
  expect(await imported(to, empty, undefined, token)).toMatchObject({ state: 'succeeded' });
});

test('what is no archive of ours is refused at once, and nothing is kept of it', async () => {
  const before = await collected(to.flow.blobs.list(''));
  const noise = Buffer.from('no tar '.repeat(1000));
  for (const body of [noise, Buffer.alloc(0), archive.subarray(0, 300)]) {
    const answer = await send(to, body);
    expect([answer.status, await answer.json()]).toEqual([
      422,
      { error: expect.objectContaining({ code: 'unprocessable' }) },
    ]);
  }
  const other = await repacked((all) => {
    all.set('export.json', Buffer.from(String(all.get('export.json')).replace('semantic-memory-namespace', 'other')));
  });
  expect((await send(to, other)).status).toBe(422);
  expect((await send(to, archive, '/admin/import', undefined, 'application/zip')).status).toBe(415);
  expect((await send(to, archive, '/admin/import?namespace=a%20b')).status).toBe(400);
  expect((await send(to, Buffer.alloc(10_000_001))).status).toBe(413);
  expect(await collected(to.flow.blobs.list(''))).toEqual(before);
});

const folder = 'documents/00000002/';
const text = (all: Map<string, Buffer>, name: string) => String(all.get(folder + name));

test.each<[string, (all: Map<string, Buffer>) => void, boolean?]>([
  ['a byte is changed', (all) => void all.get(`${folder}original`)?.write('X', 0)],
  ['a vector is changed', (all) => void all.get(`${folder}vectors-0.f32`)?.writeFloatLE(0.5, 8)],
  ['a vector is no number', (all) => void all.get(`${folder}vectors-0.f32`)?.writeFloatLE(Number.NaN, 8), true],
  ['vectors are missing', (all) => void all.delete(`${folder}vectors-0.f32`), true],
  ['vectors are short', (all) => all.set(`${folder}vectors-0.f32`, Buffer.alloc(8)), true],
  ['a name leads out of it', (all) => rename(all, `${folder}original`, '../../../../etc/cron.d/x'), true],
  ['a name is absolute', (all) => rename(all, `${folder}manifest.json`, '/etc/passwd'), true],
  ['a document is called a path', (all) => edit(all, 'document.json', (it) => ({ ...it, documentId: '../x' })), true],
  ['a document comes twice', (all) => edit(all, 'document.json', (it) => ({ ...it, documentId: 'lamp' })), true],
  ['a chunk says what the text does not', (all) => editChunk(all, { text: 'Something else entirely.' }), true],
  ['a chunk has another text’s vector', (all) => editChunk(all, { embedText: 'Something else entirely.' }), true],
  ['vectors of tokens are missing', (all) => void all.delete(`${folder}tokens.bin`)],
  ['vectors of tokens are short', (all) => cut(all, 'tokens.bin', 8), true],
  ['vectors of tokens are another’s', (all) => all.set(`${folder}tokens.bin`, tokensOf(all, 1)), true],
  ['vectors of tokens count backwards', (all) => void all.get(`${folder}tokens.bin`)?.writeUInt32LE(9e8, 32), true],
  ['the original is another', (all) => all.set(`${folder}original`, Buffer.from('Another one.')), true],
  ['there is more in it', (all) => all.set(`${folder}more`, Buffer.from('more')), true],
  ['brackets are nested without end', (all) => all.set(`${folder}manifest.json`, Buffer.from('['.repeat(1e5))), true],
  ['its end is missing', (all) => void all.delete('end.json')],
  ['a document is missing', (all) => dropFolder(all)],
  ['it goes on behind its end', (all) => all.set('documents/00000004/document.json', Buffer.from('{}'))],
  ['a document is of another model', (all) => edit(all, 'chunks.json', (it) => ({ ...it, model: 'other' })), true],
])('an archive is refused as a whole where %s', async (_what, change, fixSums = false) => {
  const token = tokenFor(`hostile-${_what.replaceAll(/\W/g, '-')}`);
  const before = await keptOriginals();
  const job = await imported(to, await repacked(change, { fixSums }), undefined, token);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'unprocessable' } });
  expect(job.error?.message).toMatch(/^The archive cannot be imported: /);
  expect(await (await to.call('/documents', { token })).json()).toEqual({ items: [] });
  expect((await searched(to, { query: 'harbour' }, token)).hits).toEqual([]);
  expect(await keptOriginals()).toEqual(before);
  expect(await collected(to.flow.blobs.list('uploads/'))).toEqual([]);
});

/** The archive of an import that has ended is not among them. */
const keptOriginals = async () =>
  (await collected(to.flow.blobs.list('tenants/'))).filter((key) => key.endsWith('/original')).length;

function rename(all: Map<string, Buffer>, name: string, other: string): void {
  const entries = [...all];
  all.clear();
  for (const [key, bytes] of entries) all.set(key === name ? other : key, bytes);
}

// biome-ignore lint/suspicious/noExplicitAny: JSON as it is stored
const edit = (all: Map<string, Buffer>, name: string, change: (value: any) => unknown) =>
  all.set(folder + name, Buffer.from(JSON.stringify(change(JSON.parse(text(all, name))))));

const editChunk = (all: Map<string, Buffer>, change: object) =>
  edit(all, 'chunks.json', (set) => ({ ...set, chunks: [{ ...set.chunks[0], ...change }, ...set.chunks.slice(1)] }));

const tokensOf = (all: Map<string, Buffer>, number: number) =>
  all.get(`documents/0000000${number}/tokens.bin`) ?? Buffer.alloc(0);

const cut = (all: Map<string, Buffer>, name: string, bytes: number) =>
  all.set(folder + name, (all.get(folder + name) ?? Buffer.alloc(0)).subarray(0, -bytes));

function dropFolder(all: Map<string, Buffer>): void {
  for (const name of [...all.keys()]) if (name.startsWith('documents/00000003/')) all.delete(name);
}

test('an import that is cut off goes on where it was, and makes nothing twice', async () => {
  const token = tokenFor('resumed');
  const { id } = (await (await send(to, archive, undefined, token)).json()) as Job;
  const { createJob } = to.flow.ledger;
  let made = 0;
  to.flow.ledger.createJob = async (...args) => {
    made += 1;
    if (made === 2) throw new Error('killed');
    return createJob(...args);
  };
  await to.flow.drain();
  to.flow.ledger.createJob = createJob;
  const job = (await (await to.call(`/jobs/${id}`, { token })).json()) as Job;
  expect(job).toMatchObject({ state: 'succeeded' });
  const { items } = (await (await to.call('/documents', { token })).json()) as {
    items: { id: string; version: number }[];
  };
  expect(items.map((item) => item.id).sort()).toEqual(['harbour', 'lamp', 'lighthouse']);
  // The accept that failed was taken back, and its taking back must not reach the one after it.
  to.flow.ahead += 3_600_000;
  await to.call('/admin/reconcile', { method: 'POST', token });
  const jobs = (await (await to.call('/jobs', { token })).json()) as { items: Job[] };
  expect(jobs.items.map(({ state }) => state)).toEqual(Array(4).fill('succeeded'));
  expect(await (await to.call('/stats', { token })).json()).toMatchObject({ documents: 3, consistent: true });
  expect(to.flow.embedded).toEqual([]);
});

test('what a worker had claimed when it was killed is gone on with, not claimed again', async () => {
  const token = tokenFor('killed');
  const { id } = (await (await send(to, archive, undefined, token)).json()) as Job;
  const [step] = to.flow.queue.waiting;
  const { createJob } = to.flow.ledger;
  let made = 0;
  const killed = new Promise<void>((resolve) => {
    to.flow.ledger.createJob = (...args) => {
      made += 1;
      if (made !== 2) return createJob(...args);
      resolve();
      // It never comes to an end, nor to taking anything back.
      return new Promise(() => {});
    };
  });
  void to.flow.runNext();
  await killed;
  to.flow.ledger.createJob = createJob;
  await to.flow.queue.add(step ? [step] : []);
  await to.flow.drain();
  expect(await (await to.call(`/jobs/${id}`, { token })).json()).toMatchObject({ state: 'succeeded' });
  const { items } = (await (await to.call('/documents', { token })).json()) as {
    items: { id: string; version: number }[];
  };
  const versions = Object.fromEntries(items.map((item) => [item.id, item.version]));
  expect(versions).toEqual({ harbour: 1, lighthouse: 1, lamp: 2 });
  to.flow.ahead += 3_600_000;
  const reconciled = await to.call('/admin/reconcile', { method: 'POST', token });
  expect(await reconciled.json()).toMatchObject({ drift: {} });
});

test('only who may administer exports or imports, and only the own tenant’s', async () => {
  const token = tokenFor('acme', { scope: 'memory:read memory:write' });
  expect((await from.call('/admin/export', { token })).status).toBe(403);
  expect((await send(from, archive, undefined, token)).status).toBe(403);
  expect((await from.call('/admin/export', { token: tokenFor('stranger') })).status).toBe(404);
  expect((await from.call('/admin/export?namespace=nowhere')).status).toBe(404);
  const names = [...(await files(archive)).keys()];
  expect(names.filter((name) => name.endsWith('document.json')).length).toBe(3);
  expect(archive.includes('Elsewhere')).toBe(false);
});
