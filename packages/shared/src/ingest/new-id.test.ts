import { expect, test } from '@jest/globals';
import { DocumentId, JobId } from '../contracts/model/ids.ts';
import { childDocumentId, childJobId, newDocumentId, newJobId } from './new-id.ts';

test('ids that are made up are ids that the contract allows', () => {
  expect(JobId.safeParse(newJobId()).success).toBe(true);
  expect(DocumentId.safeParse(newDocumentId()).success).toBe(true);
});

test('a child has the same id each time, and another one in another run', () => {
  const parent = newJobId();
  expect(childJobId(parent, 0, 'a.md')).toBe(childJobId(parent, 0, 'a.md'));
  expect(childJobId(parent, 1, 'a.md')).not.toBe(childJobId(parent, 0, 'a.md'));
  expect(JobId.safeParse(childJobId(parent, 0, 'ä b.md')).success).toBe(true);
});

test('a file of a repository has an id that can be read, where its path allows it', () => {
  expect(childDocumentId('repo', 'docs/guide.md')).toBe('repo:docs:guide.md');
  const paths = ['docs:guide.md', 'docs/guide.md', 'ünï/cödé.md', 'a b.md', `${'x/'.repeat(150)}y.md`, ''];
  const ids = paths.map((path) => childDocumentId('r'.repeat(180), path));
  expect(new Set(ids).size).toBe(paths.length);
  for (const id of [...ids, ...paths.map((path) => childDocumentId('repo', path))]) {
    expect(DocumentId.safeParse(id).success).toBe(true);
  }
});
