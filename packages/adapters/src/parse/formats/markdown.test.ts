import { expect, test } from '@jest/globals';
import { contextOf, withFile } from '../testing/format-context.ts';
import { parseMarkdown } from './markdown.ts';

const titleOf = async (text: string) =>
  (await withFile(text, (path) => parseMarkdown(path, contextOf('text/markdown')))).title;

test('the title is that of the front matter', async () => {
  expect(await titleOf('---\ntitle: "Tide tables"\n---\n# Spring')).toBe('Tide tables');
  expect(await titleOf("---\r\nauthor: me\r\ntitle: 'Tide tables'\r\n---\r\n# Spring")).toBe('Tide tables');
});

test('where the front matter names none, is not closed, or is not there, it is the first heading', async () => {
  expect(await titleOf('---\nauthor: me\n---\n# Spring #\n')).toBe('Spring');
  expect(await titleOf('---\ntitle: lost\n\n# Spring')).toBe('Spring');
  expect(await titleOf('Some words.\n\n# Spring\n\n# Autumn')).toBe('Spring');
});

test('a text with neither has no title', async () => {
  expect(await titleOf('## Spring\n\nSome words.')).toBeUndefined();
});

test('of bytes that are no UTF-8 in a text that is the job tells', async () => {
  const bytes = Buffer.concat([Buffer.from('Grüße aus Köln, '), Buffer.from([0xfc])]);
  const { pages, warnings } = await withFile(bytes, (path) => parseMarkdown(path, contextOf('text/markdown')));
  expect(pages[0]?.text).toBe('Grüße aus Köln, \ufffd');
  expect(warnings).toMatchObject([{ code: 'text_damaged' }]);
});
