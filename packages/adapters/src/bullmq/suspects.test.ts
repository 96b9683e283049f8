import { expect, test } from '@jest/globals';
import { createSuspects } from './suspects.ts';

test('suspects of one process run one after another, others beside them', async () => {
  const suspects = createSuspects('parse');
  const order: string[] = [];
  const first = await suspects.enter(2);
  const second = suspects.enter(5).then((entered) => {
    order.push('second');
    return entered;
  });
  (await suspects.enter(0)).leave();
  (await suspects.enter(1)).leave();
  order.push('others');
  first.leave();
  (await second).leave();
  expect(order).toEqual(['others', 'second']);
});

test('a tier where no content is at work has no suspects', async () => {
  const suspects = createSuspects('index');
  await suspects.enter(5);
  await suspects.enter(5);
});
