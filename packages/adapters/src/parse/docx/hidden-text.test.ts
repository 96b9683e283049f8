import { expect, test } from '@jest/globals';
import { withHiddenText } from './hidden-text.ts';

const run = (text: string) => `<w:r><w:t>${text}</w:t></w:r>`;
/** The text of all runs. */
const textOf = (xml: string) =>
  [...withHiddenText(xml).matchAll(/<w:t(?: [^>]*)?>([^<]*)/g)].map(([, t]) => t).join('');

test('an ordinary paragraph stays as it is', () => {
  const xml = `<w:p>${run('The tide.')}</w:p>`;
  expect(withHiddenText(xml)).toBe(xml);
});

test('simple fields are opened', () => {
  expect(withHiddenText(`<w:fldSimple w:instr=" PAGE ">${run('12')}</w:fldSimple>`)).toBe(run('12'));
});

test('runs with a direction of their own are opened', () => {
  expect(withHiddenText(`<w:dir w:val="ltr"><w:bdo w:val="rtl">${run('tide')}</w:bdo></w:dir>`)).toBe(run('tide'));
});

test('tabs and breaks that would join words become tabs', () => {
  const breaks = '<w:cr/><w:ptab w:alignment="right" w:relativeTo="margin"/><w:br w:clear="all" w:type="page"/>';
  expect(withHiddenText(`${breaks}<w:br w:type="column"/>`)).toBe('<w:tab/>'.repeat(4));
  for (const line of ['<w:br/>', '<w:br w:type="textWrapping"/>']) expect(withHiddenText(line)).toBe(line);
});

test('of ruby the base stays, and one without a base leaves nothing', () => {
  const ruby = (base: string) => `<w:r><w:ruby><w:rt>${run('とうきょう')}</w:rt>${base}</w:ruby></w:r>`;
  expect(textOf(ruby(`<w:rubyBase>${run('東京')}</w:rubyBase>`))).toBe('東京');
  expect(textOf(ruby(''))).toBe('');
  expect(textOf(ruby('<w:rubyBase></w:rubyBase>'))).toBe('');
});

test('formulas become runs, each and also those in paragraphs of their own', () => {
  const formula = '<m:oMath><m:r><m:t>E</m:t></m:r><m:r><m:t xml:space="preserve">=mc²</m:t></m:r></m:oMath>';
  expect(textOf(`${run('Energy ')}${formula}${run(' and ')}<m:oMathPara>${formula}</m:oMathPara>`)).toBe(
    'Energy E=mc² and E=mc²',
  );
  expect(withHiddenText('<m:oMath></m:oMath>')).toBe('');
});

test('what is opened and never closed stays as it is', () => {
  const xml = `<m:oMath><m:t>x</m:t></m:oMath><m:oMath>${run('rest')}`;
  expect(withHiddenText(xml)).toBe(`<w:r><w:t xml:space="preserve">x</w:t></w:r><m:oMath>${run('rest')}`);
});
