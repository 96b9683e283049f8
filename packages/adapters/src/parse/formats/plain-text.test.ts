import { expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { contextOf, withFile } from '../testing/format-context.ts';
import { parsePlainText } from './plain-text.ts';

test('a text is decoded as its sender says, and otherwise kept', async () => {
  const bytes = iconv.encode('# 日本語の文書です\n\n- one', 'shift_jis');
  const context = contextOf('text/plain', { declaredMediaType: 'text/plain; charset=shift_jis' });
  expect(await withFile(bytes, (path) => parsePlainText(path, context))).toEqual({
    schemaVersion: 1,
    mediaType: 'text/plain',
    paged: false,
    pages: [{ number: 1, text: '# 日本語の文書です\n\n- one', needsOcr: false }],
    warnings: [],
  });
});

test('of a text with a broken byte the job tells', async () => {
  const bytes = Buffer.concat([
    Buffer.from('Grüße aus Köln, '),
    Buffer.from([0xfc]),
    Buffer.from(' sagte der Wärter.'),
  ]);
  const { pages, warnings } = await withFile(bytes, (path) => parsePlainText(path, contextOf('text/plain')));
  expect(pages[0]?.text).toBe('Grüße aus Köln, \ufffd sagte der Wärter.');
  expect(warnings).toMatchObject([{ code: 'text_damaged' }]);
});
