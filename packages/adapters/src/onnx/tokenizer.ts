import { readFileSync } from 'node:fs';
import type { Token, Tokenizer } from '@semantic-memory/shared/ports/embedder';
import { characterClass, classOf, normalised } from './character-classes.ts';
import { modelFile } from './model-card.ts';
import { WordTrie } from './word-trie.ts';

/** Longer words are one unknown token, as in the reference implementation (`max_input_chars_per_word`). */
const maxWordCharacters = 100;

/** A tokenizer that can stop early: an embedding needs the first 511 ids of a text, however long it is. */
export interface WordPieceTokenizer extends Tokenizer {
  /** @param limit stop at the end of the word in which there are this many tokens. */
  tokenize(text: string, limit?: number): Token[];
}

/**
 * BERT WordPiece over the shipped model's vocabulary. Offsets are in UTF-16 code units, and control tokens are never
 * made from text: a literal `[SEP]` is three ordinary tokens (the official libraries turn it into the separator).
 */
export function createTokenizer(): WordPieceTokenizer {
  return {
    tokenize(text, limit) {
      vocabulary ??= loadVocabulary();
      return vocabulary.tokenize(text, limit);
    },
  };
}

/** Some 20 MB: loaded by the first text, and once a process. */
let vocabulary: WordPieceTokenizer | undefined;

function loadVocabulary(): WordPieceTokenizer {
  const { model } = JSON.parse(readFileSync(modelFile('tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number>; unk_token: string; continuing_subword_prefix: string };
  };
  const { vocab, unk_token: unknown, continuing_subword_prefix: prefix } = model;
  const pieces = Object.entries(vocab).filter(([piece]) => !/^\[[A-Z]+\]$/.test(piece));
  const words = new WordTrie(pieces);
  const continuations = new WordTrie(
    pieces.filter(([piece]) => piece.startsWith(prefix)).map(([piece, id]) => [piece.slice(prefix.length), id]),
  );
  const unknownId = vocab[unknown]!;
  const word = new Word();
  return {
    tokenize(text, limit = Number.POSITIVE_INFINITY) {
      const tokens: Token[] = [];
      word.clear();
      for (let at = 0; at < text.length && tokens.length < limit; ) {
        const codePoint = text.codePointAt(at)!;
        const end = at + (codePoint > 0xffff ? 2 : 1);
        const kind = classOf(codePoint);
        if (kind === characterClass.plain) word.add(codePoint, at, end);
        else if (kind === characterClass.decomposed) word.addText(normalised(codePoint)!, at, end);
        else if (kind !== characterClass.dropped) {
          flush(tokens);
          if (kind === characterClass.alone) {
            word.addText(normalised(codePoint) ?? text.slice(at, end), at, end);
            flush(tokens);
          }
        }
        at = end;
      }
      flush(tokens);
      return tokens;
    },
  };

  /** Longest match first; a word with any part that no piece fits is unknown as a whole. */
  function flush(tokens: Token[]): void {
    if (word.characters === 0) return;
    const before = tokens.length;
    const { units, starts, ends, length } = word;
    let from = word.characters > maxWordCharacters ? -1 : 0;
    while (from >= 0 && from < length) {
      const trie = from === 0 ? words : continuations;
      let id = -1;
      let to = from;
      for (let node = trie.root, i = from; i < length; ) {
        node = trie.step(node, units[i++]!);
        if (node === 0) break;
        const found = trie.idAt(node);
        if (found >= 0) {
          id = found;
          to = i;
        }
      }
      if (id < 0) from = -1;
      else {
        tokens.push({ id, start: starts[from]!, end: ends[to - 1]! });
        from = to;
      }
    }
    if (from < 0) {
      tokens.length = before;
      tokens.push({ id: unknownId, start: word.start, end: word.end });
    }
    word.clear();
  }
}

/** The normalised word so far, each unit with the span of its character in the text. */
class Word {
  readonly units = new Uint16Array(2 * maxWordCharacters);
  readonly starts = new Uint32Array(2 * maxWordCharacters);
  readonly ends = new Uint32Array(2 * maxWordCharacters);
  length = 0;
  characters = 0;
  start = 0;
  end = 0;

  add(codePoint: number, start: number, end: number): void {
    if (this.characters === 0) this.start = start;
    this.end = end;
    this.characters += 1;
    if (this.characters > maxWordCharacters) return;
    if (codePoint > 0xffff) {
      this.#push(0xd800 + ((codePoint - 0x10000) >> 10), start, end);
      this.#push(0xdc00 + ((codePoint - 0x10000) & 0x3ff), start, end);
    } else this.#push(codePoint, start, end);
  }

  addText(text: string, start: number, end: number): void {
    for (const character of text) this.add(character.codePointAt(0)!, start, end);
  }

  clear(): void {
    this.length = 0;
    this.characters = 0;
  }

  #push(unit: number, start: number, end: number): void {
    this.units[this.length] = unit;
    this.starts[this.length] = start;
    this.ends[this.length] = end;
    this.length += 1;
  }
}
