import { unspacedScripts } from './scripts.ts';

/*
 * Names that people look for as they stand: `ERR_SSL_42:x`, `INV-2026-00417`, `jane@example.com`, `report.pdf`,
 * `/etc/nginx/nginx.conf`, `v1.2.3`, `https://example.com/a?x=1`. Each is a term whole, so are its pieces that are such
 * names themselves (`nginx.conf`), and its words are words as everywhere.
 */

/** Not of scripts that write no spaces, nor Korean: there words stand right beside a name. */
const character = `[[\\p{L}\\p{N}]--[${unspacedScripts}\\p{Script=Hangul}]]`;
const part = `${character}+`;
/** A name begins where a word does: tried from each of its letters, a word of 8,000 takes a fifth of a second. */
const begin = `(?<!${character})`;
/** Between the parts of a piece. */
const weak = '(?:_+|[\\-.+])';
/** Between parts and pieces. */
const joint = '(?::[\\/\\\\]{1,2}|::|\\/\\.|_+|[\\-.+\\/:#@?&=%~\\\\])';
const whole = new RegExp(`${begin}${part}(?:${joint}${part})+`, 'gv');
const piece = new RegExp(`${begin}${part}(?:${weak}${part})+`, 'gv');

/**
 * What tells a name from words that are joined in passing (`well-known`, `and/or`, `e.g.`): a digit, a sign that joins
 * no words, a dot between words, or a path of several folders.
 */
const telling = /[\p{N}_@\\]|:\/\/|::|\p{L}{2}\.\p{L}|\/.*\//u;

/** Longer ones are data, not names; their pieces and words are looked for all the same. */
const maxLength = 256;

/** Quick, and never wrong where it says no. */
export const mayHaveIdentifiers = (text: string): boolean => /[\p{N}_@\\/]|::|\p{L}\.\p{L}/u.test(text);

export interface IdentifierMatch {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/** The names in a text, each before its pieces. */
export function* identifiersIn(text: string): Generator<IdentifierMatch> {
  for (const { 0: found, index } of text.matchAll(whole)) {
    const isName = telling.test(found);
    if (isName && found.length <= maxLength) yield { text: found, start: index, end: index + found.length };
    for (const { 0: inner, index: at } of found.matchAll(piece)) {
      if (inner.length === found.length || inner.length > maxLength || !telling.test(inner)) continue;
      yield { text: inner, start: index + at, end: index + at + inner.length };
    }
  }
}

/** @param text in lower case and the compatibility form */
export const identifierTerms = (text: string): string[] => Array.from(identifiersIn(text), (found) => found.text);
