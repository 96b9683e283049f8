import { expect, test } from '@jest/globals';
import iconv from 'iconv-lite';
import { contextOf, withFile } from '../testing/format-context.ts';
import { parseHtml } from './html.ts';

async function parse(html: string | Uint8Array, declaredMediaType?: string) {
  const { title, pages } = await withFile(html, (path) =>
    parseHtml(path, contextOf('text/html', { declaredMediaType })),
  );
  return { title, text: pages[0]!.text };
}

test('the content of a page is told with its title, and without what stands around it', async () => {
  const html = '<html><head><title>Tides &amp; moons</title></head><body><nav>Menu</nav><h1>Moon</h1></body></html>';
  expect(await parse(html)).toEqual({ title: 'Tides & moons', text: '# Moon' });
});

test('a page that is nothing but navigation is told as it is', async () => {
  expect(await parse('<body><nav>Harbours of the north</nav></body>')).toEqual({
    title: undefined,
    text: 'Harbours of the north',
  });
});

test('a page without a title, or with an empty one, has none', async () => {
  expect((await parse('<title></title><p>The tide.</p>')).title).toBeUndefined();
  expect((await parse('<p>The tide.</p>')).title).toBeUndefined();
});

test('a page is decoded as its sender says, or else as it says itself', async () => {
  const page = '<meta charset="shift_jis"><p>日本語の文書です</p>';
  const bytes = iconv.encode(page, 'shift_jis');
  expect((await parse(bytes)).text).toBe('日本語の文書です');
  const wrong = iconv.encode(page.replace('shift_jis', 'koi8-r'), 'shift_jis');
  expect((await parse(wrong, 'text/html; charset=shift_jis')).text).toBe('日本語の文書です');
});

test('a page that shows nothing is empty', async () => {
  await expect(parse('<body><script>var a;</script></body>')).rejects.toMatchObject({ code: 'empty_document' });
});

test('of bytes that are no UTF-8 in a text that is the job tells', async () => {
  const bytes = Buffer.concat([Buffer.from('Grüße aus Köln, '), Buffer.from([0xfc])]);
  const { pages, warnings } = await withFile(bytes, (path) => parseHtml(path, contextOf('text/html')));
  expect(pages[0]?.text).toBe('Grüße aus Köln, \ufffd');
  expect(warnings).toMatchObject([{ code: 'text_damaged' }]);
});
