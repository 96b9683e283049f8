import { expect, test } from '@jest/globals';
import { speedsOf } from './speeds.ts';

const local = { embeddingProvider: 'local', embedProcesses: 2, ocrProcesses: 3, embeddingPrice: undefined } as const;

test('the local model is as fast as it has processes, and costs nothing', () => {
  expect(speedsOf(local)).toEqual({
    embeddedTokensPerSecond: 8_000,
    ocrPagesPerSecond: 0.4 * 3,
    usdPerMillionTokens: 0,
  });
});

test('an endpoint costs what the operator says, and what nobody says is not known', () => {
  const endpoint = { ...local, embeddingProvider: 'openai' } as const;
  expect(speedsOf(endpoint)).toMatchObject({ embeddedTokensPerSecond: 20_000, usdPerMillionTokens: undefined });
  expect(speedsOf({ ...endpoint, embeddingPrice: 0.02 }).usdPerMillionTokens).toBe(0.02);
  expect(speedsOf({ ...local, embeddingPrice: 1 }).usdPerMillionTokens).toBe(1);
});
