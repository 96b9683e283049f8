import type { VectorIndex } from '@semantic-memory/shared/ports/vector-index';
import { inSpan } from './tracing.ts';

/** Spans around what takes time in the vector index. https://opentelemetry.io/docs/specs/semconv/database/database-spans/ */
export function traceVectorIndex(index: VectorIndex): VectorIndex {
  const call = <Result>(operation: string, records: number | undefined, work: () => Promise<Result>) =>
    inSpan(
      `chroma ${operation}`,
      {
        kind: 'client',
        attributes: {
          'db.system.name': 'chroma',
          'db.operation.name': operation,
          ...(records === undefined ? {} : { 'db.operation.batch.size': records }),
        },
      },
      work,
    );
  return {
    ...index,
    addMissing: (key, records) => call('upsert', records.length, () => index.addMissing(key, records)),
    replace: (key, records) => call('upsert', records.length, () => index.replace(key, records)),
    query: (key, query) => call('query', undefined, () => index.query(key, query)),
    present: (key, ids) => call('get', ids.length, () => index.present(key, ids)),
    vectorsOf: (key, ids) => call('get', ids.length, () => index.vectorsOf(key, ids)),
    removeDocument: (key, documentId, which) =>
      call('delete', undefined, () => index.removeDocument(key, documentId, which)),
  };
}
