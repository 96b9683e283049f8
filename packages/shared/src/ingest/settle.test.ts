import { expect, test } from '@jest/globals';
import type { JobState } from '../contracts/model/job.ts';
import type { JobRecord } from '../ports/ledger.ts';
import { createInMemoryFlow, type InMemoryFlow } from '../testing/in-memory-flow.ts';
import { jobOf } from '../testing/ledger-fixtures.ts';
import { accept } from './accept.ts';
import { storeOriginal } from './accept-request.ts';
import { finishStage, startStage } from './jobs/job-record.ts';
import { currentStep } from './next-jobs.ts';

const scope = { tenant: 'acme', namespace: 'default' };

/** A job whose documents have all been brought, and have ended so. */
async function settling(flow: InMemoryFlow, type: 'git' | 'import', children: Partial<JobRecord>[]) {
  const source = type === 'git' ? ({ type, url: 'https://example.org/library.git' } as const) : ({ type } as const);
  const archive = (async function* () {
    yield new TextEncoder().encode('an archive');
  })();
  const parent = await accept(flow.deps, {
    ...{ ...scope, documentId: 'library', metadata: {}, priority: 'normal', options: {} },
    source,
    original: type === 'import' ? await storeOriginal(flow.deps, 'acme', archive, 1e6) : undefined,
  });
  flow.queue.take();
  for (const [number, changes] of children.entries()) {
    const child = jobOf(scope, `library:${number}`, 1, changes);
    await flow.ledger.createParentJob(child);
    await flow.ledger.addChild('acme', parent.id, child.id);
  }
  const at = parent.createdAt;
  const fetched = {
    done: 1,
    total: 1,
    next: { stage: 'index', total: 1 },
    skipped: ['parse', 'ocr', 'embed'],
  } as const;
  const next = await flow.ledger.updateJob('acme', parent.id, (job) =>
    finishStage(startStage(job, 'fetch', at), 'fetch', fetched, at),
  );
  if (!next) throw new Error('the job is gone');
  await flow.queue.add([currentStep(next)]);
  await flow.drain();
  return flow.ledger.getJob('acme', parent.id);
}

const ended = (state: JobState, changes: Partial<JobRecord> = {}): Partial<JobRecord> => ({ state, ...changes });
const failed = ended('failed', { error: { code: 'corrupt_document', message: 'It ends early.' } });

test('documents that are partial or failed are named with what is known of them', async () => {
  const job = await settling(createInMemoryFlow(), 'git', [ended('succeeded'), ended('partial'), failed]);
  expect(job).toMatchObject({
    state: 'partial',
    warnings: [
      { code: 'partial', message: 'library:1 ended partial' },
      { code: 'corrupt_document', message: 'library:2 ended failed: It ends early.' },
    ],
  });
});

test('of many that did not succeed fifty are named, and the others counted', async () => {
  const job = await settling(createInMemoryFlow(), 'git', [ended('succeeded'), ...Array(53).fill(failed)]);
  expect(job?.warnings).toHaveLength(51);
  expect(job?.warnings.at(-1)).toEqual({ code: 'more', message: '3 more did not succeed.' });
});

test.each([
  [2, 1000],
  [3000, 3000],
])('%i documents that are on their way are looked at again after %i ms', async (count, afterMs) => {
  const flow = createInMemoryFlow();
  await expect(settling(flow, 'git', Array(count).fill({}))).rejects.toThrow('never came to an end');
  await expect(flow.runNext()).rejects.toMatchObject({ retry: { kind: 'wait', afterMs } });
});

test.each([
  ['git', 'No file of the source could be ingested.'],
  ['import', 'No document of the archive could be ingested.'],
] as const)('a job of %s of which nothing came has failed', async (type, message) => {
  const job = await settling(createInMemoryFlow(), type, [failed]);
  expect(job).toMatchObject({ state: 'failed', error: { code: 'fetch_failed', message } });
});
