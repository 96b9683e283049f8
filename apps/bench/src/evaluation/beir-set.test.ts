import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readBeirSet } from './beir-set.ts';
import { findSets } from './find-sets.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'beir-set-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function writeSet(into: string, qrels: string) {
  await mkdir(into, { recursive: true });
  await writeFile(join(into, 'corpus.jsonl'), '{"_id":"d 1","title":"T","text":"One."}\n{"_id":"d2","text":"Two."}\n');
  await writeFile(join(into, 'queries.jsonl'), '{"_id":"q1","text":"one?"}\n{"_id":"q2","text":"three?"}\n');
  await writeFile(join(into, 'qrels.tsv'), qrels);
}

test('a set is read with its grades; queries without a relevant document are left out', async () => {
  await writeSet(folder, 'query-id\tcorpus-id\tscore\nq1\td 1\t2\nq1\td2\t1\nq2\td2\t0\n');
  const set = await readBeirSet(folder);
  expect(set.documents).toEqual([
    { id: 'd 1', title: 'T', text: 'One.' },
    { id: 'd2', title: '', text: 'Two.' },
  ]);
  expect(set.queries).toEqual([{ id: 'q1', text: 'one?' }]);
  expect(set.judgements.get('q1')).toEqual(
    new Map([
      ['d 1', 2],
      ['d2', 1],
    ]),
  );
});

test('what is malformed is named with its file and line', async () => {
  await writeSet(folder, 'query-id\tcorpus-id\tscore\nq1\td2\n');
  await expect(readBeirSet(folder)).rejects.toThrow(`${join(folder, 'qrels.tsv')}:2 is not`);
  await writeFile(join(folder, 'queries.jsonl'), '{"_id":"q1","text":"one?"}\n{"_id":7}\n');
  await expect(readBeirSet(folder)).rejects.toThrow(`${join(folder, 'queries.jsonl')}:2`);
});

test('sets are found below a folder, and one named by a language is called after the folder above it too', async () => {
  await writeSet(join(folder, 'wiki', 'es'), 'header\n');
  await writeSet(join(folder, 'letters'), 'header\n');
  const sets = await findSets([folder]);
  expect(sets.map(({ name, kind }) => [name, kind])).toEqual([
    ['letters', 'retrieval'],
    ['wiki-es', 'retrieval'],
  ]);
  await expect(findSets([folder, join(folder, 'letters')])).rejects.toThrow('two sets are called letters');
  await mkdir(join(folder, 'empty'));
  await expect(findSets([join(folder, 'empty')])).rejects.toThrow('holds no evaluation set');
  await expect(findSets([join(folder, 'nowhere')])).rejects.toThrow('is no folder');
});
