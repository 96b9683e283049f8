import type { AnswerLog } from '../ports/answer-log.ts';
import type { Clock } from '../ports/clock.ts';

export interface KeptAnswer {
  readonly entries: string[];
  readonly documents: Readonly<Record<string, number>>;
  ended: boolean;
  aliveAt: number;
  readonly keepMs: number;
}

/**
 * The log of streamed answers in this process; time is what the clock says.
 * @param answers where they are, and
 * @param readers who waits: logs that share both are as many processes
 */
export function createInMemoryAnswerLog(
  {
    clock,
    keepMs = 10 * 60_000,
    silentMs = 20_000,
    maxAnswers = 500,
  }: {
    readonly clock: Clock;
    readonly keepMs?: number;
    readonly silentMs?: number;
    readonly maxAnswers?: number;
  },
  answers = new Map<string, KeptAnswer>(),
  readers = new Map<string, Set<() => void>>(),
): AnswerLog {
  const nameOf = (tenant: string, answerId: string) => JSON.stringify([tenant, answerId]);
  const ofTenant = (tenant: string) => [...answers].filter(([name]) => JSON.parse(name)[0] === tenant);
  const find = (name: string) => {
    const kept = answers.get(name);
    return kept && kept.aliveAt + kept.keepMs > clock.now() ? kept : undefined;
  };
  const wake = (name: string) => {
    for (const reader of readers.get(name) ?? []) reader();
  };
  const forget = (name: string) => {
    answers.delete(name);
    wake(name);
  };

  return {
    async begin(tenant, answerId, { documents, entry }) {
      answers.set(nameOf(tenant, answerId), {
        entries: [entry],
        documents,
        ended: false,
        aliveAt: clock.now(),
        keepMs,
      });
      const own = ofTenant(tenant);
      for (const [name] of own.slice(0, Math.max(0, own.length - maxAnswers))) forget(name);
    },
    async append(tenant, answerId, at, entries, { ended }) {
      const name = nameOf(tenant, answerId);
      const kept = find(name);
      if (!kept || kept.entries.length < at) return false;
      if (kept.entries.length > at) return entries.length > 0 && kept.entries[at] === entries[0];
      if (kept.ended) return false;
      kept.entries.push(...entries);
      kept.aliveAt = clock.now();
      kept.ended = ended;
      if (entries.length > 0 || ended) wake(name);
      return true;
    },
    async read(tenant, answerId, after) {
      const kept = find(nameOf(tenant, answerId));
      if (!kept) return undefined;
      const { entries, documents, ended, aliveAt } = kept;
      return { entries: entries.slice(after), documents, ended, abandoned: !ended && clock.now() - aliveAt > silentMs };
    },
    async watch(tenant, answerId) {
      const name = nameOf(tenant, answerId);
      let pending = false;
      let resume = () => {};
      const reader = () => {
        pending = true;
        resume();
      };
      const ofAnswer = readers.get(name) ?? new Set();
      readers.set(name, ofAnswer.add(reader));
      return {
        async next(signal) {
          if (!pending && !signal.aborted) {
            await new Promise<void>((resolve) => {
              resume = resolve;
              signal.addEventListener('abort', () => resolve(), { once: true });
            });
          }
          pending = false;
        },
        stop: () => void ofAnswer.delete(reader),
      };
    },
    async forgetDocument(tenant, documentId) {
      for (const [name, { documents }] of ofTenant(tenant)) if (documentId in documents) forget(name);
    },
    close: async () => {},
  };
}
