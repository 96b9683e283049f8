import { ApiError } from '@semantic-memory/client/api-error';
import { type Client, createClient } from '@semantic-memory/client/client';
import jwt from 'jsonwebtoken';
import { type GlobalOptions, tokenOf, urlOf } from './connect.ts';
import { hintOf } from './explain.ts';
import { bold, type Io, printable } from './io.ts';

interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'broken';
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What a job waits for before somebody should look whether a worker runs at all. */
const longWaitSeconds = 60;

/**
 * Examines the service, what it stands on, the token, the stores and the queues, and says of each what to do. One that
 * is broken does not keep the others from being examined. False where something is broken.
 */
export async function runDoctor(io: Io, options: GlobalOptions): Promise<boolean> {
  const service = await examine('service', () => examineService(io, options));
  const answers = service.some(({ state }) => state === 'ok');
  const findings = [...service, ...(answers ? await examine('token', () => examineToken(io, options)) : [])];
  if (io.signal.aborted) throw io.signal.reason;
  const healthy = findings.every(({ state }) => state !== 'broken');
  if (options.json) io.out(`${JSON.stringify({ healthy, findings }, null, 2)}\n`);
  else for (const finding of findings) io.out(describe(io, finding));
  return healthy;
}

/** What an examination finds; where it fails, that is what it finds. */
async function examine(check: string, examination: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await examination();
  } catch (thrown) {
    const hint = thrown instanceof ApiError ? hintOf(thrown) : undefined;
    return [{ check, state: 'broken', message: printable((thrown as Error).message), hint }];
  }
}

async function examineService(io: Io, options: GlobalOptions): Promise<Finding[]> {
  const baseUrl = urlOf(io, options);
  const { ready, body } = await createClient({ baseUrl }).health({ signal: io.signal });
  const dependencies = Object.entries(body.dependencies).map(([check, { state, needed, tookMs }]): Finding => {
    if (state === 'up') return { check, state: 'ok', message: `up, answered in ${tookMs} ms` };
    const hint = 'What to do is in docs/runbooks/dependency-outage.md.';
    if (needed) return { check, state: 'broken', message: 'down; nothing is answered without it', hint };
    return { check, state: 'warning', message: 'down; answers are degraded, and jobs that need it wait', hint };
  });
  return [
    { check: 'service', state: ready ? 'ok' : 'broken', message: `${baseUrl} is ${body.state}` },
    ...dependencies,
  ];
}

async function examineToken(io: Io, options: GlobalOptions): Promise<Finding[]> {
  const given = tokenOf(io, options);
  const made = typeof given === 'function';
  const token = made ? await given() : given;
  // Asked once: what passes is told all the same.
  const client = createClient({ baseUrl: urlOf(io, options), token, maxRetries: 0 });
  const stores = await examineStores(io, client).catch((thrown: ApiError) => {
    if (!made || thrown.code !== 'unauthenticated') throw thrown;
    const hint = 'It was made here: name the JWT_SECRET or the DATA_DIR of the service, or give a token by --token.';
    throw new ApiError({ status: thrown.status, code: thrown.code, message: thrown.message, hint });
  });
  const queues = await examine('queues', () => examineQueues(io, client));
  return [{ check: 'token', state: 'ok', message: describeToken(token) }, stores, ...queues];
}

async function examineStores(io: Io, client: Client): Promise<Finding> {
  const { documents, chunks, vectors, consistent } = await client.stats({ signal: io.signal });
  const held = `${documents} documents, ${chunks} chunks, ${vectors} vectors`;
  if (consistent) return { check: 'stores', state: 'ok', message: `${held}; all agree` };
  const hint = 'While documents are ingested that is so; else: semantic-memory admin reconcile.';
  return { check: 'stores', state: 'warning', message: `${held}; they do not agree`, hint };
}

async function examineQueues(io: Io, client: Client): Promise<Finding[]> {
  const queues = await client.admin.queues({ signal: io.signal }).then(
    (answer) => answer.queues,
    (thrown: ApiError) => {
      if (thrown.code !== 'forbidden') throw thrown;
    },
  );
  if (!queues) return [{ check: 'queues', state: 'warning', message: 'not examined: the token lacks memory:admin' }];
  const left = queues.filter(({ active, oldestWaitSeconds }) => active === 0 && oldestWaitSeconds > longWaitSeconds);
  if (left.length === 0) return [{ check: 'queues', state: 'ok', message: 'nothing waits without being worked on' }];
  return left.map(({ tier, waiting, oldestWaitSeconds }) => ({
    check: 'queues',
    state: 'broken',
    message: `tier ${tier}: ${waiting} wait, the oldest for ${Math.round(oldestWaitSeconds)} s, and none is worked on`,
    hint: `Is a worker of tier ${tier} running? See docs/runbooks/queue-wedged.md.`,
  }));
}

function describeToken(token: string): string {
  const { tenant, scope, exp } = jwt.decode(token, { json: true }) as { tenant: string; scope: string; exp: number };
  return `tenant ${printable(tenant)}, ${printable(scope)}, until ${new Date(exp * 1000).toISOString()}`;
}

function describe(io: Io, { check, state, message, hint }: Finding): string {
  const line = `${state.padEnd(8)} ${check.padEnd(10)} ${message}`;
  return `${state === 'ok' ? line : bold(io, line)}\n${hint ? `${' '.repeat(20)}${hint}\n` : ''}`;
}
