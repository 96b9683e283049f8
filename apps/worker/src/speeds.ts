import type { Config } from '@semantic-memory/runtime/config';
import type { Speeds } from '@semantic-memory/shared/ingest/dry-run/estimate';

/** Of the local model in one process on one core: 31.6 texts of 256 tokens a second on two (its model card). */
const localTokensPerSecond = 4_000;
/** Endpoints differ, and limit their callers: batches of some 50 texts that take half a second each. */
const endpointTokensPerSecond = 20_000;
/** Prepared pages of one process, each with one pass, on a core (measured: 2.5 s a page). */
const ocrPagesPerSecond = 0.4;

/** What one worker a tier gets done with this configuration. */
export function speedsOf({
  embeddingProvider,
  embedProcesses,
  ocrProcesses,
  embeddingPrice,
}: Pick<Config, 'embeddingProvider' | 'embedProcesses' | 'ocrProcesses' | 'embeddingPrice'>): Speeds {
  const isLocal = embeddingProvider === 'local';
  return {
    embeddedTokensPerSecond: isLocal ? localTokensPerSecond * embedProcesses : endpointTokensPerSecond,
    ocrPagesPerSecond: ocrPagesPerSecond * ocrProcesses,
    usdPerMillionTokens: embeddingPrice ?? (isLocal ? 0 : undefined),
  };
}
