import { readTar } from '@semantic-memory/adapters/tar/read-tar';
import { writeTar } from '@semantic-memory/adapters/tar/write-tar';
import { apiPrefix } from '@semantic-memory/shared/contracts/http/endpoint';
import type { Job } from '@semantic-memory/shared/contracts/model/job';
import { createDocumentTable } from '@semantic-memory/shared/search/document-table';
import { createInMemoryAnswerLog } from '@semantic-memory/shared/testing/in-memory-answer-log';
import {
  createInMemoryFlow,
  type FlowOptions,
  type InMemoryFlow,
} from '@semantic-memory/shared/testing/in-memory-flow';
import jsonwebtoken from 'jsonwebtoken';
import type { ApiDeps } from '../api-deps.ts';
import { createApp } from '../app.ts';
import { createTokenVerifier } from '../auth.ts';
import { createLifecycle } from '../lifecycle.ts';
import { type ApiServer, type ConnectionLimits, startServer } from '../server.ts';

export const secret = 'a-secret-for-tests-of-more-than-32-characters';
export const allScopes = 'memory:read memory:write memory:admin';

/** A token of a tenant, good for an hour unless `claims` says otherwise. */
export function tokenFor(tenant: string, claims: Record<string, unknown> = {}): string {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  return jsonwebtoken.sign({ sub: 'tester', tenant, scope: allScopes, exp, ...claims }, secret, { algorithm: 'HS256' });
}

/** The API on a free port, over ports in memory; steps run when the test says so. */
export interface TestApi {
  readonly flow: InMemoryFlow;
  readonly deps: ApiDeps;
  readonly server: ApiServer;
  readonly origin: string;
  /** Below the prefix, as tenant `acme` with all scopes unless `init` carries another token. */
  call(path: string, init?: RequestInit & { token?: string }): Promise<Response>;
  /** A call with a JSON body. */
  post(path: string, body: unknown, init?: RequestInit & { token?: string }): Promise<Response>;
  /** Takes in a text and runs it through all steps. */
  ingested(text: string, fields?: Record<string, unknown>, token?: string): Promise<Job>;
  close(): Promise<void>;
}

export async function startTestApi(
  change: (deps: ApiDeps) => Partial<ApiDeps> = () => ({}),
  connectionLimits?: ConnectionLimits,
  flowOptions: FlowOptions = {},
): Promise<TestApi> {
  const flow = createInMemoryFlow({ readArchive: readTar, ...flowOptions });
  const base: ApiDeps = {
    ...flow.deps,
    answerLog: createInMemoryAnswerLog({ clock: flow.deps.clock }),
    recovery: flow.ledger,
    table: createDocumentTable({ ledger: flow.ledger }),
    verifyToken: createTokenVerifier({ jwtSecret: secret }),
    lifecycle: createLifecycle(),
    dependencies: [],
    eventLoopLagMs: () => 0,
    readArchive: readTar,
    writeArchive: writeTar,
    limits: {
      maxFileBytes: 1_000_000,
      maxArchiveBytes: 10_000_000,
      maxJsonBytes: 100_000,
      uploadIdleMs: 5000,
      heartbeatMs: 15_000,
    },
    checkCallbackUrl: () => {},
    corsOrigins: [],
    versionRetentionMs: flow.versionRetentionMs,
  };
  const deps = { ...base, ...change(base) };
  const server = await startServer(createApp(deps), deps.lifecycle, { host: '127.0.0.1', port: 0 }, connectionLimits);
  const origin = `http://127.0.0.1:${server.port}`;

  const call: TestApi['call'] = (path, { token = tokenFor('acme'), headers, ...init } = {}) => {
    const all = new Headers(headers);
    if (token !== '') all.set('authorization', `Bearer ${token}`);
    return fetch(origin + apiPrefix + path, { ...init, headers: all });
  };
  const post: TestApi['post'] = (path, body, { headers, ...init } = {}) => {
    const all = new Headers(headers);
    if (!all.has('content-type')) all.set('content-type', 'application/json');
    return call(path, { method: 'POST', body: JSON.stringify(body), headers: all, ...init });
  };
  return {
    flow,
    deps,
    server,
    origin,
    call,
    post,
    async ingested(text, fields = {}, token = tokenFor('acme')) {
      const answer = await post('/ingest', { source: { type: 'text', text }, ...fields }, { token });
      if (answer.status !== 202) throw new Error(`not accepted: ${await answer.text()}`);
      const job = (await answer.json()) as Job;
      await flow.drain();
      return job;
    },
    close: () => server.close({ drainMs: 0, graceMs: 1000 }),
  };
}

/** The events of a stream, read to its end or until `take` are there. */
export async function readEvents(
  response: Response,
  take = Number.POSITIVE_INFINITY,
): Promise<{ id: string; event: string; data: unknown }[]> {
  const events: { id: string; event: string; data: unknown }[] = [];
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => line.split(/: ?(.*)/s) as [string, string]),
      );
      text = text.slice(end + 2);
      if (!fields.has('data')) continue;
      events.push({
        id: fields.get('id') ?? '',
        event: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? 'null'),
      });
      if (events.length === take) return events;
    }
  }
  return events;
}
