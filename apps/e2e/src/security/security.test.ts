import { afterAll, beforeAll, expect, jest } from '@jest/globals';
import { administrationRow } from './rows/administration.ts';
import { browsersRow } from './rows/browsers.ts';
import { canariesRow } from './rows/canaries.ts';
import { childrenRow } from './rows/children.ts';
import { fetchingRow } from './rows/fetching.ts';
import { injectionRow } from './rows/injection.ts';
import { isolationRow } from './rows/isolation.ts';
import { patternsRow } from './rows/patterns.ts';
import { quotasRow } from './rows/quotas.ts';
import { scopesRow } from './rows/scopes.ts';
import { tokensRow } from './rows/tokens.ts';
import { uploadsRow } from './rows/uploads.ts';
import { startTarget, type Target } from './target.ts';

// Everything is started here, beside whatever else the machine does.
jest.setTimeout(60_000);

/** One whole service, with real processes, Redis and Chroma, and all that an attacker tries on it: a file a row. */
let target: Target;

beforeAll(async () => {
  target = await startTarget();
}, 180_000);

afterAll(async () => {
  expect(await target?.stop()).toBe(0);
}, 60_000);

const theTarget = () => target;

tokensRow(theTarget);
scopesRow(theTarget);
isolationRow(theTarget);
quotasRow(theTarget);
browsersRow(theTarget);
fetchingRow(theTarget);
uploadsRow(theTarget);
childrenRow(theTarget);
injectionRow(theTarget);
patternsRow(theTarget);
administrationRow(theTarget);
canariesRow(theTarget);
