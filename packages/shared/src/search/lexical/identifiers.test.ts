import { expect, test } from '@jest/globals';
import { identifierTerms, mayHaveIdentifiers } from './identifiers.ts';

test.each([
  ['write to jane.doe@example.com.', ['jane.doe@example.com', 'jane.doe', 'example.com']],
  ['see report_final.pdf, and main.c', ['report_final.pdf', 'main.c']],
  ['it says err_ssl_42:x', ['err_ssl_42:x', 'err_ssl_42']],
  ['in /etc/nginx/nginx.conf', ['etc/nginx/nginx.conf', 'nginx.conf']],
  ['c:\\users\\jane\\notes.txt', ['c:\\users\\jane\\notes.txt', 'notes.txt']],
  ['v1.2.3 or 1.0.0-rc.1+build5', ['v1.2.3', '1.0.0-rc.1+build5']],
  ['https://example.com/a/b.html?x=1&y=2', ['https://example.com/a/b.html?x=1&y=2', 'example.com']],
  ['std::vector and user_id', ['std::vector', 'user_id']],
  ['错误err_ssl_42发生', ['err_ssl_42']],
  ['err_ssl_42에서 오류', ['err_ssl_42']],
  ['from 10.0.3.7:8080', ['10.0.3.7:8080', '10.0.3.7']],
])('in “%s” the names are %j', (text, names) => {
  expect(identifierTerms(text)).toEqual(names);
  expect(mayHaveIdentifiers(text)).toBe(true);
});

test.each(['a well-known fact', 'and/or', 'e.g. this', 'the end. The next', 'what?yes', 'at&t', 'wait...what'])(
  '“%s” has no names',
  (text) => {
    expect(identifierTerms(text)).toEqual([]);
  },
);

test('what is too long for a name is looked for by its pieces', () => {
  const text = `${'a1-b2/'.repeat(100)}end.txt`;
  const names = identifierTerms(text);
  expect(Math.max(...names.map((name) => name.length))).toBeLessThan(10);
  expect(names.at(-1)).toBe('end.txt');
});
