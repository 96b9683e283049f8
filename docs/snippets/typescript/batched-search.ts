import { text } from 'node:stream/consumers';
import { post } from './memory.ts';

/*
 * Searches for each line of standard input: node batched-search.ts [NAMESPACE] < queries.txt. Prints a line for each: the
 * query, the best document, where in its text, and the passage.
 */
const [namespace = 'default'] = process.argv.slice(2);

/** The most that one request takes. */
const queriesAtOnce = 100;

interface Hit {
  readonly documentId: string;
  readonly text: string;
  readonly span: { readonly start: number; readonly end: number };
}
interface Answers {
  readonly results: readonly { readonly hits: readonly Hit[]; readonly degraded?: readonly string[] }[];
}

const queries = (await text(process.stdin)).split('\n').filter((query) => query.trim() !== '');
for (let from = 0; from < queries.length; from += queriesAtOnce) {
  const group = queries.slice(from, from + queriesAtOnce);
  const { results } = await post<Answers>('/search/batch', {
    queries: group.map((query) => ({ query, namespace, topK: 1 })),
  });
  // Results are in the order of the queries.
  for (const [index, { hits, degraded }] of results.entries()) {
    if (degraded) console.error(`${group[index]}: less than what was asked for, ${degraded.join(', ')}`);
    const [best] = hits;
    const place = best ? `${best.documentId}\t${best.span.start}-${best.span.end}` : 'nothing\t';
    console.log(`${group[index]}\t${place}\t${best?.text.replaceAll(/\s+/g, ' ') ?? ''}`);
  }
}
