import { z } from 'zod';
import { SearchRequest, SearchResponse } from '../model/search.ts';
import { defineEndpoint } from './endpoint.ts';

export const SearchBatchRequest = z
  .strictObject({ queries: z.array(SearchRequest).min(1, 'is empty').max(100, 'has more than 100') })
  .meta({ id: 'SearchBatchRequest' });
export const SearchBatchResponse = z
  .object({ results: z.array(SearchResponse) })
  .meta({ id: 'SearchBatchResponse', description: 'In the order of the queries.' });

const errors = ['request_too_large', 'unsupported_media_type', 'unprocessable'] as const;

export const search = defineEndpoint({
  id: 'search',
  method: 'post',
  path: '/search',
  scopes: ['memory:read'],
  tag: 'search',
  summary: 'Find passages',
  body: SearchRequest,
  responses: { 200: { description: 'The hits, best first.', schema: SearchResponse } },
  errors,
  examples: [
    { summary: 'A question', request: { query: 'how often is high tide?', topK: 5, filter: { year: { $gte: 2020 } } } },
  ],
});

export const searchBatch = defineEndpoint({
  id: 'searchBatch',
  method: 'post',
  path: '/search/batch',
  scopes: ['memory:read'],
  tag: 'search',
  summary: 'Many searches at once',
  body: SearchBatchRequest,
  responses: { 200: { description: 'The answers.', schema: SearchBatchResponse } },
  errors,
  examples: [{ summary: 'Two queries', request: { queries: [{ query: 'high tide' }, { query: 'low tide' }] } }],
});
