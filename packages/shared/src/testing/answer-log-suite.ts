import { describe, expect, test } from '@jest/globals';
import type { AnswerLog } from '../ports/answer-log.ts';

let names = 0;
const freshTenant = () => `tenant-${process.pid}-${Date.now()}-${names++}`;
const never = new AbortController().signal;
const open = { ended: false };

export interface AnswerLogWorld {
  readonly log: AnswerLog;
  /** Another process's view of the same answers. */
  readonly other: AnswerLog;
  /** As `log`, for a service that gives a silent writer up at once, keeps two answers, and those for a moment only. */
  readonly hasty: AnswerLog;
  /** Lets that moment, or the patience with a silent writer, pass. */
  pass(): Promise<void>;
}

/** What every log of streamed answers promises. `hasty` keeps 2 answers a tenant, for `pass` of time. */
export function answerLogSuite(name: string, create: () => AnswerLogWorld): void {
  describe(name, () => {
    const documents = { tides: 3, moon: 1 };

    test('another process reads what was written, from any entry on', async () => {
      const { log, other } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      expect(await log.append(tenant, 'a', 1, ['two', 'three'], open)).toBe(true);
      expect(await other.read(tenant, 'a', 0)).toEqual({
        ...{ entries: ['one', 'two', 'three'], documents, ended: false, abandoned: false },
      });
      expect(await other.append(tenant, 'a', 3, ['four'], { ended: true })).toBe(true);
      expect(await log.read(tenant, 'a', 2)).toMatchObject({ entries: ['three', 'four'], ended: true });
      expect(await log.read(tenant, 'a', 4)).toMatchObject({ entries: [], ended: true });
    });

    test('an answer is its tenant’s only', async () => {
      const { log } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      const stranger = freshTenant();
      expect(await log.read(stranger, 'a', 0)).toBeUndefined();
      expect(await log.append(stranger, 'a', 1, ['two'], open)).toBe(false);
      await log.forgetDocument(stranger, 'tides');
      expect(await log.read(tenant, 'a', 0)).toMatchObject({ entries: ['one'] });
    });

    test('writing the same again changes nothing, writing something else in its place is refused', async () => {
      const { log } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      await log.append(tenant, 'a', 1, ['two', 'three'], open);
      expect(await log.append(tenant, 'a', 1, ['two', 'three'], open)).toBe(true);
      expect(await log.append(tenant, 'a', 1, ['else'], open)).toBe(false);
      expect(await log.append(tenant, 'a', 7, ['gap'], open)).toBe(false);
      expect(await log.append(tenant, 'a', 3, [], { ended: true })).toBe(true);
      expect(await log.append(tenant, 'a', 3, ['late'], open)).toBe(false);
      expect(await log.read(tenant, 'a', 0)).toMatchObject({ entries: ['one', 'two', 'three'], ended: true });
    });

    test('a reader of another process wakes when something is added, and when the answer is forgotten', async () => {
      const { log, other } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      const watch = await other.watch(tenant, 'a');
      const added = watch.next(never);
      await log.append(tenant, 'a', 1, ['two'], open);
      await added;
      const ended = watch.next(never);
      await log.append(tenant, 'a', 2, [], { ended: true });
      await ended;
      const forgotten = watch.next(never);
      await log.forgetDocument(tenant, 'moon');
      await forgotten;
      watch.stop();
      expect(await other.read(tenant, 'a', 0)).toBeUndefined();
      const left = new AbortController();
      const idle = (await other.watch(tenant, 'b')).next(left.signal);
      left.abort();
      await idle;
    });

    test('a deleted document takes its answers with it, and they cannot be written on', async () => {
      const { log } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      await log.begin(tenant, 'b', { documents: { sun: 1 }, entry: 'one' });
      await log.forgetDocument(tenant, 'tides');
      await log.forgetDocument(tenant, 'tides');
      expect(await log.read(tenant, 'a', 0)).toBeUndefined();
      expect(await log.append(tenant, 'a', 1, ['two'], open)).toBe(false);
      expect(await log.read(tenant, 'a', 0)).toBeUndefined();
      expect(await log.read(tenant, 'b', 0)).toMatchObject({ entries: ['one'] });
    });

    test('a writer that is silent for long has died, one that said all has not', async () => {
      const { log, hasty, pass } = create();
      const tenant = freshTenant();
      await log.begin(tenant, 'a', { documents, entry: 'one' });
      await log.begin(tenant, 'b', { documents, entry: 'one' });
      await log.append(tenant, 'b', 1, [], { ended: true });
      expect(await hasty.read(tenant, 'a', 0)).toMatchObject({ abandoned: false });
      await pass();
      expect(await hasty.read(tenant, 'a', 0)).toMatchObject({ abandoned: true });
      expect(await hasty.read(tenant, 'b', 0)).toMatchObject({ abandoned: false });
    });

    test('answers go after their time, and the oldest where a tenant has many', async () => {
      const { hasty, pass } = create();
      const tenant = freshTenant();
      for (const id of ['a', 'b', 'c']) {
        await hasty.begin(tenant, id, { documents, entry: 'one' });
      }
      const kept = await Promise.all(['a', 'b', 'c'].map((id) => hasty.read(tenant, id, 0)));
      expect(kept.map((answer) => answer !== undefined)).toEqual([false, true, true]);
      await pass();
      expect(await hasty.read(tenant, 'b', 0)).toBeUndefined();
      expect(await hasty.append(tenant, 'b', 1, ['two'], open)).toBe(false);
    });
  });
}
