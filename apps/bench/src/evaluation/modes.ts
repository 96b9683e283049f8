import type { SearchInput } from '@semantic-memory/client/inputs';

/** The ways of asking that are compared, each as a user asks for it. */
export const searchModes = {
  dense: { mode: 'dense', rerank: false },
  lexical: { mode: 'lexical', rerank: false },
  hybrid: { mode: 'hybrid', rerank: false },
  'hybrid-rerank': { mode: 'hybrid', rerank: true },
} as const satisfies Record<string, Omit<SearchInput, 'query'>>;

export type ModeName = keyof typeof searchModes;

export const isModeName = (name: string): name is ModeName => Object.hasOwn(searchModes, name);
