import { expect, test } from '@jest/globals';
import { breakerMetric } from './breaker-metric.ts';
import { createMetrics } from './metrics.ts';

test('a dependency is shown as closed from the start, then as its breaker says', async () => {
  const metrics = createMetrics();
  const say = breakerMetric(metrics)('chroma');
  const shown = async () => /^breaker_state\{dependency="chroma"\} (\d)$/m.exec(await metrics.metricsText())?.[1];
  expect(await shown()).toBe('0');
  say('open');
  expect(await shown()).toBe('2');
  say('half_open');
  expect(await shown()).toBe('1');
});
