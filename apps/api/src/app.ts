import { readFileSync } from 'node:fs';
import { type OpenSpan, openSpan } from '@semantic-memory/runtime/tracing';
import { MemoryError } from '@semantic-memory/shared/contracts/errors';
import compression from 'compression';
import cors from 'cors';
import express, { type NextFunction, type Request, type Response } from 'express';
import helmet from 'helmet';
import type { ApiDeps } from './api-deps.ts';
import { bindEndpoints } from './bind-endpoints.ts';
import { renderDocsPage } from './docs-page.ts';
import { sendError, toHttpError } from './errors.ts';
import { createHandlers } from './handlers.ts';
import { readiness } from './health.ts';
import { createOpenApiDocument } from './openapi.ts';
import { refuseOtherMethods } from './refuse-other-methods.ts';
import { requestIds } from './request-id.ts';
import { renderStartPage } from './start-page.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The whole HTTP edge, over whatever it is given to stand on. */
export function createApp(deps: ApiDeps): express.Express {
  const app = express();
  // Hashing every answer for an ETag buys nothing where nothing may be cached.
  app.disable('etag');
  app.disable('x-powered-by');
  // One value or several, never objects made from brackets.
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    response.setHeader('x-request-id', requestIds.of(request));
    response.setHeader('cache-control', 'no-store');
    // An API that is ending answers, and sends the connection elsewhere.
    if (deps.lifecycle.draining) response.setHeader('connection', 'close');
    const span = spanOf(request);
    tellWhenDone(deps, request, response, span);
    span.within(next);
  });
  app.use(helmet({ contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } }));
  app.use(
    cors({
      origin: deps.corsOrigins.length > 0 ? [...deps.corsOrigins] : false,
      exposedHeaders: ['X-Request-Id', 'Location', 'Retry-After', 'Content-Disposition'],
      maxAge: 600,
    }),
  );
  app.use(
    compression({
      // Twelve hits of a search arrive in two round trips either way, and compressing them took as long as finding them in
      // the cache.
      threshold: 32 * 1024,
      filter: (request, response) =>
        !String(response.getHeader('content-type')).startsWith('text/event-stream') &&
        compression.filter(request, response),
    }),
  );
  addOpenRoutes(app, deps);
  bindEndpoints(app, deps, createHandlers(deps));
  app.use((request) => {
    throw new MemoryError('not_found', `There is nothing at ${request.path}.`, {
      hint: 'The routes are listed at /docs.',
    });
  });
  // Express knows an error handler by its four parameters.
  app.use((thrown: unknown, request: Request, response: Response, _next: NextFunction) => {
    const error = toHttpError(thrown, requestIds.of(request));
    if (error.status >= 500 && error.body.error.code !== 'cancelled') {
      const log = error.body.error.code === 'internal' ? 'error' : 'warn';
      deps.logger[log]('a request failed', { requestId: requestIds.of(request), error: thrown });
    }
    sendError(request, response, error);
  });
  return app;
}

/** What needs no token. */
function addOpenRoutes(app: express.Express, deps: ApiDeps): void {
  const document = createOpenApiDocument(version);
  const docsPage = renderDocsPage(document);
  app.get('/health/live', (_request, response) => {
    response.json({ state: 'live', eventLoopLagMs: deps.eventLoopLagMs() });
  });
  app.get('/health/ready', async (_request, response) => {
    const ready = await readiness(deps);
    response.status(ready.state === 'ready' ? 200 : 503).json(ready);
  });
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  app.get('/docs', (_request, response) => {
    response.type('html').send(docsPage);
  });
  app.get('/', async (_request, response) => {
    response.type('html').send(renderStartPage(version, await readiness(deps)));
  });
  for (const path of ['/health/live', '/health/ready', '/openapi.json', '/docs', '/']) {
    refuseOtherMethods(app, path, ['GET']);
  }
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/ The route is known at the end only. */
function spanOf(request: Request): OpenSpan {
  const { traceparent } = request.headers;
  return openSpan(methodOf(request), {
    kind: 'server',
    parent: typeof traceparent === 'string' ? traceparent : undefined,
    attributes: { 'http.request.method': methodOf(request), 'url.scheme': request.protocol },
  });
}

/** One line a request: what was asked (never what it held), how it was answered, how long it took; its metric, its span. */
function tellWhenDone(deps: ApiDeps, request: Request, response: Response, span: OpenSpan): void {
  const startedAt = performance.now();
  response.once('close', () => {
    const { statusCode: status, writableFinished } = response;
    const durationMs = performance.now() - startedAt;
    const route = routeOf(request);
    span.rename(`${methodOf(request)} ${route}`);
    span.add({ 'http.route': route, 'http.response.status_code': status });
    if (status >= 500) span.fail({ code: String(status) });
    deps.metrics.httpRequest(methodOf(request), route, `${Math.floor(status / 100)}xx`, durationMs / 1000);
    span.within(() =>
      deps.logger.info('request', {
        requestId: requestIds.of(request),
        method: request.method,
        route,
        status,
        durationMs: Math.round(durationMs),
        ...(writableFinished ? {} : { brokenOff: true }),
      }),
    );
    span.end();
  });
}

/** The route as bound: ids in it belong to tenants. Unknown paths are not repeated either. */
const routeOf = (request: Request) => (request.route as { path?: string } | undefined)?.path ?? 'unknown';

const knownMethods = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS'];

/** Callers may make up methods, and must not make up series. */
const methodOf = ({ method }: Request) => (knownMethods.includes(method) ? method : 'other');
