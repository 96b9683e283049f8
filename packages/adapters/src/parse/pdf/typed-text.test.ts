import { expect, test } from '@jest/globals';
import { type Annotation, typedText } from './typed-text.ts';

const field = (fieldValue: unknown, more: Partial<Annotation> = {}): Annotation => ({
  subtype: 'Widget',
  fieldType: 'Tx',
  fieldValue,
  annotationFlags: 4,
  ...more,
});

test('fields are told with what they are called, each once, and text that lies over the page', () => {
  expect(
    typedText([
      field('Joan'),
      field('Joan'),
      field(' '),
      field(['Brest', 'Cork'], { fieldType: 'Ch', alternativeText: 'Port' }),
      field('', { alternativeText: 'Berth' }),
      { subtype: 'FreeText', contentsObj: { str: 'Paid in cash' } },
      { subtype: 'FreeText' },
    ]),
  ).toEqual(['Joan', 'Port: Brest, Cork', 'Paid in cash']);
});

test('what is not shown, passwords, buttons, signatures and comments are left out', () => {
  expect(
    typedText([
      field('hidden', { annotationFlags: 2 }),
      field('not on the screen', { annotationFlags: 32 }),
      field('secret', { password: true }),
      field('Yes', { fieldType: 'Btn' }),
      field(null, { fieldType: 'Sig' }),
      { subtype: 'Text', contentsObj: { str: 'Is that so?' } },
    ]),
  ).toEqual([]);
});
