import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

const run = promisify(execFile);
const program = fileURLToPath(new URL('main.ts', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'evaluate-'));
});
afterEach(() => rm(folder, { recursive: true }));

const evaluate = (env: Record<string, string>) =>
  run(process.execPath, ['--conditions=development', program], { env: { ...process.env, NODE_OPTIONS: '', ...env } });

const texts: Record<string, string> = {
  'tide/1': 'The tide rises twice a day, about twelve hours and twenty-five minutes apart.',
  'bread 2': 'Bread rises because yeast turns sugar into gas.',
  granite: 'Granite is a rock that cooled slowly, deep below the ground.',
  lantern: 'A lantern shields its flame from the wind.',
};

async function writeSet() {
  const lines = (records: object[]) => `${records.map((record) => JSON.stringify(record)).join('\n')}\n`;
  await writeFile(
    join(folder, 'corpus.jsonl'),
    lines(Object.entries(texts).map(([_id, text]) => ({ _id, title: '', text }))),
  );
  await writeFile(
    join(folder, 'queries.jsonl'),
    lines([
      { _id: 'right', text: 'How often does the tide rise in a day?' },
      { _id: 'wrong', text: 'Why does bread rise?' },
    ]),
  );
  await writeFile(
    join(folder, 'answers.jsonl'),
    lines([{ 'query-id': 'right', 'corpus-id': 'tide/1', answers: ['twice a day'] }]),
  );
  // The second judgement is false on purpose: what finds bread must not score there.
  await writeFile(join(folder, 'qrels.tsv'), 'query-id\tcorpus-id\tscore\nright\ttide/1\t1\nwrong\tlantern\t1\n');
}

test('a tiny set is ingested and asked through the service, scored by its judgements, reported and compared', async () => {
  await writeSet();
  const output = join(folder, 'out');
  const { stdout } = await evaluate({
    EVAL_SETS: folder,
    EVAL_MODES: 'lexical,hybrid',
    EVAL_QUERIES: '2',
    EVAL_OUTPUT: output,
  });
  const report = JSON.parse(await readFile(join(output, 'results.json'), 'utf8'));
  expect(report.retrieval).toMatchObject([{ documents: 4, chunks: 4, queries: 2 }]);
  const ofPart = (part: string) => report.scores.filter((each: { part: string }) => each.part === part);
  expect(ofPart('retrieval').map(({ mode }: { mode: string }) => mode)).toEqual(['lexical', 'hybrid']);
  for (const { ids, metrics } of ofPart('retrieval')) {
    expect(ids).toEqual(['right', 'wrong']);
    expect(metrics['nDCG@10'][0]).toBe(1);
    expect(metrics['MRR@10'][1]).toBeLessThan(1);
  }
  // All four documents are within the first hundred of a search by meaning.
  expect(report.scores[1].metrics['recall@100']).toEqual([1, 1]);
  const [containment] = ofPart('answers');
  expect(containment).toMatchObject({ ids: ['right'], metrics: { 'answer in 1': [1], refused: [0] } });
  expect(report.answers).toMatchObject([{ questions: { answerable: 1, 'off-topic': 2 }, model: 'extractive' }]);
  expect(stdout).toMatch(/\| \S+ hybrid +\| +2 \|/);
  expect(await readFile(join(output, 'retrieval-ndcg-10.svg'), 'utf8')).toContain('<svg');

  const results = join(output, 'results.json');
  const compared = await evaluate({ EVAL_COMPARE: `${results},${results}`, EVAL_OUTPUT: output });
  expect(compared.stdout).toContain('+0.0000 to +0.0000');
}, 120_000);

test('a folder without a set ends it with a sentence and status 1', async () => {
  await expect(evaluate({ EVAL_SETS: folder, EVAL_OUTPUT: join(folder, 'out') })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('holds no evaluation set'),
  });
});
