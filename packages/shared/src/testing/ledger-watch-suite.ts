import { describe, expect, test } from '@jest/globals';
import { newJobId } from '../ingest/new-id.ts';
import type { Ledger } from '../ports/ledger.ts';
import { accept, collect, freshScope, never, to } from './ledger-fixtures.ts';

/** See `ledger-suite.ts`. */
export function ledgerWatchSuite(name: string, create: () => Ledger): void {
  describe(`${name}: watching a job`, () => {
    test('a watcher sees what was and what comes, in order, and ends with the job', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('running'));
      const states: string[] = [];
      for await (const event of ledger.watchJob(scope.tenant, job.id, undefined, never)) {
        states.push(`${event.job.state} ${event.job.progress}`);
        // The next change is made only once the one before was seen: the watcher is live by then.
        if (states.length === 2) await ledger.updateJob(scope.tenant, job.id, to('running', { progress: 0.5 }));
        if (states.length === 3) await ledger.updateJob(scope.tenant, job.id, to('succeeded', { progress: 1 }));
      }
      expect(states).toEqual(['queued 0', 'running 0', 'running 0.5', 'succeeded 1']);
    });

    test('a watcher that sleeps wakes with the change', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const watch = ledger.watchJob(scope.tenant, job.id, undefined, never)[Symbol.asyncIterator]();
      await watch.next();
      const waiting = watch.next();
      await ledger.updateJob(scope.tenant, job.id, to('failed'));
      expect((await waiting).value).toMatchObject({ job: { state: 'failed' } });
      expect(await watch.next()).toMatchObject({ done: true });
    });

    test('a watcher goes on after the event that it names', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      for (const progress of [0.1, 0.2, 0.3]) await ledger.updateJob(scope.tenant, job.id, to('running', { progress }));
      await ledger.updateJob(scope.tenant, job.id, to('partial', { progress: 1 }));
      const all = await collect(ledger.watchJob(scope.tenant, job.id, undefined, never));
      expect(all.map((event) => event.job.progress)).toEqual([0, 0.1, 0.2, 0.3, 1]);
      for (const [at, event] of all.entries()) {
        const rest = await collect(ledger.watchJob(scope.tenant, job.id, event.id, never));
        expect(rest).toEqual(all.slice(at + 1));
      }
    });

    test('after a retry the watcher goes on through the end of the first run', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      await ledger.updateJob(scope.tenant, job.id, to('failed'));
      await ledger.updateJob(scope.tenant, job.id, to('queued', { run: 1 }));
      await ledger.updateJob(scope.tenant, job.id, to('cancelled'));
      const events = await collect(ledger.watchJob(scope.tenant, job.id, undefined, never));
      expect(events.map((event) => event.job.state)).toEqual(['queued', 'failed', 'queued', 'cancelled']);
    });

    test('many watch one job, and the signal ends each by itself', async () => {
      const ledger = create();
      const scope = freshScope();
      const job = await accept(ledger, scope, 'a');
      const leaving = new AbortController();
      const watchers = [never, never, leaving.signal].map((signal) =>
        collect(ledger.watchJob(scope.tenant, job.id, undefined, signal)),
      );
      leaving.abort();
      const left = await watchers[2];
      expect(left?.length).toBeLessThanOrEqual(1);
      await ledger.updateJob(scope.tenant, job.id, to('cancelled'));
      for (const events of await Promise.all(watchers.slice(0, 2))) {
        expect(events.map((event) => event.job.state)).toEqual(['queued', 'cancelled']);
      }
    });

    test('a job that is not there cannot be watched', async () => {
      const watch = collect(create().watchJob(freshScope().tenant, newJobId(), undefined, never));
      await expect(watch).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}
