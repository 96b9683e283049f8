import type { Document } from '@semantic-memory/shared/contracts/model/document';
import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';

const words = (text: string) => new Set(text.toLowerCase().match(/[a-z0-9]+/g) ?? []);

/** Active documents that share words with the query, the most first. */
export function fakeHits(stored: { document: Document; text: string }[], query: string): SearchHit[] {
  const wanted = words(query);
  const hits = stored
    .filter(({ document }) => document.state === 'active')
    .map(({ document, text }): SearchHit => {
      const own = words(text);
      const similarity = [...wanted].filter((word) => own.has(word)).length / wanted.size;
      const first = [...wanted].map((word) => text.toLowerCase().indexOf(word)).find((index) => index >= 0) ?? 0;
      return {
        chunkId: document.sha256.slice(0, 32),
        documentId: document.id,
        version: 1,
        title: document.title,
        text,
        score: similarity,
        similarity,
        headings: [],
        span: { start: 0, end: text.length },
        highlights: [{ start: first, end: Math.min(first + 5, text.length) }],
        metadata: {},
      };
    });
  return hits.filter((hit) => hit.similarity > 0).sort((a, b) => b.score - a.score);
}
