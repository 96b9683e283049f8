import { expect, test } from '@jest/globals';
import { documentPrefix } from '../ingest/stored/blob-keys.ts';
import { createInMemoryFlow } from '../testing/in-memory-flow.ts';
import { createDocumentTable } from './document-table.ts';
import { createLateInteraction } from './late-interaction/late-interaction.ts';
import { createTokenVectorReader } from './late-interaction/token-vectors.ts';
import { search } from './search.ts';

const garbage = new TextEncoder().encode('{"');

const requests = [
  { mode: 'hybrid' as const },
  { mode: 'hybrid' as const, query: '"the text" of two', explain: true, perDocument: 1 },
  { mode: 'hybrid' as const, rerank: true, neighbours: 2 },
  { mode: 'dense' as const, diversity: 0.5 },
  { mode: 'dense' as const, neighbours: 1, rerank: true },
  { mode: 'lexical' as const, neighbours: 1 },
  { mode: 'lexical' as const, rerank: true },
];

test.each(['whole', 'lacks the document', 'away'])(
  'whatever of one document cannot be read, a search finds the others (index %s)',
  async (index) => {
    const failures: string[] = [];
    const probe = createInMemoryFlow({ lateInteraction: true });
    await probe.ingest('x', { documentId: 'two' });
    await probe.drain();
    const keys = [...probe.blobs.blobs.keys()].filter((key) => key.startsWith(documentPrefix('acme', 'two')));
    for (const damaged of keys) {
      const flow = createInMemoryFlow({ lateInteraction: true });
      for (const documentId of ['one', 'two', 'three']) {
        await flow.ingest(`The text of ${documentId}.`, { documentId });
        await flow.drain();
      }
      const { embeddingModel: model } = flow.deps;
      if (index === 'lacks the document') {
        await flow.vectors.removeDocument({ tenant: 'acme', namespace: 'default', model }, 'two');
      }
      flow.vectors.unavailable = index === 'away';
      await flow.blobs.put(damaged, garbage);
      const tokenVectors = createTokenVectorReader({ blobs: flow.blobs, maxBytes: 1e6 });
      const deps = {
        ...flow.deps,
        table: createDocumentTable({ ledger: flow.ledger }),
        versionRetentionMs: 1e9,
        tokenVectors,
        reranker: createLateInteraction(tokenVectors),
      };
      for (const request of requests) {
        const whole = { query: 'text of two', namespace: 'default', topK: 10, highlight: true, ...request };
        const found = await search(deps, 'acme', whole).then(
          ({ hits }) => hits.map(({ documentId }) => documentId),
          (error) => [String(error)],
        );
        if (!found.includes('one')) failures.push(`${damaged.split('/').at(-1)} ${JSON.stringify(request)}: ${found}`);
      }
    }
    expect(failures).toEqual([]);
  },
);
