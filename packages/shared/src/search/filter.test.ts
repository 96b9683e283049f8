import { expect, test } from '@jest/globals';
import type { Filter } from '../contracts/model/filter.ts';
import type { Metadata } from '../contracts/model/ids.ts';
import type { DocumentRow } from '../ports/ledger.ts';
import { compileFilter } from './filter.ts';

function row(metadata: Metadata, changes: Partial<DocumentRow> = {}): DocumentRow {
  return {
    documentId: 'handbook',
    activeVersion: 1,
    title: 'Staff handbook',
    metadata,
    mediaType: 'text/markdown',
    createdAt: '2026-03-01T12:00:00.000Z',
    chunks: 3,
    ...changes,
  };
}

const book = row({
  year: 2020,
  lang: 'en',
  draft: false,
  tags: ['a', 'b'],
  mixed: ['a', 7],
  none: [],
  due: '2026-01-01T00:00:00Z',
});

const cases: [sentence: string, filter: Filter, expected: boolean][] = [
  ['nothing asked', {}, true],
  ['an equal string', { lang: 'en' }, true],
  ['another string', { lang: 'de' }, false],
  ['an equal number', { year: 2020 }, true],
  ['an equal boolean', { draft: false }, true],
  ['the other boolean', { draft: true }, false],
  ['two keys that both hold', { lang: 'en', year: 2020 }, true],
  ['two keys of which one holds', { lang: 'en', year: 2021 }, false],

  ['$eq', { year: { $eq: 2020 } }, true],
  ['$ne of another value', { year: { $ne: 2021 } }, true],
  ['$ne of the value', { year: { $ne: 2020 } }, false],
  ['$gt below', { year: { $gt: 2019 } }, true],
  ['$gt at', { year: { $gt: 2020 } }, false],
  ['$gte at', { year: { $gte: 2020 } }, true],
  ['$lt above', { year: { $lt: 2021 } }, true],
  ['$lt at', { year: { $lt: 2020 } }, false],
  ['$lte at', { year: { $lte: 2020 } }, true],
  ['a range that holds it', { year: { $gte: 2000, $lt: 2021 } }, true],
  ['a range that does not', { year: { $gte: 2021, $lt: 2030 } }, false],
  ['strings in order', { lang: { $gt: 'de' } }, true],
  ['$in with the value', { lang: { $in: ['de', 'en'] } }, true],
  ['$in without', { lang: { $in: ['de', 'fr'] } }, false],
  ['$in of nothing', { lang: { $in: [] } }, false],
  ['$nin with the value', { lang: { $nin: ['de', 'en'] } }, false],
  ['$nin without', { lang: { $nin: ['de', 'fr'] } }, true],
  ['$nin of nothing', { lang: { $nin: [] } }, true],

  ['a missing field, equal', { absent: 'x' }, false],
  ['a missing field, $eq', { absent: { $eq: 'x' } }, false],
  ['a missing field, $ne', { absent: { $ne: 'x' } }, true],
  ['a missing field, $nin', { absent: { $nin: ['x'] } }, true],
  ['a missing field, $in', { absent: { $in: ['x'] } }, false],
  ['a missing field, $gt', { absent: { $gt: 0 } }, false],
  ['a missing field, $lte', { absent: { $lte: 0 } }, false],
  ['a missing field, $ne with $lt', { absent: { $ne: 1, $lt: 5 } }, false],
  ['an empty list is a missing field', { none: { $ne: 'x' } }, true],
  ['an empty list equals nothing', { none: 'x' }, false],
  ['an inherited property is a missing field', { constructor: { $ne: 'x' } }, true],

  ['a number is not its numeral', { year: '2020' }, false],
  ['nor is it below one', { year: { $lt: '3' } }, false],
  ['nor unequal to one: unlike types never match', { year: { $ne: '2021' } }, false],
  ['a boolean is not its name', { draft: 'false' }, false],
  ['a boolean is not zero', { draft: 0 }, false],
  ['$in of an unlike type', { year: { $in: ['2020', true] } }, false],
  ['$nin of unlike types only', { year: { $nin: ['2020'] } }, false],
  ['$nin of like and unlike types', { year: { $nin: ['2020', 2021] } }, true],

  ['a list with the value', { tags: 'b' }, true],
  ['a list without', { tags: 'c' }, false],
  ['a list by $in', { tags: { $in: ['c', 'b'] } }, true],
  ['a list matches $ne by its other value', { tags: { $ne: 'a' } }, true],
  ['a list of which all are in $nin', { tags: { $nin: ['a', 'b'] } }, false],
  ['a list of mixed types by its number', { mixed: { $gt: 5 } }, true],
  ['a list of mixed types, none in range', { mixed: { $gt: 7 } }, false],
  ['a list needs one value in the whole range', { mixed: { $gt: 7, $lt: 9 } }, false],

  ['documentId', { documentId: 'handbook' }, true],
  ['documentId $in', { documentId: { $in: ['x', 'handbook'] } }, true],
  ['documentId $ne', { documentId: { $ne: 'handbook' } }, false],
  ['title', { title: 'Staff handbook' }, true],
  ['mediaType', { mediaType: { $in: ['text/markdown'] } }, true],

  ['createdAt in another notation', { createdAt: '2026-03-01T13:00:00+01:00' }, true],
  ['createdAt without milliseconds', { createdAt: { $eq: '2026-03-01T12:00:00Z' } }, true],
  ['createdAt after a day', { createdAt: { $gte: '2026-03-01' } }, true],
  ['createdAt before a time with an offset', { createdAt: { $lt: '2026-03-01T13:30:00+02:00' } }, false],
  ['createdAt $in', { createdAt: { $in: ['2026-03-01T12:00:00Z'] } }, true],
  ['createdAt $nin', { createdAt: { $nin: ['2026-03-01T12:00:00Z'] } }, false],
  ['createdAt $ne', { createdAt: { $ne: '2026-03-01T12:00:00Z' } }, false],
  ['createdAt is no string', { createdAt: { $gt: 'a' } }, false],
  ['createdAt is unlike a number', { createdAt: { $gt: 0 } }, false],
  ['a time in metadata compares as a time', { due: { $lte: '2026-01-01T01:00:00+01:00' } }, true],

  ['$and of both', { $and: [{ lang: 'en' }, { year: { $gt: 2000 } }] }, true],
  ['$and of one', { $and: [{ lang: 'en' }, { year: { $gt: 2030 } }] }, false],
  ['$or of one', { $or: [{ lang: 'de' }, { year: 2020 }] }, true],
  ['$or of none', { $or: [{ lang: 'de' }, { year: 2021 }] }, false],
  ['nested', { $or: [{ $and: [{ lang: 'en' }, { $or: [{ tags: 'z' }, { tags: 'a' }] }] }, { year: 1 }] }, true],
];

test.each(cases)('%s: %j gives %s', (_sentence, filter, expected) => {
  expect(compileFilter(filter)(book)).toBe(expected);
});

test('a built-in hides metadata of the same name', () => {
  const shadowed = row({ title: 'mine', documentId: 'other' });
  expect(compileFilter({ title: 'mine' })(shadowed)).toBe(false);
  expect(compileFilter({ documentId: 'handbook' })(shadowed)).toBe(true);
});
