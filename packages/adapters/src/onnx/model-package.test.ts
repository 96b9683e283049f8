import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import { modelFile, readModelCard } from './model-card.ts';

const directory = dirname(modelFile('model-card.json'));
const sums = readFileSync(join(directory, 'SHA256SUMS'), 'utf8').trim().split('\n');

test.each(sums.map((line) => line.split(/\s+/) as [string, string]))('carries %s  %s', (sum, file) => {
  const bytes = readFileSync(join(directory, file));
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(sum);
});

test('has a card that agrees with the reference vectors', () => {
  const reference = JSON.parse(readFileSync(modelFile('reference-vectors.json'), 'utf8'));
  const card = readModelCard();
  expect(card).toMatchObject({
    name: 'bge-small-en-v1.5-int8',
    dimension: reference.dimensions,
    maxTokens: reference.maxTokens,
    queryPrefix: reference.queryPrefix,
  });
  const { vocab } = JSON.parse(readFileSync(modelFile('tokenizer.json'), 'utf8')).model;
  expect([card.clsTokenId, card.sepTokenId]).toEqual([vocab['[CLS]'], vocab['[SEP]']]);
  expect(card.vocabularySize).toBe(Object.keys(vocab).length);
});

test('exports each of its files', () => {
  const { exports } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  for (const path of Object.values(exports) as string[])
    expect(readFileSync(join(directory, path)).length).toBeGreaterThan(0);
});
