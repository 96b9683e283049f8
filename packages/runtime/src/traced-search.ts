import type { LexicalIndex } from '@semantic-memory/shared/ports/lexical-index';
import type { Reranker } from '@semantic-memory/shared/ports/reranker';
import { inSpan } from './tracing.ts';

/** Spans around the search by words. https://opentelemetry.io/docs/specs/semconv/database/database-spans/ */
export function traceLexicalIndex(index: LexicalIndex): LexicalIndex {
  const call = <Result>(operation: string, work: () => Promise<Result>) =>
    inSpan(
      `redis ${operation}`,
      { kind: 'client', attributes: { 'db.system.name': 'redis', 'db.operation.name': operation } },
      work,
    );
  return {
    ...index,
    prepare: (scope, chunks) => call('write_postings', () => index.prepare(scope, chunks)),
    rank: (scope, query) => call('rank_words', () => index.rank(scope, query)),
    score: (scope, terms, chunks) => call('score_words', () => index.score(scope, terms, chunks)),
  };
}

/** A span around the second look, which reads token vectors or asks an endpoint. */
export function traceReranker(reranker: Reranker): Reranker {
  return {
    ...reranker,
    rerank: (query, passages, signal) =>
      inSpan('rerank', { attributes: { 'semantic_memory.passages': passages.length } }, () =>
        reranker.rerank(query, passages, signal),
      ),
  };
}
