import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createLocalEmbedder, encode } from './embedder.ts';
import { modelFile, readModelCard } from './model-card.ts';
import { createTokenizer } from './tokenizer.ts';

const reference = JSON.parse(readFileSync(modelFile('reference-vectors.json'), 'utf8')) as {
  passages: { text: string; vector: number[] }[];
  queries: { text: string; vector: number[] }[];
};
/** int8 kernels round differently where the processor lacks VNNI (the reference was made with it). */
const hasVnni = /avx512_vnni|avx_vnni/.test(cpuFlags());
const leastCosine = hasVnni ? 0.999 : 0.99;

const embedder = createLocalEmbedder({ processes: 2, lateInteraction: true });
beforeAll(() => embedder.ready());
afterAll(() => embedder.close());

test('embeds passages as the reference does', async () => {
  const vectors = await embedder.embedPassages(reference.passages.map((passage) => passage.text));
  expect(vectors).toHaveLength(reference.passages.length);
  vectors.forEach((vector, i) => {
    expect(vector).toHaveLength(embedder.dimension);
    expect(dot(vector, vector)).toBeCloseTo(1, 5);
    expect(dot(vector, reference.passages[i]!.vector)).toBeGreaterThanOrEqual(leastCosine);
  });
});

test('embeds queries with their prefix, which makes them other vectors than passages', async () => {
  for (const { text, vector } of reference.queries) {
    expect(dot(await embedder.embedQuery(text), vector)).toBeGreaterThanOrEqual(leastCosine);
    const [asPassage] = await embedder.embedPassages([text]);
    expect(dot(asPassage!, vector)).toBeLessThan(leastCosine);
  }
});

test('gives a text the same vector whatever is embedded with it, and in whichever process', async () => {
  const texts = reference.passages.map((passage) => passage.text);
  const [first] = await embedder.embedPassages([texts[3]!]);
  const mixed = await embedder.embedPassages([...texts, texts[3]!, texts[3]!, ...texts]);
  for (const index of [3, texts.length, texts.length + 1, texts.length + 5]) expect(mixed[index]).toEqual(first);
});

test('gives each token of a passage a unit vector, and where it begins in the text, out of the run of its own vector', async () => {
  const texts = ['A lamp at sea warns ships.', 'Ein Leuchtturm warnt Schiffe.'];
  const both = await embedder.lateInteraction!.embedPassages(texts);
  expect(both.map(({ vector }) => vector)).toEqual(await embedder.embedPassages(texts));
  const [{ tokens }] = both as [(typeof both)[number]];
  expect(Array.from(tokens.starts)).toEqual([0, 2, 7, 10, 14, 20, 25]);
  expect(tokens.values).toHaveLength(7 * embedder.lateInteraction!.dimension);
  for (let token = 0; token < 7; token++) expect(dot(rowOf(tokens, token), rowOf(tokens, token))).toBeCloseTo(1, 2);
});

test('a query has no token of its prefix, and its rare words weigh more', async () => {
  const { vector, tokens } = await embedder.lateInteraction!.embedQuery('the lighthouse');
  expect(vector).toEqual(await embedder.embedQuery('the lighthouse'));
  expect(tokens.weights).toHaveLength(2);
  expect(tokens.weights[1]).toBeGreaterThan(3 * tokens.weights[0]!);
  const [passage] = await embedder.lateInteraction!.embedPassages(['Each lighthouse stands on a rock.']);
  const lighthouse = rowOf(tokens, 1);
  const nearest = Array.from(passage!.tokens.starts, (_, token) => dot(rowOf(passage!.tokens, token), lighthouse));
  expect(nearest.indexOf(Math.max(...nearest))).toBe(1);
});

test('a query that is longer than the model reads keeps the tokens that it read, and one of nothing has none', async () => {
  const long = await embedder.lateInteraction!.embedQuery('memory '.repeat(2000));
  expect(long.tokens.scales.length).toBe(long.tokens.weights.length);
  expect(long.tokens.weights.length).toBeGreaterThan(450);
  const empty = await embedder.lateInteraction!.embedQuery('');
  expect([empty.tokens.values.length, empty.tokens.weights.length]).toEqual([0, 0]);
});

test('has no token vectors where they were not asked for', () => {
  expect(createLocalEmbedder({ processes: 1 }).lateInteraction).toBeUndefined();
});

test('cuts a long text, keeping the token that ends it', async () => {
  const card = readModelCard();
  const { tokenIds: ids, starts } = encode(createTokenizer(), card, 'memory '.repeat(2000));
  expect(ids).toHaveLength(512);
  expect([ids[0], ids[511]]).toEqual([card.clsTokenId, card.sepTokenId]);
  expect([starts.length, starts[0], starts[509]]).toEqual([510, 0, 509 * 'memory '.length]);
  const [long, cut] = await embedder.embedPassages(['memory '.repeat(2000), 'memory '.repeat(510)]);
  expect(long).toEqual(cut);
});

test('embeds nothing, and a text of nothing', async () => {
  expect(await embedder.embedPassages([])).toEqual([]);
  const [empty] = await embedder.embedPassages(['']);
  expect(dot(empty!, empty!)).toBeCloseTo(1, 5);
});

test('lets a query overtake the passages that wait', async () => {
  const order: string[] = [];
  const passages = embedder
    .embedPassages(Array(60).fill(reference.passages[0]!.text))
    .then(() => order.push('passages'));
  await embedder.embedQuery('what keeps the queue?').then(() => order.push('query'));
  await passages;
  expect(order).toEqual(['query', 'passages']);
});

test('drops what waits when its signal fires, and goes on with the rest', async () => {
  const controller = new AbortController();
  const dropped = embedder.embedPassages(Array(5000).fill(reference.passages[1]!.text), controller.signal);
  const kept = embedder.embedPassages([reference.passages[2]!.text]);
  controller.abort(new Error('cancelled by the caller'));
  await expect(dropped).rejects.toThrow('cancelled by the caller');
  expect((await kept)[0]).toHaveLength(embedder.dimension);
  await expect(embedder.embedQuery('late', controller.signal)).rejects.toThrow('cancelled by the caller');
});

test('runs the texts of a killed process again and replaces it', async () => {
  const text = reference.passages[4]!.text;
  const [expected] = await embedder.embedPassages([text]);
  const before = embedder.pids;
  const running = embedder.embedPassages(Array(30).fill(text));
  process.kill(before[0]!, 'SIGKILL');
  for (const vector of await running) expect(vector).toEqual(expected);
  await embedder.ready();
  expect(embedder.pids).toHaveLength(2);
  expect(embedder.pids).not.toContain(before[0]);
});

test('keeps the event loop free while it embeds', async () => {
  const gaps: number[] = [];
  let last = performance.now();
  const timer = setInterval(() => {
    gaps.push(performance.now() - last);
    last = performance.now();
  }, 5);
  await embedder.embedPassages(Array(10).fill('memory '.repeat(400)));
  clearInterval(timer);
  // One text of this length takes 100 ms of a core; the median gap stays near the timer's own.
  expect(gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]).toBeLessThan(50);
}, 30_000);

function rowOf({ values, scales }: { values: Int8Array; scales: Float32Array }, token: number): number[] {
  const width = values.length / scales.length;
  return Array.from(values.subarray(token * width, (token + 1) * width), (value) => value * scales[token]!);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function cpuFlags(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    // Not Linux: the wider tolerance applies.
    return '';
  }
}
