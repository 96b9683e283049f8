import type { Citation } from '../contracts/model/answer.ts';
import type { Span } from '../contracts/model/ids.ts';
import type { SearchHit } from '../contracts/model/search.ts';
import { splitSentences } from '../search/sentences.ts';
import { plainText } from './plain-text.ts';

/** A sentence of a passage that was retrieved. */
export interface SourceSentence {
  readonly hit: SearchHit;
  /** In the document's text. */
  readonly span: Span;
  /** The document's own characters at `span`. */
  readonly quote: string;
  /** For reading and comparing. */
  readonly text: string;
}

export function sentencesOf(hit: SearchHit): SourceSentence[] {
  return splitSentences(hit.text).map((span) => {
    const quote = hit.text.slice(span.start, span.end);
    const place = { start: hit.span.start + span.start, end: hit.span.start + span.end };
    return { hit, span: place, quote, text: plainText(quote) };
  });
}

/** The sentences of all passages; passages of a document overlap, so each place is there once, in its first passage. */
export function distinctSentences(hits: readonly SearchHit[]): SourceSentence[] {
  const seen = new Set<string>();
  return hits.flatMap(sentencesOf).filter(({ hit, span }) => {
    const place = `${hit.documentId} ${hit.version} ${span.end}`;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

export function citationOf(marker: number, sentence: SourceSentence): Citation {
  const { hit, span, quote } = sentence;
  // Of a hit with neighbours the page is of its best chunk.
  const chunk = hit.chunks?.find((part) => part.span.start <= span.start && span.start < part.span.end);
  const page = chunk ? chunk.page : hit.page;
  return {
    marker: `[${marker}]`,
    chunkId: hit.chunkId,
    documentId: hit.documentId,
    ...(page === undefined ? {} : { page }),
    span,
    quote,
  };
}
