import { Stats } from '../model/search.ts';
import { defineEndpoint } from './endpoint.ts';

export const stats = defineEndpoint({
  id: 'stats',
  method: 'get',
  path: '/stats',
  scopes: ['memory:read'],
  tag: 'stats',
  summary: 'What the memory holds, and whether every store agrees',
  responses: { 200: { description: 'The counts.', schema: Stats } },
  errors: [],
});
