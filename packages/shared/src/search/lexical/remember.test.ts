import { expect, test } from '@jest/globals';
import { remember } from './remember.ts';

test('what was made is given again, until there is too much of it', () => {
  const made: string[] = [];
  const give = remember((name) => {
    made.push(name);
    return name.toUpperCase();
  }, 2);
  expect(['a', 'b', 'a', 'b'].map(give)).toEqual(['A', 'B', 'A', 'B']);
  expect(made).toEqual(['a', 'b']);
  expect(['c', 'c', 'a'].map(give)).toEqual(['C', 'C', 'A']);
  expect(made).toEqual(['a', 'b', 'c', 'a']);
});
