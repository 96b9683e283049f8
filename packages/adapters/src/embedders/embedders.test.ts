import { expect, test } from '@jest/globals';
import { startOpenaiServer } from '@semantic-memory/shared/testing/openai-server';
import { createEmbedders, localModel } from './embedders.ts';

test('each model has one embedder, and none is started before its first use', async () => {
  const embedders = createEmbedders({ processes: 1 });
  const local = embedders.embedderFor(localModel);
  expect(embedders.embedderFor(localModel)).toBe(local);
  expect(local).toMatchObject({ model: localModel, pids: [] });
  await embedders.close();
});

test('a model that nobody was configured to serve is away, with a hint, not unknown', () => {
  const { embedderFor } = createEmbedders({ processes: 1 });
  expect(() => embedderFor('words-64')).toThrow(
    expect.objectContaining({ code: 'dependency_unavailable', hint: expect.stringContaining('OPENAI_BASE_URL') }),
  );
});

test('any other model is asked of the endpoint, which is reached with the first text', async () => {
  const server = await startOpenaiServer();
  const embedders = createEmbedders({ processes: 1, openai: { apiKey: 'key', baseUrl: server.url } });
  try {
    const embedder = embedders.embedderFor('words-64');
    expect(server.requests.length).toBe(0);
    const [vector] = await embedder.embedPassages(['a lamp at sea']);
    expect(vector?.length).toBe(64);
    expect(embedder.dimension).toBe(64);
  } finally {
    await embedders.close();
    await server.close();
  }
});
