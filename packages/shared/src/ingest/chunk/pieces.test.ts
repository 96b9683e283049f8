import { expect, test } from '@jest/globals';
import type { Tokenizer } from '../../ports/embedder.ts';
import { piecesOf } from './pieces.ts';

/** A token a word, however long it is. */
const byWord: Tokenizer = {
  tokenize: (text) =>
    Array.from(text.matchAll(/\S+/g), ({ 0: word, index }) => ({ id: 1, start: index, end: index + word.length })),
};

test('a word that is longer than any is cut by characters, and never within one of two units', () => {
  const text = `a${'😀'.repeat(4000)}`;
  const pieces = [...piecesOf(text, { start: 0, end: text.length }, byWord)];
  expect(pieces.length).toBeGreaterThan(1);
  const parts = pieces.map(({ start, end }) => text.slice(start, end));
  expect(parts.join('')).toBe(text);
  for (const part of parts) expect(part.isWellFormed()).toBe(true);
});

test('a text without any blank space is handed to the tokenizer in windows that cut no character', () => {
  const text = `a${'😀'.repeat(10_000)}`;
  const windows: string[] = [];
  const watched: Tokenizer = {
    tokenize(window) {
      windows.push(window);
      return byWord.tokenize(window);
    },
  };
  const pieces = [...piecesOf(text, { start: 0, end: text.length }, watched)];
  expect(windows.length).toBeGreaterThan(1);
  for (const window of windows) expect(window.isWellFormed()).toBe(true);
  expect(pieces.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
});
