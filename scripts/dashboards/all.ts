import { cache } from './cache.ts';
import type { Dashboard } from './dashboard.ts';
import { ingestionOverview } from './ingestion-overview.ts';
import { queues } from './queues.ts';
import { ragLatency } from './rag-latency.ts';
import { searches } from './search.ts';
import { slo } from './slo.ts';
import { stores } from './stores.ts';

export const dashboards: readonly Dashboard[] = [ingestionOverview, queues, ragLatency, searches, cache, slo, stores];
