import { inParallel } from '@semantic-memory/client/in-parallel';
import type { Service } from '@semantic-memory/e2e/service';
import { quantile, rounded, timed } from '../statistics.ts';
import type { IngestedSet } from './ingest-beir-set.ts';
import type { Ingested } from './ingest-documents.ts';
import { type ModeName, searchModes } from './modes.ts';
import { ndcg, recall, reciprocalRank } from './ranking-metrics.ts';
import { collectScores, type Scores } from './scores.ts';
import { seededSample } from './seeded-sample.ts';

/** As deep as the deepest metric. */
const rankingDepth = 100;
const askedAtOnce = 2;
const timedQueries = 200;

export interface RetrievalOptions {
  readonly modes: readonly ModeName[];
  /** At most so many queries, chosen by the seed. */
  readonly maxQueries: number;
  readonly seed: number;
}

export interface RetrievalReport extends Ingested {
  readonly set: string;
  readonly queries: number;
  readonly modes: Readonly<Record<string, ModeReport>>;
}

interface ModeReport {
  /** Of the default request (10 hits), one after the other, at the client; of `timed` queries. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly timed: number;
  /** How many answers said so, by reason. */
  readonly degraded?: Readonly<Record<string, number>>;
}

/** Asks every query of a set in every mode, through the public API. */
export async function evaluateRetrieval(
  service: Service,
  set: IngestedSet,
  { modes, maxQueries, seed }: RetrievalOptions,
): Promise<{ report: RetrievalReport; scores: Scores[] }> {
  const namespace = set.name;
  const queries = seededSample(set.queries, maxQueries, seed);
  const scores: Scores[] = [];
  const reports: Record<string, ModeReport> = {};
  for (const mode of modes) {
    const timing = await measureLatency(service, namespace, mode, seededSample(queries, timedQueries, seed));
    const degraded: Record<string, number> = {};
    const items = await inParallel(queries, askedAtOnce, async ({ id, text }) => {
      const answer = await service.client.search({
        ...{ query: text, namespace, topK: rankingDepth, perDocument: 1, highlight: false },
        ...searchModes[mode],
      });
      for (const reason of answer.degraded ?? []) degraded[reason] = (degraded[reason] ?? 0) + 1;
      const ranking = answer.hits.map((hit) => set.corpusIdOf(hit.documentId));
      return { id, metrics: metricsOf(ranking, set.judgements.get(id) ?? new Map()) };
    });
    scores.push(collectScores({ part: 'retrieval', set: set.name, mode }, items));
    reports[mode] = { ...timing, ...(Object.keys(degraded).length > 0 ? { degraded } : {}) };
  }
  return { report: { set: set.name, ...set.ingested, queries: queries.length, modes: reports }, scores };
}

function metricsOf(ranking: readonly string[], judgements: ReadonlyMap<string, number>): Record<string, number> {
  return {
    'nDCG@10': ndcg(ranking, judgements, 10),
    'recall@10': recall(ranking, judgements, 10),
    'recall@100': recall(ranking, judgements, 100),
    'MRR@10': reciprocalRank(ranking, judgements, 10),
  };
}

async function measureLatency(
  service: Service,
  namespace: string,
  mode: ModeName,
  queries: readonly { readonly text: string }[],
): Promise<{ p50Ms: number; p95Ms: number; timed: number }> {
  const times: number[] = [];
  for (const { text } of queries) {
    times.push((await timed(() => service.client.search({ query: text, namespace, ...searchModes[mode] }))).ms);
  }
  return { p50Ms: rounded(quantile(times, 0.5), 1), p95Ms: rounded(quantile(times, 0.95), 1), timed: times.length };
}
