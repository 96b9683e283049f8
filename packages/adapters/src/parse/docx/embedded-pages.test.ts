import { expect, test } from '@jest/globals';
import { withPages, withPlaces } from './embedded-pages.ts';

const relation = (id: string, target: string) => `<Relationship Target="${target}" Type="x/aFChunk" Id="${id}"/>`;

/** What a page becomes that a document takes in between two words. */
function taken(name: string, page: string | Buffer) {
  const xml = withPlaces('one <w:altChunk r:id="r7"/> two');
  const text = xml.replace(/<[^>]+>/g, '');
  const read = (wanted: string) =>
    wanted === 'word/page.mht' || wanted === 'word/a.html' ? Buffer.from(page) : undefined;
  return withPages(text, `<Relationships>${relation('r1', 'styles.xml')}${relation('r7', name)}`, read);
}

test('a place is a paragraph of its own, whatever else is said of it', () => {
  const paragraph = '<w:p><w:r><w:t>\ue000r7\ue001</w:t></w:r></w:p>';
  expect(withPlaces('<w:altChunk r:id="r7"/>')).toBe(paragraph);
  expect(withPlaces('<w:altChunk xmlns:r="x" r:id="r7"><w:altChunkPr/></w:altChunk>')).toBe(
    `${paragraph}<w:altChunkPr/>`,
  );
});

test('a page of HTML is told in its place, once, wherever its part is named from', () => {
  for (const name of ['a.html', '/word/a.html']) {
    expect(taken(name, '<h1>Tides</h1><p>high</p>')).toEqual({ text: 'one # Tides\n\nhigh two', unread: [] });
  }
  const twice = withPages('\ue000r7\ue001 \ue000r7\ue001', relation('r7', 'a.htm'), () => Buffer.from('<p>tide</p>'));
  expect(twice).toEqual({ text: 'tide ', unread: [] });
});

test.each([
  ['quoted-printable', 'Content-Transfer-Encoding: quoted-printable', '<p>caf=C3=A9 at =\r\nnoon</p>'],
  ['base64', 'content-transfer-encoding: base64', Buffer.from('<p>café at noon</p>').toString('base64')],
  ['bare', 'X-Other: 1', '<p>café at noon</p>'],
])('a page in an archive is read where it is %s', (_, encoding, body) => {
  const head = 'MIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n  type="text/html"; boundary="--b"';
  const picture = 'Content-Type: image/png\r\n\r\nAAAA';
  const page = `Content-Type: text/html;\r\n charset="utf-8"\r\n${encoding}\r\n\r\n${body}\r\n`;
  expect(taken('page.mht', `${head}\r\n\r\n----b\r\n${picture}\r\n----b\r\n${page}\r\n----b--`).text).toBe(
    'one café at noon two',
  );
});

test('files of other formats, and those that are not there, are named', () => {
  expect(taken('chunk.rtf', '')).toEqual({ text: 'one  two', unread: ['chunk.rtf'] });
  expect(taken('lost.html', '')).toEqual({ text: 'one  two', unread: ['lost.html'] });
  expect(withPages('\ue000r9\ue001', '<Relationship Id="r9"/><Relationship Target="x"/>', () => undefined)).toEqual({
    text: '',
    unread: [],
  });
});
