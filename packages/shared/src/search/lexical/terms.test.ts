import { expect, test } from '@jest/globals';
import { queryTerms } from './score.ts';
import { lexicalEntry, prefixOf, stemOf, termsOf, wordsOf } from './terms.ts';

test('words are in lower case and the compatibility form, whatever script they are in', () => {
  expect(wordsOf('The ﬁnal Straße, naïve CAFÉ №7!')).toEqual(['the', 'final', 'strasse', 'naïve', 'café', 'no7']);
  expect(wordsOf('Привет, мир — سلام')).toEqual(['привет', 'мир', 'سلام']);
  expect(wordsOf('')).toEqual([]);
});

test('scripts without spaces become pairs of characters, and words between them stay whole', () => {
  expect(wordsOf('東京都2026年')).toEqual(['東京', '京都', '2026', '年']);
  expect(wordsOf('Linuxの設定')).toEqual(['linux', 'の設', '設定']);
  expect(wordsOf('海')).toEqual(['海']);
});

test('words of one stem meet, and so do words of one beginning', () => {
  expect(['connect', 'connected', 'connections'].map(stemOf)).toEqual(['connect', 'connect', 'connect']);
  expect(['organización', 'organizaciones'].map(prefixOf)).toEqual(['organ', 'organ']);
  expect(stemOf('err_ssl_42')).toBe('err_ssl_42');
});

test('a word is found exactly by its stem, and by its beginning without its marks or clitics too', () => {
  expect(termsOf('naïveté').terms).toEqual(['snaïveté', 'pnaive']);
  expect(termsOf('والجامعات').terms).toEqual(['sجامع', 'pجامع']);
  expect(termsOf('Đường').terms).toEqual(['sđường', 'pđường']);
  expect(termsOf("L'Île d’Yeu").terms.filter((term) => term.startsWith('s'))).toEqual(['sl', 'sîle', 'sd', 'syeu']);
});

test('an alphabet without spaces has fours of characters too, by which longer words are looked for', () => {
  const thai = termsOf('ภาษาไทย').terms;
  expect(thai).toEqual(expect.arrayContaining(['uภา', 'qภาษา', 'qาษาไ', 'qาไทย', 'cภ']));
  expect(queryTerms('ภาษาไทย').map(({ term }) => term)).toEqual(['qภาษา', 'qาษาไ', 'qษาไท', 'qาไทย']);
  expect(queryTerms('ไทย').map(({ term }) => term)).toEqual(['uไท', 'uทย']);
  expect(queryTerms('東京都庁舎').every(({ term }) => term.startsWith('u'))).toBe(true);
  for (const text of ['ພາສາລາວ', 'ភាសាខ្មែរ', 'မြန်မာဘာသာ'])
    expect(termsOf(text).terms.some((term) => term.startsWith('q'))).toBe(true);
});

test('of a long query in such an alphabet fours at even distances are looked for', () => {
  const query = 'ประเทศไทยมีเมืองหลวงชื่อว่ากรุงเทพมหานครซึ่งเป็นเมืองที่ใหญ่ที่สุดของประเทศ';
  const fours = queryTerms(query).filter(({ term }) => term.startsWith('q'));
  expect(fours.length).toBeGreaterThan(20);
  expect(fours.length).toBeLessThanOrEqual(50);
  expect(query.normalize('NFKC').slice(-8)).toContain(fours.at(-1)?.term.slice(1));
});

test('an identifier is a term of its own beside its parts', () => {
  const { terms } = termsOf('See ERR_SSL_42, INV-2026-00417 or 10.0.3.7; not well-known.');
  expect(terms.filter((term) => term.startsWith('i'))).toEqual(['ierr_ssl_42', 'iinv-2026-00417', 'i10.0.3.7']);
  expect(terms).toContain('s2026');
});

test('pairs of characters are terms once, and every character is one that only a lone one asks for', () => {
  const { terms } = termsOf('東京都2026年度');
  expect(terms).toEqual(['u東京', 'u京都', 's2026', 'p2026', 'u年度', 'c東', 'c京', 'c都', 'c年', 'c度']);
  expect(queryTerms('東京').map(({ term, weight }) => [term, weight])).toEqual([['u東京', 1]]);
  expect(queryTerms('年').map(({ term, weight }) => [term, weight])).toEqual([['c年', 1]]);
  expect(queryTerms('2026 年').map(({ term }) => term)).toEqual(['s2026', 'p2026', 'u年']);
});

test('a title counts twice, in terms and in length', () => {
  const { terms, length } = lexicalEntry('Sea charts', 'The sea.');
  expect(terms.get('ssea')).toBe(3);
  expect(terms.get('pchart')).toBe(2);
  expect(length).toBe(6);
  expect(lexicalEntry('', '…').length).toBe(1);
});

test('a long line without a space is one short term', () => {
  const { terms } = termsOf('x'.repeat(100_000));
  expect(Math.max(...terms.map((term) => term.length))).toBeLessThan(70);
});
