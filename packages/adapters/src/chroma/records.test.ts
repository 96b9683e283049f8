import { expect, test } from '@jest/globals';
import { isSelected, toChroma, toHit } from './records.ts';

const record = {
  chunkId: 'c',
  vector: Float32Array.of(1, 0),
  text: 'A lamp.',
  documentId: 'd',
  version: 3,
  index: 2,
  headings: ['Lamps'],
  start: 10,
  end: 17,
};

test('a row of an answer is the record that was written', () => {
  const { documents, metadatas } = toChroma([record], true);
  const { vector: _, ...expected } = record;
  expect(toHit({ id: 'c', document: documents[0], metadata: metadatas[0], distance: 0.25 })).toEqual({
    ...expected,
    similarity: 0.75,
  });
});

test('a row that was removed between being found and being read is none', () => {
  const { documents, metadatas } = toChroma([record], true);
  const [document, metadata, distance] = [documents[0], metadatas[0], 0.25];
  expect(toHit({ id: 'c', document: null, metadata: null, distance })).toBeUndefined();
  expect(toHit({ id: 'c', document, metadata: null, distance })).toBeUndefined();
  expect(toHit({ id: 'c', document: null, metadata, distance })).toBeUndefined();
});

test('a record as it was written formerly is read as well', () => {
  const metadata = { documentId: 'd', dv: 'd@3', index: 2, headings: '["Lamps"]', start: 10, end: 17, page: 4 };
  const { vector: _, ...expected } = record;
  expect(toHit({ id: 'c', document: 'A lamp.', metadata, distance: 0.25 })).toEqual({
    ...expected,
    page: 4,
    similarity: 0.75,
  });
  expect([1, 2, 3].map((fromIndex) => isSelected(metadata, { fromIndex }))).toEqual([true, true, false]);
  expect([2, 3].map((upToVersion) => isSelected(metadata, { upToVersion }))).toEqual([false, true]);
});
