import { expect, test } from '@jest/globals';
import { blocksOf } from './blocks.ts';

test.each([
  ['Guide\n=====', 1],
  ['Guide\n-----', 2],
])('the line over a rule is a heading: %j', (text, level) => {
  expect([...blocksOf(text)]).toEqual([{ kind: 'heading', start: 0, end: text.length, level, title: 'Guide' }]);
});
