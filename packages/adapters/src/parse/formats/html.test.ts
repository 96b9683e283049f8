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

test('an encoding is declared by XML too, and not in what is only a comment', async () => {
  const of = (page: string) => parse(iconv.encode(page, 'windows-1251'));
  expect((await of('<?xml version="1.0" encoding="windows-1251"?><html><p>Ёж</p></html>')).text).toBe('Ёж');
  expect((await of('<!-- <meta charset="koi8-r"> --><meta charset="windows-1251"><p>Ёж</p>')).text).toBe('Ёж');
});

test('a title is told whole, with what looks like an element in it', async () => {
  expect((await parse('<title>Tides <b>of</b> Brest</title><p>High.</p>')).title).toBe('Tides of Brest');
});

test('of a page of frames the text for browsers without frames is told', async () => {
  const frames = '<html><frameset cols="50%,*"><frame src="a.html"><noframes>NO</noframes></frameset></html>';
  expect((await parse(frames.replace('NO', '<body><p>The tide.</p></body>'))).text).toBe('The tide.');
  await expect(parse(frames.replace('NO', ''))).rejects.toMatchObject({ code: 'empty_document' });
});

test('what XHTML ends at once takes in nothing of what follows', async () => {
  const head = '<?xml version="1.0"?><html><head><title>T</title><script src="a.js"/></head>';
  expect((await parse(`${head}<body><p>The <a id="x"/>tide<br/>turns.</p></body></html>`)).text).toBe(
    'The tide  \nturns.',
  );
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
