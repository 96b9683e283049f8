import type { Tokenizer } from '../../ports/embedder.ts';
import { maxHeadingsTokens, maxTableHeaderTokens, maxTitleTokens, modelTokens } from './limits.ts';

/** No title or heading is read further than this. */
const maxCharacters = 2000;

export interface EmbedParts {
  readonly title: string;
  readonly headings: readonly string[];
  /** For rows that are cut from their table. */
  readonly tableHeader?: string | undefined;
  readonly body: string;
}

/** What is embedded for a chunk: title, headings, a table's header, text, a line each. Always fits the model. */
export function embedTextOf(tokenizer: Tokenizer, { title, headings, tableHeader, body }: EmbedParts): string {
  const lines = [
    title === headings[0] ? '' : cutToTokens(tokenizer, title, maxTitleTokens),
    cutToTokens(tokenizer, headings.join(' > '), maxHeadingsTokens),
    tableHeader === undefined ? '' : cutToTokens(tokenizer, tableHeader, maxTableHeaderTokens),
    body,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

/** What is embedded for a text that stays whole. The title gives way to the text. */
export function wholeEmbedText(tokenizer: Tokenizer, title: string, body: string, bodyTokens: number): string {
  const room = Math.min(maxTitleTokens, modelTokens - 2 - bodyTokens);
  return [cutToTokens(tokenizer, title, room), body].filter((line) => line !== '').join('\n');
}

function cutToTokens(tokenizer: Tokenizer, text: string, maxTokens: number): string {
  const beginning = text.trim().slice(0, maxCharacters);
  const next = tokenizer.tokenize(beginning)[maxTokens];
  return next === undefined ? beginning : beginning.slice(0, next.start).trimEnd();
}
