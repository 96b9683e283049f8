import { expect, test } from '@jest/globals';
import { createFakeEmbedder } from '../../testing/fake-embedder.ts';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { onNext } from '../../testing/on-next.ts';
import { newJobId } from '../new-id.ts';
import { namespaceModelsPrefix } from '../stored/blob-keys.ts';
import { reembed } from './embed-version.ts';
import { collectionsOf, lastSwitch, modelOf, noteModel, recordSwitch } from './namespace-models.ts';

const scope = { tenant: 'acme', namespace: 'default' };
const at = '2026-01-01T00:00:00.000Z';

test('of a namespace that the ledger has lost, a version has the model that it was accepted with', async () => {
  const { ledger } = createInMemoryFlow();
  expect(await modelOf({ ledger }, { ...scope, embeddingModel: 'a-model' })).toBe('a-model');
  await ledger.switchModel(scope, 'next-model');
  expect(await modelOf({ ledger }, { ...scope, embeddingModel: 'a-model' })).toBe('next-model');
});

test('a namespace has collections of each model that it has or had, as far as anybody knows', async () => {
  const flow = createInMemoryFlow();
  expect(await collectionsOf(flow.deps, scope)).toEqual([]);
  for (const model of ['first', 'second']) await noteModel(flow.blobs, scope, model);
  await flow.ledger.switchModel(scope, 'second');
  const models = async () => (await collectionsOf(flow.deps, scope)).map(({ model }) => model).toSorted();
  expect(await models()).toEqual(['first', 'second']);
  // A note that goes while they are listed.
  onNext(
    flow.blobs,
    'get',
    async () => undefined,
    (key) => key.startsWith(namespaceModelsPrefix(scope)),
  );
  expect(await models()).toEqual(['second']);
});

test('the switch of the highest number is the last one, in whichever order a store lists them', async () => {
  const { blobs } = createInMemoryFlow();
  expect(await lastSwitch(blobs, scope)).toBeUndefined();
  for (const number of [2, 10, 1])
    await recordSwitch(blobs, { ...scope, number, model: `model-${number}`, jobId: newJobId(), at });
  expect(await lastSwitch(blobs, scope)).toMatchObject({ number: 10, model: 'model-10' });
});

test('nothing is embedded anew of a namespace that nobody knows, nor of a version that is not cut yet', async () => {
  const next = createFakeEmbedder('next-model');
  const flow = createInMemoryFlow({ otherModels: [next] });
  const job = await flow.ingest('The harbour is open.');
  const payload = { schemaVersion: 1, ...scope, documentId: 'notes', version: 1, jobId: job.id } as const;
  const { signal } = new AbortController();
  await reembed(flow.deps, { ...payload, namespace: 'nowhere' }, signal);
  await flow.ledger.switchModel(scope, 'next-model');
  await reembed(flow.deps, payload, signal);
  expect(next.embedded).toEqual([]);
  expect([...flow.blobs.blobs.keys()].filter((key) => key.endsWith('.f32'))).toEqual([]);
});
