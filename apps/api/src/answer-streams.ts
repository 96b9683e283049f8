import type { ErrorBody } from '@semantic-memory/shared/contracts/errors';
import type { AnswerEvent } from '@semantic-memory/shared/contracts/model/answer';
import type { Clock } from '@semantic-memory/shared/ports/clock';

export type StreamedEvent = (AnswerEvent | { readonly event: 'error'; readonly data: ErrorBody }) & {
  /** Counts from 1 in each answer. */
  readonly id: number;
};

type SourcesEvent = Extract<AnswerEvent, { event: 'sources' }>;

interface Recording {
  readonly tenant: string;
  readonly documentIds: ReadonlySet<string>;
  readonly events: StreamedEvent[];
  readonly readers: Set<() => void>;
  readonly expiresAt: number;
  readonly stop: AbortController;
  ended: boolean;
}

/** Streamed answers of this process, kept for a while so that a caller who lost the connection can go on. */
export interface AnswerStreams {
  /** Records an answer to its end, whether or not anyone reads it. */
  record(options: {
    readonly tenant: string;
    readonly sources: SourcesEvent;
    readonly rest: AsyncIterable<AnswerEvent>;
    /** Aborted where the answer must not go on. */
    readonly stop: AbortController;
    readonly onError: (error: unknown) => ErrorBody;
  }): void;
  /** The events after an id, then live, to the end; undefined where there is no such answer of this tenant. */
  read(
    tenant: string,
    answerId: string,
    afterId: number,
    signal: AbortSignal,
  ): AsyncIterable<StreamedEvent> | undefined;
  /** Whether an answer has ended and has nothing after an id. */
  isOver(tenant: string, answerId: string, afterId: number): boolean;
  /** The documents that an answer was drawn from; none where there is no such answer. */
  documentIds(tenant: string, answerId: string): readonly string[];
  /** Forgets every answer that was drawn from a document, and ends those under way. */
  forgetDocument(tenant: string, documentId: string): void;
}

export function createAnswerStreams({
  clock,
  keepMs = 10 * 60_000,
  maxAnswers = 1000,
}: {
  readonly clock: Clock;
  readonly keepMs?: number;
  /** Beyond it the oldest go: memory stays bounded. */
  readonly maxAnswers?: number;
}): AnswerStreams {
  // In order of their beginning, which is that of their expiry.
  const recordings = new Map<string, Recording>();

  const forget = (answerId: string, recording: Recording) => {
    recordings.delete(answerId);
    recording.ended = true;
    recording.stop.abort();
    for (const wake of recording.readers) wake();
  };
  const expire = () => {
    for (const [answerId, recording] of recordings) {
      if (recording.expiresAt > clock.now() && recordings.size <= maxAnswers) return;
      forget(answerId, recording);
    }
  };
  const find = (tenant: string, answerId: string) => {
    expire();
    const recording = recordings.get(answerId);
    return recording?.tenant === tenant ? recording : undefined;
  };

  return {
    record({ tenant, sources, rest, stop, onError }) {
      const recording: Recording = {
        tenant,
        documentIds: new Set(sources.data.hits.map((hit) => hit.documentId)),
        events: [],
        readers: new Set(),
        expiresAt: clock.now() + keepMs,
        stop,
        ended: false,
      };
      const add = (event: AnswerEvent | { event: 'error'; data: ErrorBody }) => {
        recording.events.push({ ...event, id: recording.events.length + 1 });
        for (const wake of recording.readers) wake();
      };
      recordings.set(sources.data.answerId, recording);
      expire();
      add(sources);
      void (async () => {
        try {
          for await (const event of rest) add(event);
        } catch (error) {
          if (!recording.ended) add({ event: 'error', data: onError(error) });
        }
        recording.ended = true;
        for (const wake of recording.readers) wake();
      })();
    },

    read(tenant, answerId, afterId, signal) {
      const recording = find(tenant, answerId);
      return recording && follow(recording, afterId, signal);
    },

    isOver(tenant, answerId, afterId) {
      const recording = find(tenant, answerId);
      return recording?.ended === true && recording.events.length <= afterId;
    },

    documentIds: (tenant, answerId) => [...(find(tenant, answerId)?.documentIds ?? [])],

    forgetDocument(tenant, documentId) {
      for (const [answerId, recording] of recordings) {
        if (recording.tenant === tenant && recording.documentIds.has(documentId)) forget(answerId, recording);
      }
    },
  };
}

async function* follow(recording: Recording, afterId: number, signal: AbortSignal): AsyncGenerator<StreamedEvent> {
  let seen = afterId;
  while (!signal.aborted) {
    const next = recording.events[seen];
    if (next) {
      seen += 1;
      yield next;
    } else if (recording.ended) {
      return;
    } else {
      await change(recording.readers, signal);
    }
  }
}

function change(readers: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      readers.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    readers.add(done);
    signal.addEventListener('abort', done);
  });
}
