import { afterAll, beforeAll } from '@jest/globals';
import { ledgerSuite } from '@semantic-memory/shared/testing/ledger-suite';
import { createRedisLedger } from './ledger.ts';

const ledger = createRedisLedger({ url: process.env.TEST_REDIS_URL ?? '', prefix: `ledger-test-${process.pid}` });
// A new ledger has to be declared whole.
beforeAll(() => ledger.rebuildOnce(async () => {}));
afterAll(() => ledger.close());

ledgerSuite('the ledger in Redis', () => ledger);
