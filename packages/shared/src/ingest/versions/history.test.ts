import { expect, test } from '@jest/globals';
import { SearchRequest } from '../../contracts/model/search.ts';
import { createDocumentTable } from '../../search/document-table.ts';
import { search } from '../../search/search.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../../testing/in-memory-flow.ts';
import { retryJob } from '../jobs/retry.ts';
import { removeDocument } from '../remove.ts';
import { vectorBatchSize } from '../stored/artifacts.ts';
import { documentPrefix, replacedPrefix, vectorsKey } from '../stored/blob-keys.ts';
import { committedFrom } from '../stored/outcome.ts';
import { expireVersions } from './expire.ts';
import { openContent, readChunks, readText } from './read-document.ts';
import { retireVersion } from './retire.ts';

const live = (flow: InMemoryFlow) => ({ tenant: 'acme', namespace: 'default', model: flow.deps.embeddingModel });
const history = (flow: InMemoryFlow) => ({ ...live(flow), history: true as const });
const minute = 60_000;
const day = 24 * 3_600_000;

/** A flow whose clock only a test moves. */
function createTimedFlow() {
  const flow = createInMemoryFlow();
  const clock = flow.deps.clock as { now: () => number };
  const startedAt = Date.parse('2026-03-01T00:00:00Z');
  clock.now = () => startedAt + flow.ahead;
  return flow;
}

async function ingested(flow: InMemoryFlow, text: string, request: Parameters<InMemoryFlow['ingest']>[1] = {}) {
  const job = await flow.ingest(text, request);
  await flow.drain();
  return job;
}

const now = (flow: InMemoryFlow) => new Date(flow.deps.clock.now()).toISOString();

async function found(flow: InMemoryFlow, asOf?: string, more: Partial<SearchRequest> = {}): Promise<string[]> {
  const deps = {
    ...flow.deps,
    table: createDocumentTable({ ledger: flow.ledger }),
    versionRetentionMs: flow.versionRetentionMs,
  };
  const request = SearchRequest.parse({ query: 'harbour', topK: 100, ...(asOf ? { asOf } : {}), ...more });
  const { hits } = await search(deps, 'acme', request);
  return hits.map((hit) => `${hit.documentId}@${hit.version} ${hit.text}`).sort();
}

async function keysBelow(flow: InMemoryFlow, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of flow.blobs.list(prefix)) keys.push(key);
  return keys;
}

test('where vectors of a replaced version are missing, history keeps the rest and says that it has a gap', async () => {
  const flow = createTimedFlow();
  const said: string[] = [];
  Object.assign(flow.deps, {
    logger: { ...flow.deps.logger, error: (message: string) => void said.push(message) },
  });
  const sections = Array.from(
    { length: vectorBatchSize + 8 },
    (_, at) => `# Pier ${at}\n\nThe harbour has pier ${at}.`,
  );
  await ingested(flow, sections.join('\n\n'));
  const first = now(flow);
  const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
  const before = (await found(flow)).length;
  expect(await flow.blobs.has(vectorsKey(ref, 0))).toBe(true);
  await flow.blobs.remove(vectorsKey(ref, 0));
  flow.ahead = 2 * minute;
  await ingested(flow, 'The harbour is closed.');
  expect(await found(flow)).toEqual(['notes@2 The harbour is closed.']);
  expect((await found(flow, first)).length).toBe(before - vectorBatchSize);
  expect(said).toEqual([expect.stringContaining('history has a gap')]);
});

test('a search as of a moment answers from the versions that were active then', async () => {
  const flow = createTimedFlow();
  const before = now(flow);
  flow.ahead = 1 * minute;
  await ingested(flow, 'The harbour is open.');
  const first = now(flow);
  flow.ahead = 2 * minute;
  await ingested(flow, 'The harbour is closed.');
  flow.ahead = 3 * minute;
  await ingested(flow, 'The harbour is gone.');
  await ingested(flow, 'Another harbour.', { documentId: 'other' });
  flow.ahead = 9 * minute;
  expect(await found(flow, before)).toEqual([]);
  expect(await found(flow, first)).toEqual(['notes@1 The harbour is open.']);
  expect(await found(flow, '2026-03-01T00:01:59.999Z')).toEqual(['notes@1 The harbour is open.']);
  expect(await found(flow, '2026-03-01T00:02:00.000Z')).toEqual(['notes@2 The harbour is closed.']);
  expect(await found(flow, '2026-03-01T01:01:59+01:00')).toEqual(['notes@1 The harbour is open.']);
  const present = ['notes@3 The harbour is gone.', 'other@1 Another harbour.'];
  expect(await found(flow, now(flow))).toEqual(present);
  // A caller's clock may be ahead of ours.
  expect(await found(flow, '2026-03-01T09:00:00.000Z')).toEqual(present);
  expect(await found(flow)).toEqual(present);
  expect(await flow.vectors.count(live(flow))).toBe(2);
  expect(await flow.vectors.count(history(flow))).toBe(2);
});

test('a search as of a moment that is longer ago than versions are kept is refused', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  flow.ahead = 31 * day;
  await expect(found(flow, '2026-03-01T00:00:00Z')).rejects.toMatchObject({ code: 'unprocessable' });
  expect(await found(flow, '2026-03-02T00:00:00Z')).toEqual(['notes@1 The harbour is open.']);
});

test('as of a moment, filters and metadata are those of the document now', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.', { metadata: { team: 'sea' } });
  const first = now(flow);
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.', { metadata: { team: 'land' } });
  expect(await found(flow, first, { filter: { team: 'land' } })).toEqual(['notes@1 The harbour is open.']);
  expect(await found(flow, first, { filter: { team: 'sea' } })).toEqual([]);
});

test('a deleted document appears at no moment, and nothing of its history is left', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  const first = now(flow);
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.');
  await removeDocument(flow.deps, 'acme', 'notes');
  expect(await found(flow, first)).toEqual([]);
  expect(await flow.vectors.count(history(flow))).toBe(0);
  expect(await keysBelow(flow, documentPrefix('acme', 'notes'))).toEqual([]);
  expect(await keysBelow(flow, replacedPrefix)).toEqual([]);
  // Under the same name again, it has no past.
  flow.ahead = 2 * minute;
  await ingested(flow, 'The harbour is new.');
  expect(await found(flow, first)).toEqual([]);
});

test('a delete is not answered while history still has a chunk', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.');
  const remove = flow.vectors.removeDocument;
  flow.vectors.removeDocument = async (key, ...rest) => (key.history ? 0 : remove(key, ...rest));
  await expect(removeDocument(flow.deps, 'acme', 'notes')).rejects.toMatchObject({ code: 'dependency_unavailable' });
});

test.each(['put', 'getDocument', 'write', 'removeDocument'])(
  'a crash between flip and end, at %s, is put right by repeating the step, and a search finds the newest throughout',
  async (crashAt) => {
    const flow = createTimedFlow();
    await ingested(flow, 'The harbour is open.');
    const first = now(flow);
    flow.ahead = minute;
    const job = await flow.ingest('The harbour is closed.');
    await flow.runNext();
    await flow.runNext();
    let flipped = false;
    const activate = flow.ledger.activateVersion;
    flow.ledger.activateVersion = async (...args) => {
      flipped = true;
      return activate(...args);
    };
    const crash = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
      let armed = true;
      return async (...args: Args): Promise<Result> => {
        if (!flipped || !armed) return call(...args);
        armed = false;
        throw new Error('killed');
      };
    };
    const places: Record<string, object> = {
      put: flow.blobs,
      getDocument: flow.ledger,
      write: flow.deps.indexWriter,
      removeDocument: flow.vectors,
    };
    const place = places[crashAt] as Record<string, (...args: unknown[]) => Promise<unknown>>;
    place[crashAt] = crash(place[crashAt]!);
    await expect(flow.runNext()).rejects.toThrow();
    // Searches at this moment: the newest now, the former then.
    expect(await found(flow)).toEqual(['notes@2 The harbour is closed.']);
    expect(await found(flow, first)).toEqual(['notes@1 The harbour is open.']);
    await flow.drain();
    expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
    expect(await flow.vectors.countDocument(live(flow), 'notes', 1)).toBe(0);
    expect(await flow.vectors.countDocument(history(flow), 'notes', 1)).toBe(1);
    expect(await found(flow, first)).toEqual(['notes@1 The harbour is open.']);
  },
);

test('a first version whose worker died after the flip, and which was replaced since, leaves nothing among active chunks', async () => {
  const flow = createTimedFlow();
  const first = await flow.ingest('The harbour is open.');
  await flow.runNext();
  await flow.runNext();
  const [step] = flow.queue.waiting;
  const { updateJob } = flow.ledger;
  flow.ledger.updateJob = () => Promise.reject(new Error('killed'));
  await expect(flow.runNext()).rejects.toThrow();
  flow.ledger.updateJob = updateJob;
  const dead = flow.queue.take();
  expect(dead).toEqual(step);
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.');
  // Its lock runs out only now: the step is done once more, from its first write on.
  await flow.queue.add(step ? [step] : []);
  await flow.drain();
  expect(await flow.ledger.getJob('acme', first.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.vectors.countDocument(live(flow), 'notes', 1)).toBe(0);
  expect(await flow.vectors.countDocument(history(flow), 'notes', 1)).toBe(1);
});

test('history that was lost is restored from artifacts, with the same times and without embedding', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  const first = now(flow);
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.');
  const embedded = flow.embedded.length;
  await flow.vectors.removeDocument(history(flow), 'notes');
  expect(await found(flow, first)).toEqual([]);
  const ref = { tenant: 'acme', namespace: 'default', documentId: 'notes', version: 1 };
  expect(await retireVersion(flow.deps, ref)).toBe(1);
  expect(await found(flow, first)).toEqual(['notes@1 The harbour is open.']);
  expect(flow.embedded.length).toBe(embedded);
  // The active version is never retired.
  expect(await retireVersion(flow.deps, { ...ref, version: 2 })).toBe(0);
  expect(await found(flow)).toEqual(['notes@2 The harbour is closed.']);
});

test('older versions can be read until they expire; the active and the latest one never do', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  flow.ahead = minute;
  await ingested(flow, 'The harbour is closed.');
  flow.ahead = 2 * minute;
  // A version that fails is the latest; the one before it stays active.
  flow.faults.parse = new Error('broken');
  const failed = await flow.ingest('The harbour is broken.');
  await flow.runNext({ attempt: 5, lastAttempt: true });
  expect(await flow.ledger.getJob('acme', failed.id)).toMatchObject({ state: 'failed' });
  expect(await readText(flow.deps, 'acme', 'notes', 1)).toBe('The harbour is open.');
  expect((await readChunks(flow.deps, 'acme', 'notes', 1, { limit: 9 })).items).toHaveLength(1);
  expect((await openContent(flow.deps, 'acme', 'notes', 1)).bytes).toBe(20);

  flow.ahead = 30 * day;
  expect(await expireVersions(flow.deps, flow.versionRetentionMs)).toBe(0);
  flow.ahead = 30 * day + minute;
  expect(await expireVersions(flow.deps, flow.versionRetentionMs)).toBe(1);
  expect(await expireVersions(flow.deps, flow.versionRetentionMs)).toBe(0);
  const document = await flow.ledger.getDocument('acme', 'notes');
  expect(document?.versions.map(({ version }) => version)).toEqual([3, 2]);
  await expect(readText(flow.deps, 'acme', 'notes', 1)).rejects.toMatchObject({ code: 'not_found' });
  await expect(openContent(flow.deps, 'acme', 'notes', 1)).rejects.toMatchObject({ code: 'not_found' });
  expect((await keysBelow(flow, documentPrefix('acme', 'notes'))).filter((key) => key.includes('/v1/'))).toEqual([]);
  expect(await flow.vectors.count(history(flow))).toBe(0);
  expect(await keysBelow(flow, replacedPrefix)).toEqual([]);
  expect(await readText(flow.deps, 'acme', 'notes')).toBe('The harbour is closed.');
  flow.ahead = 300 * day;
  expect(await expireVersions(flow.deps, 0)).toBe(0);
  expect(await found(flow)).toEqual(['notes@2 The harbour is closed.']);

  // A newer one replaces both.
  await ingested(flow, 'The harbour is new.');
  flow.ahead = 400 * day;
  expect(await expireVersions(flow.deps, flow.versionRetentionMs)).toBe(2);
  expect((await flow.ledger.getDocument('acme', 'notes'))?.versions.map(({ version }) => version)).toEqual([4]);
});

test('nothing expires while the ledger does not know the document', async () => {
  const flow = createTimedFlow();
  await ingested(flow, 'The harbour is open.');
  await ingested(flow, 'The harbour is closed.');
  const stored = flow.blobs.blobs.size;
  const { ledger } = createInMemoryFlow();
  flow.ahead = 90 * day;
  expect(await expireVersions({ ...flow.deps, ledger }, 0)).toBe(0);
  expect(flow.blobs.blobs.size).toBe(stored);
});

test('a retry that reads more pages replaces the chunks, keeps the version findable and its time', async () => {
  const flow = createTimedFlow();
  const job = await ingested(flow, 'The harbour is open.\f\fThe harbour is wide.');
  const ref = { tenant: 'acme', documentId: 'notes', version: 1 };
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'partial' });
  expect(await committedFrom(flow.blobs, ref)).toBe('2026-03-01T00:00:00.000Z');
  flow.ahead = minute;
  flow.faults.ocr.set(2, 'The harbour is deep.');
  await retryJob(flow.deps, 'acme', job.id);
  // Committed it is, whatever becomes of the retry.
  expect(await committedFrom(flow.blobs, ref)).toBe('2026-03-01T00:00:00.000Z');
  while (await flow.runNext()) expect(await found(flow)).toHaveLength(1);
  expect(await flow.ledger.getJob('acme', job.id)).toMatchObject({ state: 'succeeded' });
  const [hit] = await found(flow);
  expect(hit).toContain('deep');
  expect(await committedFrom(flow.blobs, ref)).toBe('2026-03-01T00:00:00.000Z');
});

test('a job whose version was replaced is not retried', async () => {
  const flow = createTimedFlow();
  const job = await ingested(flow, 'The harbour is open.\f\fThe harbour is wide.');
  await ingested(flow, 'The harbour is closed.');
  await expect(retryJob(flow.deps, 'acme', job.id)).rejects.toMatchObject({ code: 'conflict' });
});

test('what is unchanged keeps its vectors also where the active version is older than the last one embedded', async () => {
  const flow = createTimedFlow();
  const text = (changed: number) =>
    Array.from(
      { length: 60 },
      (_, index) => `Paragraph ${index < changed ? 'anew' : index} ${'tells of the sea '.repeat(12)}.`,
    ).join('\n\n');
  await ingested(flow, text(0));
  // The second is embedded and never committed; the third changes little of it.
  const second = await flow.ingest(text(40));
  await flow.runNext();
  await flow.runNext();
  const embedded = flow.embedded.length;
  const third = await flow.ingest(text(41), { priority: 'high' });
  await flow.drain();
  expect(await flow.ledger.getJob('acme', third.id)).toMatchObject({ state: 'succeeded' });
  expect(await flow.ledger.getJob('acme', second.id)).toMatchObject({ state: 'cancelled' });
  expect(flow.embedded.length - embedded).toBeLessThanOrEqual(3);
});
