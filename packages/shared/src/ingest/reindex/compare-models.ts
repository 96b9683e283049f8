import type { JudgedQuery, ModelComparison } from '../../contracts/model/comparison.ts';
import type { Scope } from '../../contracts/model/ids.ts';
import type { Embedder } from '../../ports/embedder.ts';
import type { DocumentRow } from '../../ports/ledger.ts';
import type { VectorHit } from '../../ports/vector-index.ts';
import type { StepDeps } from '../deps.ts';
import { forEachAtOnce } from '../stored/walk-store.ts';
import { isWorse, mean, pairedMeasure } from './paired-measure.ts';
import { sampleQueries } from './sample-queries.ts';

type CompareDeps = Pick<StepDeps, 'blobs' | 'embedderFor' | 'vectors'>;

/** Enough to see a difference of some hundredths. */
const sampledQueries = 200;
/** Hits that count. */
const depth = 10;
/** Chunks that are asked for, since some are of versions that are not active, and several of one document. */
const candidates = 50;
const atOnce = 4;

export interface CompareRequest {
  readonly scope: Scope;
  readonly formerModel: string;
  readonly model: string;
  readonly rows: ReadonlyMap<string, DocumentRow>;
  /** The same seed asks the same. */
  readonly seed: string;
  readonly judged: readonly JudgedQuery[];
  readonly signal: AbortSignal;
}

/**
 * Asks both collections of a namespace the same queries, by meaning alone: sentences of its own passages, each of which
 * should lead to its passage, and those that came with judgements.
 * @throws MemoryError `dependency_unavailable` where one of the models, or the index, is away
 */
export async function compareModels(deps: CompareDeps, request: CompareRequest): Promise<ModelComparison> {
  const { scope, formerModel, model, rows, seed, signal } = request;
  const sampled = await sampleQueries(deps.blobs, scope.tenant, rows.values(), { seed, most: sampledQueries });
  // A query about documents that are not there says nothing.
  const judged = request.judged
    .map(({ query, relevant }) => ({ query, relevant: new Set(relevant.filter((id) => rows.has(id))) }))
    .filter(({ relevant }) => relevant.size > 0);
  const asker = (of: string): Asker => {
    const embedder = deps.embedderFor(of);
    return (query) => ask(deps, { ...scope, model: of }, embedder, rows, query, signal);
  };
  const [former, next] = [asker(formerModel), asker(model)];
  const scores = { ranks: [[], []], shared: [], gains: [[], []] } as Scores;
  await forEachAtOnce(each(sampled), atOnce, async ({ query, chunkId }) => {
    const [before, after] = [await former(query), await next(query)];
    scores.ranks[0].push(reciprocalRank(before, chunkId));
    scores.ranks[1].push(reciprocalRank(after, chunkId));
    scores.shared.push(sharedOf(before, after));
  });
  await forEachAtOnce(each(judged), atOnce, async ({ query, relevant }) => {
    const [before, after] = [await former(query), await next(query)];
    scores.gains[0].push(ndcg(before, relevant));
    scores.gains[1].push(ndcg(after, relevant));
  });
  return verdictOf(formerModel, model, scores);
}

type Asker = (query: string) => Promise<readonly VectorHit[]>;

interface Scores {
  readonly ranks: readonly [number[], number[]];
  readonly shared: number[];
  readonly gains: readonly [number[], number[]];
}

/** Hits of active versions, best first. */
async function ask(
  { vectors }: CompareDeps,
  key: Scope & { readonly model: string },
  embedder: Embedder,
  rows: ReadonlyMap<string, DocumentRow>,
  query: string,
  signal: AbortSignal,
): Promise<readonly VectorHit[]> {
  const vector = await embedder.embedQuery(query, signal);
  const hits = await vectors.query(key, { vector, limit: candidates });
  return hits.filter(({ documentId, version }) => rows.get(documentId)?.activeVersion === version);
}

function reciprocalRank(hits: readonly VectorHit[], chunkId: string): number {
  const at = hits.slice(0, depth).findIndex((hit) => hit.chunkId === chunkId);
  return at < 0 ? 0 : 1 / (at + 1);
}

function sharedOf(before: readonly VectorHit[], after: readonly VectorHit[]): number {
  const first = before.slice(0, depth);
  const also = new Set(after.slice(0, depth).map(({ chunkId }) => chunkId));
  return first.length === 0 ? 1 : first.filter(({ chunkId }) => also.has(chunkId)).length / first.length;
}

/** Normalised discounted cumulative gain of the first ten documents (Järvelin and Kekäläinen 2002), relevant or not. */
function ndcg(hits: readonly VectorHit[], relevant: ReadonlySet<string>): number {
  const documents = [...new Set(hits.map(({ documentId }) => documentId))].slice(0, depth);
  const gain = (isRelevant: boolean, at: number) => (isRelevant ? 1 / Math.log2(at + 2) : 0);
  const found = documents.reduce((sum, id, at) => sum + gain(relevant.has(id), at), 0);
  let best = 0;
  for (let at = 0; at < Math.min(depth, relevant.size); at += 1) best += gain(true, at);
  return found / best;
}

function verdictOf(formerModel: string, model: string, { ranks, shared, gains }: Scores): ModelComparison {
  const selfRetrieval = pairedMeasure(...ranks);
  const judged = pairedMeasure(...gains);
  const models = { formerModel, model, switched: false };
  if (!selfRetrieval && !judged)
    return { ...models, verdict: 'not_compared', reasons: ['There is nothing to compare the models by.'] };
  const reasons: string[] = [];
  if (selfRetrieval && isWorse(selfRetrieval))
    reasons.push(
      `Passages are found worse by their own sentences: ${selfRetrieval.next} instead of ${selfRetrieval.former} (MRR@10).`,
    );
  if (judged && isWorse(judged))
    reasons.push(`Judged queries are answered worse: ${judged.next} instead of ${judged.former} (nDCG@10).`);
  return {
    ...models,
    ...(selfRetrieval ? { selfRetrieval, agreement: Math.round(mean(shared) * 10_000) / 10_000 } : {}),
    ...(judged ? { judged } : {}),
    verdict: reasons.length > 0 ? 'worse' : 'good',
    reasons,
  };
}

async function* each<Item>(items: readonly Item[]): AsyncGenerator<Item> {
  yield* items;
}
