import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type OwnService, startOwnService } from '../local/own-service.ts';
import { smoke } from '../smoke/smoke.ts';
import { bootstrap } from './bootstrap.ts';
import { renderReport } from './render-report.ts';

let service: OwnService;

beforeAll(async () => {
  service = await startOwnService();
}, 180_000);

afterAll(async () => {
  expect(await service.stop()).toBe(0);
}, 60_000);

test('the sample library comes out as it must, and again when it is ingested again', async () => {
  const first = await bootstrap(service);
  // The report says what is off.
  expect(renderReport(first)).toContain('everything is as it must be');
  expect(first.documents.length).toBeGreaterThanOrEqual(15);
  const second = await bootstrap(service);
  expect(renderReport(second)).toContain('everything is as it must be');
  expect(second.counts).toEqual(first.counts);
}, 600_000);

test('the smoke test passes: a small library, a search, an answer, and what must be refused', async () => {
  const checks = await smoke({
    ...service,
    namespace: 'smoke',
    tooLargeBytes: 104_857_601,
    onCheck: () => undefined,
  });
  expect(checks.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(checks).toHaveLength(9);
}, 300_000);
