import { expect, test } from '@jest/globals';
import { measureBareModel } from './bare-model.ts';

test('measures texts a second of the model alone', async () => {
  const perSecond = await measureBareModel(Array(20).fill('The queue is kept by Redis, the vectors by Chroma.'), 2);
  expect(perSecond).toBeGreaterThan(1);
  expect(perSecond).toBeLessThan(20_000);
}, 30_000);

test('says so where a process of it cannot load the model', async () => {
  await expect(measureBareModel(['The queue.'], 2, '/nowhere/model.onnx')).rejects.toThrow('ended (exit code 1)');
}, 30_000);
