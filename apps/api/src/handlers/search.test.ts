import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { SearchResponse } from '@semantic-memory/shared/contracts/model/search';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await startTestApi();
});
afterEach(() => api.close());

async function found(request: object): Promise<string[]> {
  const answer = (await (await api.post('/search', request)).json()) as SearchResponse;
  return answer.hits.map((hit) => hit.documentId).sort();
}

test('what a query has in quotes is in every hit, whatever the mode', async () => {
  await api.ingested('Spring tides rise twice a day.', { documentId: 'spring' });
  await api.ingested('In spring the days grow, and tides rise as ever.', { documentId: 'days' });
  for (const mode of ['hybrid', 'dense', 'lexical']) {
    expect(await found({ query: 'when do spring tides rise', mode })).toEqual(['days', 'spring']);
    expect(await found({ query: 'when do "Spring Tides" rise', mode })).toEqual(['spring']);
    expect(await found({ query: '“tides spring”', mode })).toEqual([]);
  }
});
