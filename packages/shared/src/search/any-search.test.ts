import { expect, test } from '@jest/globals';
import { MemoryError } from '../contracts/errors.ts';
import { SearchRequest, type SearchResponse } from '../contracts/model/search.ts';
import { createMemory } from '../testing/search-memory.ts';
import { seededRandom } from '../testing/seeded-random.ts';
import { search } from './search.ts';

/*
 * What holds of every answer, whatever is asked for and whatever is away: random requests over random documents. The seed
 * makes a failure come again.
 */

const words = ['tide', 'turbine', 'permit', 'harbour', 'cable', 'storm', 'meal', 'ticket', 'north', 'east', 'ERR_42'];
const teams = ['sea', 'land', 'air'];

type Random = () => number;

const below = (random: Random, most: number) => Math.floor(random() * most);
const pick = <Item>(random: Random, items: readonly Item[]): Item => items[below(random, items.length)] as Item;
const maybe = <Value>(random: Random, share: number, value: () => Value): Value | undefined =>
  random() < share ? value() : undefined;
const sentence = (random: Random) => Array.from({ length: 1 + below(random, 8) }, () => pick(random, words)).join(' ');

function requestFor(random: Random): SearchRequest {
  const phrase = () => `"${pick(random, words)} ${pick(random, words)}" ${pick(random, words)}`;
  const filter = () => {
    const team = { team: { $in: [pick(random, teams), pick(random, teams)] } };
    return random() < 0.5 ? team : { $or: [team, { documentId: `d${below(random, 20)}` }] };
  };
  const request = {
    query: random() < 0.15 ? phrase() : sentence(random),
    topK: pick(random, [1, 3, 10, 100]),
    mode: pick(random, ['hybrid', 'dense', 'lexical'] as const),
    filter: maybe(random, 0.4, filter),
    minScore: maybe(random, 0.2, () => random()),
    rerank: maybe(random, 0.3, () => random() < 0.5),
    diversity: maybe(random, 0.2, random),
    recency: maybe(random, 0.2, () => ({ halfLifeDays: 1 + random() * 100 })),
    perDocument: maybe(random, 0.3, () => 1 + below(random, 3)),
    neighbours: maybe(random, 0.2, () => below(random, 4)),
    explain: maybe(random, 0.2, () => true),
  };
  return SearchRequest.parse(Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined)));
}

async function createLibrary(random: Random) {
  const memory = createMemory();
  const teamOf = new Map<string, string>();
  const latest = new Map<string, number>();
  for (let at = 0; at < 20; at += 1) {
    const documentId = `d${at}`;
    const team = pick(random, teams);
    const createdAt = new Date(Date.parse('2026-01-01') + below(random, 150) * 86_400_000).toISOString();
    for (let versions = 1 + below(random, 2); versions > 0; versions -= 1) {
      const text = Array.from({ length: 1 + below(random, 6) }, () => sentence(random)).join('\n\n');
      latest.set(documentId, await memory.store({ documentId, text, metadata: { team }, createdAt }));
    }
    if (random() < 0.2) await memory.store({ documentId, text: sentence(random), metadata: { team }, inFlight: true });
    teamOf.set(documentId, team);
  }
  return { memory, teamOf, latest };
}

type Library = Awaited<ReturnType<typeof createLibrary>>;

/** What is wrong with an answer; nothing where it is as it should be. */
function faultsOf({ memory, teamOf, latest }: Library, request: SearchRequest, answer: SearchResponse): string[] {
  const faults: string[] = [];
  const { hits, degraded = [] } = answer;
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault);
  };
  check(hits.length <= request.topK, 'more hits than asked for');
  const ids = hits.flatMap(({ chunkId, chunks }) => chunks?.map((chunk) => chunk.chunkId) ?? [chunkId]);
  check(new Set(ids).size === ids.length, 'a chunk comes twice');
  check(
    hits.every(({ score }, at) => at === 0 || score <= (hits[at - 1]?.score ?? 0) || request.diversity !== undefined),
    'scores do not fall',
  );
  const ofDocuments = Map.groupBy(hits, ({ documentId }) => documentId);
  for (const [documentId, own] of ofDocuments) {
    check(own.length <= (request.perDocument ?? 100), `more than ${request.perDocument} of ${documentId}`);
  }
  for (const { documentId, version, span, text, similarity, highlights } of hits) {
    check(version === latest.get(documentId), `${documentId}@${version} is not active`);
    const whole = memory.texts.get(`acme/${documentId}@${version}`) ?? '';
    check(whole.slice(span.start, span.end) === text, `the span of ${documentId} is of another text`);
    for (const { start, end } of highlights) {
      check(start >= span.start && end <= span.end && start < end, `a highlight of ${documentId} lies outside`);
    }
    if (request.minScore !== undefined && !degraded.includes('min_score_ignored')) {
      check(similarity >= request.minScore, `${documentId} is below minScore`);
    }
    if (request.filter) check(passes(request.filter, documentId, teamOf), `${documentId} does not pass the filter`);
  }
  return faults;
}

function passes(filter: unknown, documentId: string, teamOf: ReadonlyMap<string, string>): boolean {
  const { $or, team, ...rest } = filter as { $or?: unknown[]; team?: { $in: string[] }; documentId?: string };
  if ($or) return $or.some((part) => passes(part, documentId, teamOf));
  if (team) return team.$in.includes(teamOf.get(documentId) ?? '');
  return rest.documentId === documentId;
}

test.each(Array.from({ length: 12 }, (_, seed) => seed + 1))(
  'every answer keeps to what was asked (seed %d)',
  async (seed) => {
    const random = seededRandom(seed);
    const library = await createLibrary(random);
    const { memory } = library;
    for (let count = 0; count < 60; count += 1) {
      const request = requestFor(random);
      memory.embedder.away = random() < 0.15;
      const isIndexAway = random() < 0.15;
      memory.vectors.onQuery = async () => {
        if (isIndexAway) throw new MemoryError('dependency_unavailable', 'The vector index does not answer.');
      };
      let answer: SearchResponse;
      try {
        answer = await search(memory.deps, 'acme', request);
      } catch (error) {
        if (!(error instanceof MemoryError) || error.code !== 'dependency_unavailable') throw error;
        continue;
      }
      expect({ request, faults: faultsOf(library, request, answer) }).toEqual({ request, faults: [] });
      if (answer.degraded) continue;
      // Nothing is said: then nothing was lacking.
      memory.embedder.away = false;
      memory.vectors.onQuery = async () => {};
      const undisturbed = await search(memory.deps, 'acme', request);
      expect({ request, hits: answer.hits }).toEqual({ request, hits: undisturbed.hits });
    }
  },
);
