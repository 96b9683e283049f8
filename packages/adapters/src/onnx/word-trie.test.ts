import { expect, test } from '@jest/globals';
import { WordTrie } from './word-trie.ts';

function idOf(trie: WordTrie, word: string): number {
  let node = trie.root;
  for (let at = 0; at < word.length && node !== 0; at += 1) node = trie.step(node, word.charCodeAt(at));
  return node === 0 ? -1 : trie.idAt(node);
}

test('knows each piece, and nothing else', () => {
  const trie = new WordTrie([
    ['light', 0],
    ['lighthouse', 1],
    ['lamp', 2],
  ]);
  expect(['light', 'lighthouse', 'lamp', 'lights', 'li', 'sea'].map((word) => idOf(trie, word))).toEqual([
    0, 1, 2, -1, -1, -1,
  ]);
});

test('a vocabulary of more letters than it holds is refused', () => {
  const letters = Array.from({ length: 3000 }, (_, at) => [String.fromCharCode(0x4e00 + at), at] as const);
  expect(idOf(new WordTrie(letters.slice(0, 2000)), letters[1999]![0])).toBe(1999);
  expect(() => new WordTrie(letters)).toThrow(RangeError);
});
