import type { Tier } from '../contracts/jobs.ts';
import type { SearchMode } from '../contracts/model/search.ts';

/** What the logic counts, in its own words. Labels are bounded: never a tenant, document or job id. */
export interface Metrics {
  /** @param route the template, such as `/documents/:id`; @param status the class, such as `2xx` */
  httpRequest(method: string, route: string, status: string, seconds: number): void;
  ingestRequest(outcome: 'accepted' | 'rejected' | 'failed'): void;
  documentFinished(outcome: 'succeeded' | 'partial' | 'rejected' | 'failed' | 'cancelled', reason: string): void;
  ingestDuration(source: string, seconds: number): void;
  jobAttempt(tier: Tier, outcome: 'succeeded' | 'rejected' | 'failed' | 'waiting', seconds: number): void;
  jobWaited(tier: Tier, seconds: number): void;
  jobStalled(tier: Tier): void;
  search(mode: SearchMode, seconds: number): void;
  rag(
    outcome: 'answered' | 'refused' | 'rejected' | 'failed' | 'cancelled',
    mode: 'extractive' | 'generative',
    seconds: number,
  ): void;
  ragFirstToken(seconds: number): void;
  cacheRequest(layer: 'l1' | 'l2', result: 'hit' | 'miss' | 'error'): void;
  embeddingTokens(model: string, tokens: number): void;
  degraded(reason: string): void;
  breakerState(dependency: string, state: 'closed' | 'half_open' | 'open'): void;
  webhookAttempt(outcome: 'delivered' | 'retried' | 'refused' | 'gave_up'): void;
  indexDrift(kind: string, count: number): void;
}
