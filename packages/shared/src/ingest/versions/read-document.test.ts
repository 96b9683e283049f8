import { expect, test } from '@jest/globals';
import { createInMemoryFlow } from '../../testing/in-memory-flow.ts';
import { openContent, readChunks, readText } from './read-document.ts';

test('a version that was not parsed yet has no text, and one that was not fetched yet no content', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('', { original: undefined, source: { type: 'url', url: 'https://example.org/tides.txt' } });
  await expect(readText(flow.deps, 'acme', 'notes')).rejects.toMatchObject({
    code: 'not_found',
    message: 'Version 1 of notes has no text yet.',
  });
  await expect(openContent(flow.deps, 'acme', 'notes')).rejects.toMatchObject({
    code: 'not_found',
    message: 'Version 1 of notes has no content yet.',
  });
  expect(await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 10 })).toEqual({ items: [] });
});

test('what is not there cannot be read', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.');
  await expect(readText(flow.deps, 'acme', 'nothing')).rejects.toMatchObject({ code: 'not_found' });
  await expect(readText(flow.deps, 'acme', 'notes', 2)).rejects.toMatchObject({ code: 'not_found' });
  await expect(readText(flow.deps, 'umbrella', 'notes')).rejects.toMatchObject({ code: 'not_found' });
});

test('chunks come page by page, in their order, and a cursor is one of ours', async () => {
  const flow = createInMemoryFlow();
  const sections = Array.from({ length: 5 }, (_, at) => `# Part ${at}\n\n${`Whatever part ${at} holds. `.repeat(20)}`);
  await flow.ingest(sections.join('\n\n'));
  await flow.drain();
  const seen: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 2, cursor });
    seen.push(...page.items.map(({ index }) => index));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(seen).toEqual([0, 1, 2, 3, 4]);
  for (const wrong of ['-1', '2', '1.-1', '1.2.3', 'x'])
    await expect(readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 2, cursor: wrong })).rejects.toMatchObject({
      code: 'invalid_request',
    });
});

test('the pages of chunks are of one version, also where another becomes active between them', async () => {
  const flow = createInMemoryFlow();
  const sections = Array.from({ length: 5 }, (_, at) => `# Part ${at}\n\n${`Whatever part ${at} holds. `.repeat(20)}`);
  await flow.ingest(sections.join('\n\n'));
  await flow.drain();
  const { nextCursor: cursor } = await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 2 });
  await flow.ingest('All is new.');
  await flow.drain();
  const rest = await readChunks(flow.deps, 'acme', 'notes', undefined, { limit: 5, cursor });
  expect(rest.items.map(({ index }) => index)).toEqual([2, 3, 4]);
  expect(await readChunks(flow.deps, 'acme', 'notes', 1, { limit: 5, cursor })).toEqual(rest);
  await expect(readChunks(flow.deps, 'acme', 'notes', 2, { limit: 5, cursor })).rejects.toMatchObject({
    code: 'invalid_request',
  });
});

test('content has the type that it was found to have, and the name that it came with', async () => {
  const flow = createInMemoryFlow();
  await flow.ingest('The harbour is open.', { source: { type: 'upload', filename: 'harbour.txt' } });
  expect(await openContent(flow.deps, 'acme', 'notes')).toMatchObject({
    bytes: 20,
    mediaType: 'application/octet-stream',
    filename: 'harbour.txt',
  });
  await flow.drain();
  expect(await openContent(flow.deps, 'acme', 'notes')).toMatchObject({ mediaType: 'text/plain' });
});

test.each([
  ['application/pdf', 'application/pdf'],
  [undefined, 'application/octet-stream'],
])('content of which nobody has found the type has the one that was declared (%s)', async (declaredMediaType, type) => {
  const flow = createInMemoryFlow();
  const page = { number: 1, text: 'The harbour is open.', needsOcr: false };
  const extraction = { schemaVersion: 1, mediaType: '', paged: false, pages: [page], warnings: [] };
  Object.assign(flow.deps, { parser: { ...flow.deps.parser, parse: async () => extraction } });
  await flow.ingest('The harbour is open.', { declaredMediaType });
  await flow.drain();
  expect(await openContent(flow.deps, 'acme', 'notes')).toMatchObject({ mediaType: type });
});
