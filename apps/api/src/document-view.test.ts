import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '@semantic-memory/shared/testing/in-memory-flow';
import { documentView } from './document-view.ts';

async function recorded(text: string) {
  const flow = createInMemoryFlow();
  await flow.ingest(text);
  await flow.drain();
  const record = await flow.ledger.getDocument('acme', 'notes');
  if (!record) throw new Error('it was not taken in');
  return record;
}

test('a document of pages says how many it has, another one says nothing of pages', async () => {
  expect(documentView(await recorded('One.\fTwo.\fThree.'))).toMatchObject({ id: 'notes', pages: 3 });
  expect(documentView(await recorded('One.'))).not.toHaveProperty('pages');
});

test('a record without a version is damage, and not shown as a document', async () => {
  const record = await recorded('One.');
  expect(() => documentView({ ...record, versions: [] })).toThrow(expect.objectContaining({ code: 'internal' }));
});
