import { expect, test } from '@jest/globals';
import { filenameOf, mediaTypeOf } from './response-facts.ts';

test('the media type keeps its charset and no other parameter', () => {
  expect(mediaTypeOf('Text/HTML; level=1; Charset="Windows-1251"; x=y')).toBe('text/html; charset=windows-1251');
  expect(mediaTypeOf('application/pdf; qs=0.001')).toBe('application/pdf');
  expect(mediaTypeOf(null)).toBeUndefined();
  expect(mediaTypeOf('nonsense')).toBeUndefined();
});

test.each([
  ['attachment; filename="report.pdf"', 'report.pdf'],
  ['attachment; filename=report.pdf; size=1', 'report.pdf'],
  [`attachment; filename="x.pdf"; filename*=UTF-8''%E6%97%A5%20%C3%A9.pdf`, '日 é.pdf'],
  ['attachment; filename="../../etc/passwd"', 'passwd'],
  ['attachment; filename="C:\\\\temp\\\\a.txt"', 'a.txt'],
  ['attachment; filename="say \\"hi\\".txt"', 'say "hi".txt'],
  ['attachment; filename=".."', 'last.md'],
  ['inline', 'last.md'],
  [null, 'last.md'],
])('the file name of %j is %s', (header, name) => {
  expect(filenameOf(header, new URL('https://example.org/a/last.md?x=/y'))).toBe(name);
});

test('an address without a last part gives no name', () => {
  expect(filenameOf(null, new URL('https://example.org/'))).toBeUndefined();
  expect(filenameOf(null, new URL('https://example.org/%FF'))).toBeUndefined();
  expect(filenameOf(null, new URL('https://example.org/a%2F..%2Fb%00.md'))).toBe('b.md');
});
