import { setTimeout } from 'node:timers/promises';
import { type ErrorBody, MemoryError } from '@semantic-memory/shared/contracts/errors';
import type { AnswerEvent } from '@semantic-memory/shared/contracts/model/answer';
import type { AnswerLog, LoggedAnswer } from '@semantic-memory/shared/ports/answer-log';
import type { Ledger } from '@semantic-memory/shared/ports/ledger';

type WrittenEvent = AnswerEvent | { readonly event: 'error'; readonly data: ErrorBody };
export type StreamedEvent = WrittenEvent & {
  /** Counts from 1 in each answer. */
  readonly id: number;
};

export type SourcesEvent = Extract<AnswerEvent, { event: 'sources' }>;

export interface AnswerStreamDeps {
  readonly answerLog: AnswerLog;
  readonly ledger: Pick<Ledger, 'getDocument'>;
}

/** How often a writer says that it lives while the model thinks. */
const heartbeatMs = 5000;
/** Between two tries while the log is away, and the longest that it is waited for. */
const tryAgainMs = 500;
const patienceMs = 60_000;

/** @throws MemoryError `not_found` */
export const noSuchAnswer = () => new MemoryError('not_found', 'There is no such answer, or it is too long ago.');

/**
 * Writes an answer to its end, whether or not anyone reads it. Resolves once it has begun; the rest goes on by itself.
 * @param options.stop aborted where the answer must not go on, because it was forgotten
 * @throws MemoryError `not_found` where a document that it is drawn from was deleted meanwhile
 */
export async function recordAnswer(
  deps: AnswerStreamDeps,
  tenant: string,
  options: {
    readonly sources: SourcesEvent;
    readonly rest: AsyncIterable<AnswerEvent>;
    readonly stop: AbortController;
    readonly onError: (error: unknown) => ErrorBody;
  },
): Promise<void> {
  const { sources } = options;
  const { answerId, hits } = sources.data;
  const documents = Object.fromEntries(hits.map((hit) => [hit.documentId, hit.version]));
  await deps.answerLog.begin(tenant, answerId, { documents, entry: JSON.stringify(sources) });
  // From here on a delete finds the answer; one that came before is seen now.
  if (!(await isStillThere(deps, tenant, documents))) {
    options.stop.abort();
    throw noSuchAnswer();
  }
  void write(deps.answerLog, tenant, answerId, options);
}

/** The pieces that came while the last ones were being taken go together. */
async function write(
  log: AnswerLog,
  tenant: string,
  answerId: string,
  { rest, stop, onError }: Parameters<typeof recordAnswer>[2],
): Promise<void> {
  const waiting: string[] = [];
  let written = 1;
  let ended = false;
  let writing: Promise<void> | undefined;
  const writeWaiting = async () => {
    do {
      const entries = waiting.splice(0);
      if (!(await appendPatiently(log, tenant, answerId, written, entries, { ended }))) return stop.abort();
      written += entries.length;
    } while (waiting.length > 0);
  };
  const flush = () => {
    writing ??= writeWaiting().finally(() => {
      writing = undefined;
    });
    return writing;
  };
  const heartbeat = setInterval(() => void flush(), heartbeatMs);
  try {
    for await (const event of rest) {
      waiting.push(JSON.stringify(event));
      void flush();
    }
  } catch (error) {
    if (!stop.signal.aborted) waiting.push(JSON.stringify({ event: 'error', data: onError(error) }));
  } finally {
    clearInterval(heartbeat);
  }
  await writing;
  ended = true;
  await flush();
}

/** @returns false where nothing more must be written: the answer is gone, or the log was away for too long. */
async function appendPatiently(
  log: AnswerLog,
  tenant: string,
  answerId: string,
  at: number,
  entries: readonly string[],
  options: { readonly ended: boolean },
): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += tryAgainMs) {
    try {
      return await log.append(tenant, answerId, at, entries, options);
    } catch (error) {
      if (!isAway(error) || waitedMs >= patienceMs) return false;
      await setTimeout(tryAgainMs);
    }
  }
}

const isAway = (error: unknown) => error instanceof MemoryError && error.code === 'dependency_unavailable';

/**
 * The events of an answer after an id, then live, to the end, from whichever process writes it.
 * @returns undefined where it has ended and nothing came after that id
 * @throws MemoryError `not_found` where there is no such answer of this tenant, or a document of it is gone
 */
export async function readAnswer(
  deps: AnswerStreamDeps,
  tenant: string,
  answerId: string,
  afterId: number,
  signal: AbortSignal,
): Promise<AsyncIterable<StreamedEvent> | undefined> {
  const known = await deps.answerLog.read(tenant, answerId, afterId);
  if (!known || !(await isStillThere(deps, tenant, known.documents))) throw noSuchAnswer();
  if (known.ended && known.entries.length === 0) return undefined;
  return follow(deps.answerLog, tenant, answerId, afterId, signal);
}

async function* follow(
  log: AnswerLog,
  tenant: string,
  answerId: string,
  afterId: number,
  signal: AbortSignal,
): AsyncGenerator<StreamedEvent, void, void> {
  let seen = afterId;
  // Listening begins before the first read, so that nothing falls in between.
  const watch = await log.watch(tenant, answerId);
  try {
    while (!signal.aborted) {
      const answer = await readPatiently(log, tenant, answerId, seen, signal);
      if (!answer) return;
      for (const entry of answer.entries) {
        seen += 1;
        const event = JSON.parse(entry) as WrittenEvent;
        yield { ...event, id: seen };
        if (signal.aborted || event.event === 'done' || event.event === 'error') return;
      }
      if (answer.ended) return;
      if (answer.abandoned) await endAbandoned(log, tenant, answerId, seen);
      else if (answer.entries.length === 0) await watch.next(signal);
    }
  } finally {
    watch.stop();
  }
}

/** Who is reading already keeps reading: an outage is shorter than a reader's patience. */
async function readPatiently(
  log: AnswerLog,
  tenant: string,
  answerId: string,
  after: number,
  signal: AbortSignal,
): Promise<LoggedAnswer | undefined> {
  for (let waitedMs = 0; ; waitedMs += tryAgainMs) {
    try {
      return await log.read(tenant, answerId, after);
    } catch (error) {
      if (!isAway(error) || waitedMs >= patienceMs || signal.aborted) throw error;
      await setTimeout(tryAgainMs);
    }
  }
}

/** The process that wrote it has died: whoever reads says so, once for all readers. */
async function endAbandoned(log: AnswerLog, tenant: string, answerId: string, at: number): Promise<void> {
  const error = { code: 'dependency_unavailable' as const, message: brokenOff, requestId: answerId };
  await log.append(tenant, answerId, at, [JSON.stringify({ event: 'error', data: { error } })], { ended: true });
}

const brokenOff = 'The process that wrote this answer has ended. Ask again.';

/**
 * Whether the versions that an answer is drawn from are still known. A document that was deleted and taken in again has
 * other versions. Where one is gone the answer is forgotten.
 */
async function isStillThere(
  deps: AnswerStreamDeps,
  tenant: string,
  documents: Readonly<Record<string, number>>,
): Promise<boolean> {
  const gone = await Promise.all(
    Object.entries(documents).map(async ([documentId, version]) => {
      const document = await deps.ledger.getDocument(tenant, documentId);
      return document?.versions.some((known) => known.version === version) ? [] : [documentId];
    }),
  );
  for (const documentId of gone.flat()) await deps.answerLog.forgetDocument(tenant, documentId);
  return gone.flat().length === 0;
}
