import { expect, test } from '@jest/globals';
import type { Tokenizer } from '../../ports/embedder.ts';
import { fakeTokenizer } from '../../testing/fake-embedder.ts';
import { chunkDocument, chunkDocumentInTurns } from './chunk-document.ts';

const never = new AbortController().signal;

/** A tokenizer that takes its time. */
const slow: Tokenizer = {
  tokenize(text) {
    const until = performance.now() + 1;
    while (performance.now() < until);
    return fakeTokenizer.tokenize(text);
  },
};

const words = 'The keeper of the light saw the ships go by and wrote down their names'.split(' ');
const sentence = (at: number) => `${words.map((_, n) => words[(n * 7 + at) % words.length]).join(' ')} ${at}.`;
const sentences = (count: number) => Array.from({ length: count }, (_, at) => sentence(at));

const input = (text: string) => ({
  ...{ text: { text, pages: [] }, title: 'Log', tenant: 'acme', documentId: 'log', version: 1, model: 'm' },
  tokenizer: slow,
});

test.each([
  ['paragraphs', sentences(320).join('\n\n')],
  ['one paragraph', sentences(320).join(' ')],
  ['lines of code', `\`\`\`\n${sentences(320).join('\n')}\n\`\`\``],
  [
    'a table',
    `| Entry |\n|---|\n${sentences(320)
      .map((text) => `| ${text} |`)
      .join('\n')}`,
  ],
  ['words without an end', sentences(320).join(' ').replaceAll('.', '').repeat(4)],
])('while %s are cut others get their turn, and the chunks are the same', async (_, text) => {
  let turns = 0;
  let over = false;
  const countTurns = () => {
    turns += 1;
    if (!over) setImmediate(countTurns);
  };
  setImmediate(countTurns);
  const chunks = await chunkDocumentInTurns(input(text), never);
  over = true;
  expect(turns).toBeGreaterThan(2);
  expect(chunks).toEqual(chunkDocument(input(text)));
});

test('who gives up is heard in the middle of a document', async () => {
  const giveUp = new AbortController();
  const reason = new Error('nobody wants it any more');
  setImmediate(() => giveUp.abort(reason));
  await expect(chunkDocumentInTurns(input(sentences(300).join(' ')), giveUp.signal)).rejects.toBe(reason);
});
