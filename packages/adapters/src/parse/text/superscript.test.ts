import { expect, test } from '@jest/globals';
import { superscript } from './superscript.ts';

test('digits and signs are raised, with the blanks around them', () => {
  expect(['6', ' 12 ', '-1', '\u22121', '2+'].map(superscript)).toEqual(['⁶', ' ¹² ', '⁻¹', '⁻¹', '²⁺']);
});

test('what is more than digits and signs stays', () => {
  expect(['nd', '[1]', '*', '', '1,2'].map(superscript)).toEqual(['nd', '[1]', '*', '', '1,2']);
});
