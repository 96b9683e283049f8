import { expect, test } from '@jest/globals';
import {
  activateVersion,
  addVersion,
  patchDocument,
  replacedAtMs,
  versionAt,
  withdrawVersion,
} from './document-transitions.ts';
import type { DocumentRow, LedgerDocument, VersionRecord } from './ledger.ts';

const identity = { tenant: 'acme', namespace: 'default', documentId: 'notes' };
const day = (number: number) => `2026-01-${String(number).padStart(2, '0')}T00:00:00.000Z`;

const versionOf = (version: number): VersionRecord => ({
  ...{ version, state: 'pending', jobId: `job ${version}`, sha256: 'abc', bytes: 3, chunks: 0 },
  ...{ createdAt: day(version), mediaType: version === 1 ? 'text/plain' : 'text/html' },
});

const described = (version: number) => ({ title: `Title ${version}`, metadata: { from: version } });

/** Of so many accepted versions, of which those up to `active` became active one after the other. */
function documentOf(versions: number, active: number): LedgerDocument {
  let document: LedgerDocument | undefined;
  for (let version = 1; version <= versions; version += 1)
    document = addVersion(document, identity, versionOf(version), described(version));
  for (let version = 1; version <= active; version += 1)
    document = activateVersion(document, version, day(10 + version)).document;
  return document as LedgerDocument;
}

const spokenOf = ({ title, metadata }: LedgerDocument) => ({ title, from: metadata.from });

test('a version that becomes active brings its title, unless it was patched since it was accepted', () => {
  const waiting = documentOf(2, 1);
  expect(spokenOf(waiting)).toEqual({ title: 'Title 1', from: 1 });
  const titled = patchDocument(waiting, { title: { value: 'Mine', upToVersion: 2 } }, day(20));
  expect(spokenOf(titled)).toEqual({ title: 'Mine', from: 1 });
  const activated = activateVersion(titled, 2, day(21));
  expect(activated.document && spokenOf(activated.document)).toEqual({ title: 'Mine', from: 2 });
  const described = patchDocument(waiting, { metadata: { value: { from: 7 }, upToVersion: 2 } }, day(20));
  const next = activateVersion(described, 2, day(21)).document;
  expect(next && spokenOf(next)).toEqual({ title: 'Title 2', from: 7 });
});

test('a wish says nothing of versions that it did not know', () => {
  const wish = {
    title: { value: 'Mine', upToVersion: 1 },
    metadata: { value: { from: 7 }, upToVersion: 1 },
  };
  const patched = patchDocument(documentOf(2, 1), wish, day(20));
  expect(spokenOf(patched)).toEqual({ title: 'Mine', from: 7 });
  const next = activateVersion(patched, 2, day(21)).document;
  expect(next && spokenOf(next)).toEqual({ title: 'Title 2', from: 2 });
  // What is no wish of the active version, nor of one that waits, changes nothing.
  const untouched = documentOf(1, 1);
  expect(patchDocument(untouched, { title: { value: 'Late', upToVersion: 0 } }, day(20))).toBe(untouched);
});

test('a second wish finds nothing left that the first has taken', () => {
  const first = patchDocument(documentOf(2, 1), { title: { value: 'Mine', upToVersion: 2 } }, day(20));
  const second = patchDocument(first, { metadata: { value: { from: 7 }, upToVersion: 2 } }, day(21));
  const third = patchDocument(second, { title: { value: 'Ours', upToVersion: 2 } }, day(22));
  const next = activateVersion(third, 2, day(23)).document;
  expect(next && spokenOf(next)).toEqual({ title: 'Ours', from: 7 });
});

test('a version that is withdrawn leaves the document to those before it', () => {
  const without = withdrawVersion(documentOf(2, 0), 2);
  expect(without).toMatchObject({ latestVersion: 1, title: 'Title 1', mediaType: 'text/plain' });
  expect(without?.pending).toEqual({ 1: described(1) });
});

test.each([
  ['is not known', documentOf(2, 1), 7],
  ['is active', documentOf(2, 2), 2],
  ['is the only one', documentOf(1, 0), 1],
])('a version that %s is not withdrawn', (_, document, version) => {
  expect(withdrawVersion(document, version)).toBeUndefined();
});

test('a version is the active one from its commit to the next', () => {
  const document = documentOf(3, 2);
  expect(replacedAtMs(document, 1)).toBe(Date.parse(day(12)));
  expect(replacedAtMs(document, 2)).toBeUndefined();
  const row = {
    ...{ documentId: 'notes', activeVersion: 3, activeFrom: 300, former: [[2, 200] as const, [1, 100] as const] },
  } as unknown as DocumentRow;
  expect([50, 100, 250, 300].map((at) => versionAt(row, at))).toEqual([0, 1, 2, 3]);
  // A row of a release that did not note since when.
  const { activeFrom: _, former: __, ...plain } = row;
  expect(versionAt(plain, 50)).toBe(3);
});
