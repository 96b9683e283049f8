import { z } from 'zod';
import { Answer, type AnswerEvent, type RagRequest } from '../contracts/model/answer.ts';
import { SearchHit } from '../contracts/model/search.ts';
import { staleReason } from '../search/cached-search.ts';
import type { Found, Remembered } from '../search/result-cache.ts';
import { hitsStillTrue } from '../search/still-true.ts';
import { answer, newAnswerId, type RagDeps, streamAnswer } from './answer.ts';

/** An answer with what it was drawn from. */
const AnswerWithHits = z.object({ answer: Answer, hits: z.array(SearchHit) });
type AnswerWithHits = z.infer<typeof AnswerWithHits>;

/** As `answer`, from the cache where the namespace has not changed since the same was asked. */
export async function cachedAnswer(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
  signal?: AbortSignal,
): Promise<Answer> {
  const startedAt = deps.clock.now();
  const { results } = deps;
  const what = results && (await rememberedAs(deps, tenant, request));
  if (!what) return answer(deps, tenant, request, signal);
  const found = await results.remember(
    what,
    async (own) => {
      let hits: SearchHit[] = [];
      const whole = await answer(deps, tenant, request, own, (sources) => {
        hits = sources.hits;
      });
      return { value: { answer: whole, hits }, keep: !whole.degraded };
    },
    signal,
  );
  if (found.origin !== 'computed') measure(deps, found, startedAt);
  return found.stale ? withReason(found.value.answer) : found.value.answer;
}

/**
 * As `streamAnswer`. One from the cache comes at once, as the same events; one that is computed is stored at its end.
 */
export async function* cachedAnswerStream(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
  signal?: AbortSignal,
): AsyncGenerator<AnswerEvent, void, void> {
  const startedAt = deps.clock.now();
  const { results } = deps;
  const what = results && (await rememberedAs(deps, tenant, request));
  const begun = what ? await results.begin(what) : {};
  if (begun.value) {
    measure(deps, { value: begun.value, origin: 'cache', stale: false }, startedAt);
    yield* replayed(begun.value);
    return;
  }
  let hits: SearchHit[] = [];
  let isStored = false;
  try {
    for await (const event of streamAnswer(deps, tenant, request, signal)) {
      if (event.event === 'sources') hits = event.data.hits;
      if (event.event === 'done' && !event.data.degraded) {
        isStored = true;
        await begun.claim?.store({ answer: event.data, hits });
      }
      yield event;
    }
  } finally {
    if (!isStored) await begun.claim?.release();
  }
}

/** Undefined where nothing is to be remembered: an empty namespace, or one whose index is being brought back. */
async function rememberedAs(
  deps: RagDeps,
  tenant: string,
  request: RagRequest,
): Promise<Remembered<AnswerWithHits> | undefined> {
  const { stream: _, ...asked } = request;
  const scope = { tenant, namespace: request.namespace };
  const table = await deps.table.refresh(scope);
  if (table.embeddingModel === undefined || table.indexIncomplete) return undefined;
  return {
    area: scope,
    kind: 'answer',
    of: [table.embeddingModel, deps.languageModel?.model ?? null, asked],
    generation: table.generation,
    schema: AnswerWithHits,
    async ifStillTrue({ answer: whole, hits }) {
      const now = hitsStillTrue(hits, await deps.table.refresh(scope), request.filter);
      return now && { answer: whole, hits: now };
    },
  };
}

function* replayed({ answer: whole, hits }: AnswerWithHits): Generator<AnswerEvent> {
  yield { event: 'sources', data: { answerId: newAnswerId(), hits } };
  yield { event: 'token', data: { text: whole.answer } };
  for (const citation of whole.citations) yield { event: 'citation', data: citation };
  yield { event: 'done', data: whole };
}

const withReason = (whole: Answer): Answer => ({ ...whole, degraded: [...(whole.degraded ?? []), staleReason] });

function measure(deps: RagDeps, { value, stale }: Found<AnswerWithHits>, startedAt: number): void {
  const { refused, usage, degraded = [] } = value.answer;
  for (const reason of stale ? [...degraded, staleReason] : degraded) deps.metrics.degraded(reason);
  const mode = usage.model === 'extractive' ? 'extractive' : 'generative';
  deps.metrics.rag(refused ? 'refused' : 'answered', mode, (deps.clock.now() - startedAt) / 1000);
}
