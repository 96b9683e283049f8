import { expect, test } from '@jest/globals';
import { readSettings } from './settings.ts';

test('without an environment every mode is asked every query of the shipped sets', () => {
  expect(readSettings({}, '/shipped')).toMatchObject({
    folders: ['/shipped'],
    modes: ['dense', 'lexical', 'hybrid', 'hybrid-rerank'],
    parts: ['retrieval', 'answers', 'chunking', 'ocr'],
    maxQueries: Number.POSITIVE_INFINITY,
    resamples: 10_000,
  });
});

test('the environment chooses sets, modes, a sample, and what to compare with', () => {
  const env = {
    ...{ EVAL_SETS: 'a, b', EVAL_MODES: 'hybrid', EVAL_QUERIES: '200', EVAL_COMPARE: 'x.json,y.json' },
    EVAL_AGAINST: 'LATE_INTERACTION=off OTHER=a=b',
  };
  expect(readSettings(env, '/shipped')).toMatchObject({
    ...{ folders: ['a', 'b'], modes: ['hybrid'], maxQueries: 200, compare: ['x.json', 'y.json'] },
    against: { LATE_INTERACTION: 'off', OTHER: 'a=b' },
  });
});

test.each([
  ['EVAL_MODES', 'hybird', 'hybird'],
  ['EVAL_PARTS', 'ocr,speed', 'speed'],
  ['EVAL_QUERIES', 'many', 'EVAL_QUERIES'],
  ['EVAL_QUERIES', '0', 'EVAL_QUERIES'],
  ['EVAL_COMPARE', 'one.json', 'EVAL_COMPARE'],
  ['EVAL_AGAINST', 'rerank', 'EVAL_AGAINST'],
])('%s=%s is refused by name', (name, value, named) => {
  expect(() => readSettings({ [name]: value }, '/shipped')).toThrow(named);
});
