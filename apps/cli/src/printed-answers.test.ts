import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sendJson } from '@semantic-memory/client/testing/fake-routes';
import { type FakeService, startFakeService } from '@semantic-memory/client/testing/fake-service';
import type { Answer } from '@semantic-memory/shared/contracts/model/answer';
import type { SearchHit } from '@semantic-memory/shared/contracts/model/search';
import type { Io } from './io.ts';
import { runCommand } from './testing/run-command.ts';

let service: FakeService;
const run = (args: string[], io: Partial<Io> = {}) => runCommand(service, args, io);
const terminal = { terminal: true };
const bold = (text: string) => `\u001b[1m${text}\u001b[22m`;
const dim = (text: string) => `\u001b[2m${text}\u001b[22m`;

beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

function hitOf(text: string, more: Partial<SearchHit> = {}): SearchHit {
  return {
    ...{ chunkId: 'c', documentId: 'd', version: 1, title: 'T', text, score: 1, similarity: 0.5 },
    ...{ headings: [], span: { start: 100, end: 100 + text.length }, highlights: [], metadata: {} },
    ...more,
  };
}

/** Searches, where one hit is found, and gives what is printed below its place. */
async function passageOf(hit: SearchHit): Promise<string> {
  service.intercept((_, response) => {
    sendJson(response, 200, { hits: [hit], mode: 'hybrid', tookMs: 3 });
    return true;
  });
  const { out } = await run(['search', 'x'], terminal);
  return out.split('\n')[2]?.trim() ?? '';
}

/** Where words stand in a hit, in the document's text. */
const marksOf = (text: string, ...words: string[]) =>
  words.map((word) => ({ start: 100 + text.indexOf(word), end: 100 + text.indexOf(word) + word.length }));

test('a hit is told with its page and headings, an answer that lacks something says so', async () => {
  service.intercept((_, response) => {
    const hits = [hitOf('Text.', { page: 7, headings: ['Part', 'Chapter'] })];
    sendJson(response, 200, { hits, mode: 'dense', tookMs: 3.4, degraded: ['stale', 'index_rebuilding'] });
    return true;
  });
  const { out } = await run(['search', 'x']);
  expect(out).toContain('\n    d, page 7 › Part › Chapter\n');
  expect(out).toMatch(/\n1 found \(dense, 3 ms, degraded: stale, index_rebuilding\)\n$/);
  expect((await run(['search', 'x'])).out).toBe('nothing found (dense, 1 ms)\n');
});

test('the words of a sentence are bold, not the sentence, in whatever order they are told', async () => {
  const text = 'The heron waits in the reeds.';
  const [sentence] = marksOf(text, text) as [{ start: number; end: number }];
  const terms = marksOf(text, 'reeds', 'heron');
  expect(await passageOf(hitOf(text, { highlights: [{ ...sentence, terms }] }))).toBe(
    `The ${bold('heron')} waits in the ${bold('reeds')}.`,
  );
  expect(await passageOf(hitOf(text, { highlights: [{ ...sentence, terms: [] }] }))).toBe(bold(text));
});

test('marks outside of the passage, or within another, are left out', async () => {
  const text = 'The heron waits.';
  const outside = [
    { start: 0, end: 5 },
    { start: 110, end: 500 },
  ];
  const highlights = [...outside, ...marksOf(text, 'heron', 'ron')];
  expect(await passageOf(hitOf(text, { highlights }))).toBe(`The ${bold('heron')} waits.`);
  expect(await passageOf(hitOf(text))).toBe(text);
});

test('of a long passage the part around the first mark is shown, from a word on', async () => {
  const far = `${'sand and sea '.repeat(40)}heron ${'sun and wind '.repeat(40)}`;
  const passage = await passageOf(hitOf(far, { highlights: marksOf(far, 'heron', 'wind ') }));
  expect(passage).toMatch(/^…(?:sand|and|sea) .*sea .{4}heron/);
  expect(passage).toMatch(/…$/);
  const near = `heron ${'sun and wind '.repeat(40)}`;
  expect(await passageOf(hitOf(near, { highlights: marksOf(near, 'heron') }))).toMatch(/^.{4}heron.*…$/);
  const unspaced = `${'x'.repeat(400)}heron`;
  expect(await passageOf(hitOf(unspaced, { highlights: marksOf(unspaced, 'heron') }))).toMatch(/^…x{80}.{4}heron/);
});

/** Asks, where this is the answer, and gives what is printed. */
async function printed(answer: Partial<Answer>, hits: SearchHit[] = [], io: Partial<Io> = {}): Promise<string> {
  const whole = { answer: 'It is so.', citations: [], grounded: true, refused: false, ...answer };
  const events = Object.entries({ sources: { answerId: 'a', hits }, token: { text: whole.answer }, done: whole });
  service.intercept((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(events.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join(''));
    return true;
  });
  return (await run(['ask', 'why?'], io)).out;
}

test('a citation is told by the title of its source, or its document, with its page', async () => {
  const citation = { marker: '[1]', chunkId: 'c', documentId: 'd', span: { start: 0, end: 9 }, quote: 'It\n is so.' };
  const citations = [
    { ...citation, page: 3 },
    { ...citation, marker: '[2]', chunkId: 'other' },
  ];
  expect(await printed({ citations }, [hitOf('It is so.')])).toBe(
    'It is so.\n\n[1] T (d, page 3): “It is so.”\n[2] d (d): “It is so.”\n',
  );
});

test('an answer that is none, not carried, or lacks something says so', async () => {
  expect(await printed({ refused: true, grounded: false })).toBe('It is so.\nThe documents do not carry an answer.\n');
  expect(await printed({ grounded: false, degraded: ['stale'] }, [], terminal)).toBe(
    `It is so.\n${dim('Not every sentence is carried by what it cites.')}\n${dim('Degraded: stale.')}\n`,
  );
});

test('scripts get the answer as JSON', async () => {
  const answer = { answer: 'Nothing was found.', refused: true };
  expect(JSON.parse((await run(['ask', 'why?', '--json'])).out)).toMatchObject(answer);
});
