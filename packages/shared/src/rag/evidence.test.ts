import { expect, test } from '@jest/globals';
import type { SearchHit } from '../contracts/model/search.ts';
import { evidenceOf, refusalText } from './evidence.ts';

const hit = (similarity: number): SearchHit => ({
  ...{ chunkId: 'c', documentId: 'd', version: 1, title: 'T', text: 'Text.', score: 1, similarity },
  ...{ headings: [], span: { start: 0, end: 5 }, highlights: [], metadata: {} },
});
const model = 'bge-small-en-v1.5-int8';

test.each([
  ['a near passage carries', 0.8, undefined, model, 'strong'],
  ['one less near is weak', 0.65, undefined, model, 'weak'],
  ['a distant one is none', 0.5, undefined, model, 'none'],
  ['where tokens tell, they count and the cosine does not', 0.5, 0.8, model, 'strong'],
  ['a little below it is weak', 0.8, 0.7, model, 'weak'],
  ['and further none', 0.8, 0.6, model, 'none'],
  ['of a model that nothing was measured of all is weak', 0.1, undefined, 'other', 'weak'],
  ['as where the model is away', 0, undefined, undefined, 'weak'],
] as const)('%s', (_rule, similarity, support, of, evidence) => {
  expect(evidenceOf([hit(0.1), hit(similarity)], of, support)).toBe(evidence);
});

test.each([
  ['what was measured for another model', 'other', 0.25, undefined, 'none'],
  ['what was measured for another model', 'other', 0.35, undefined, 'weak'],
  ['what was measured for another model', 'other', 0.45, undefined, 'strong'],
  ['nothing for a third', 'third', 0.25, undefined, 'weak'],
  ['what was measured anew for the default one', model, 0.65, undefined, 'none'],
  ['its vectors of tokens as before', model, 0.1, 0.8, 'strong'],
  ['nothing for a name that every object has', 'constructor', 0.1, undefined, 'weak'],
] as const)('what who runs the service has measured counts: %s (%s)', (_rule, of, similarity, support, evidence) => {
  const own = { other: { none: 0.3, weak: 0.4 }, [model]: { none: 0.7, weak: 0.8 } };
  expect(evidenceOf([hit(similarity)], of, support, own)).toBe(evidence);
});

test('nothing found is no evidence', () => {
  expect(evidenceOf([], model, undefined)).toBe('none');
});

test('a refusal names the words of the question that no passage has, where there are such', () => {
  const lighthouse = { ...hit(0.1), title: 'Lights', text: 'The lamp turns at night.' };
  expect(refusalText('Who turns the lamp?', [lighthouse])).toMatch(/close enough to the question\.$/);
  expect(refusalText('Who paints the lamp?', [lighthouse])).toMatch(/mentions: paints\.$/);
  expect(refusalText('Who?', [])).toMatch(/nothing that could be searched/);
});
