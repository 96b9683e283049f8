import type { DependencyCheck } from '@semantic-memory/runtime/dependency-checks';
import type { AcceptDeps } from '@semantic-memory/shared/ingest/accept';
import type { AnswerLog } from '@semantic-memory/shared/ports/answer-log';
import type { ReadArchive, WriteArchive } from '@semantic-memory/shared/ports/archive';
import type { Cache } from '@semantic-memory/shared/ports/cache';
import type { AllowedBucket } from '@semantic-memory/shared/ports/fetcher';
import type { LedgerRecovery } from '@semantic-memory/shared/ports/ledger';
import type { ReplyBox } from '@semantic-memory/shared/ports/reply-box';
import type { RagDeps } from '@semantic-memory/shared/rag/answer';
import type { SearchDeps } from '@semantic-memory/shared/search/search';
import type { VerifyToken } from './auth.ts';
import type { Lifecycle } from './lifecycle.ts';

/** Everything that the API stands on. */
export interface ApiDeps extends AcceptDeps, SearchDeps, RagDeps {
  /** Streamed answers, for callers that come back. */
  readonly answerLog: AnswerLog;
  /** What a delete clears; absent where nothing is kept. */
  readonly cache?: Pick<Cache, 'clear'> | undefined;
  /** What workers reply to what the API asks of them. */
  readonly replies: ReplyBox;
  readonly recovery: Pick<LedgerRecovery, 'isCompared'>;
  readonly readArchive: ReadArchive;
  readonly writeArchive: WriteArchive;
  readonly verifyToken: VerifyToken;
  readonly lifecycle: Lifecycle;
  readonly dependencies: readonly DependencyCheck[];
  /** The longest that the event loop was held up since it was last asked, in milliseconds. */
  readonly eventLoopLagMs: () => number;
  readonly limits: ApiLimits;
  /**
   * Refuses an address that no webhook may call, as far as it can be told without looking anything up.
   * Undefined where webhooks cannot be signed, and so are not made.
   * @throws MemoryError `fetch_forbidden`
   */
  readonly checkCallbackUrl: ((url: string) => void) | undefined;
  /** What tenants may have read out of buckets; empty where an operator has allowed nothing. */
  readonly allowedBuckets: readonly AllowedBucket[];
  /** Web pages of these origins may call. */
  readonly corsOrigins: readonly string[];
}

export interface ApiLimits {
  readonly maxFileBytes: number;
  /** The largest exported namespace that is taken in. */
  readonly maxArchiveBytes: number;
  readonly maxJsonBytes: number;
  /** An upload of which nothing has come for so long is given up. */
  readonly uploadIdleMs: number;
  /** How often a stream of events says that it is alive. */
  readonly heartbeatMs: number;
}
