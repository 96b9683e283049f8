import { afterAll, expect, test } from '@jest/globals';
import { ChromaClient, Knn, Schema, Search, SparseVectorIndexConfig } from 'chromadb';

/*
 * What a server of one node refuses of sparse vectors: why words are in Redis (docs/adr/0018). Where one of these fails, that
 * decision is to be looked at again.
 */

const client = new ChromaClient({
  host: process.env.TEST_CHROMA_HOST ?? '127.0.0.1',
  port: Number(process.env.TEST_CHROMA_PORT),
});
const name = `sparse-${process.pid}-${Date.now()}`;

afterAll(async () => {
  await client.deleteCollection({ name });
});

test('the local server has no index of sparse vectors, takes none, and does not search', async () => {
  const schema = new Schema();
  schema.createIndex(new SparseVectorIndexConfig({ bm25: true }), 'words');
  await expect(client.createCollection({ name: `${name}-index`, schema, embeddingFunction: null })).rejects.toThrow(
    'Sparse vector indexing is not enabled',
  );
  const collection = await client.createCollection({ name, embeddingFunction: null });
  const words = { indices: [1, 5], values: [1, 2] };
  await expect(collection.add({ ids: ['a'], embeddings: [[1, 0]], metadatas: [{ words }] })).rejects.toThrow(
    'Sparse vector is not supported',
  );
  await collection.add({ ids: ['b'], embeddings: [[1, 0]], documents: ['text'] });
  await expect(collection.search(new Search().rank(Knn({ query: [1, 0] })).limit(1))).rejects.toThrow(
    'not implemented',
  );
});
