import { expect, test } from '@jest/globals';
import { createFlights } from './flights.ts';

test('work that ends after all have left it takes nothing from the work that was begun anew', async () => {
  const flights = createFlights();
  const ends = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let begun = 0;
  const work = () => (ends[begun++] as (typeof ends)[number]).promise;
  const leaving = new AbortController();
  const left = flights.run('key', work, leaving.signal);
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: 'cancelled' });
  const again = flights.run('key', work);
  ends[0]?.resolve('old');
  await new Promise((resolve) => setImmediate(resolve));
  expect(flights.has('key')).toBe(true);
  const joined = flights.run('key', work);
  ends[1]?.resolve('new');
  expect(await Promise.all([again, joined])).toEqual(['new', 'new']);
  expect(begun).toBe(2);
  expect(flights.has('key')).toBe(false);
});

test('who has given up already waits for nothing, and the others get what they wait for', async () => {
  const flights = createFlights();
  const end = Promise.withResolvers<string>();
  const staying = flights.run('key', () => end.promise);
  const gone = flights.run('key', () => end.promise, AbortSignal.abort());
  await expect(gone).rejects.toMatchObject({ code: 'cancelled' });
  end.resolve('done');
  expect(await staying).toBe('done');
});
